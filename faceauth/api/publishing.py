"""Publishing scenarios and notices: the same act whether it was drafted first or not."""

from sqlalchemy import Connection

from faceauth.api.routes.scenarios import scenario_answer
from faceauth.api.wire.scenarios import NoticeRequest, ScenarioAnswer, ScenarioRequest
from faceauth.audit.events import Event
from faceauth.consent.notices import Notice
from faceauth.errors import InvalidRequest
from faceauth.installation import Installation
from faceauth.liveness.profiles import PROFILES


def publish_scenario(
    here: Installation, conn: Connection, body: ScenarioRequest, *, tenant: str, actor: str
) -> ScenarioAnswer:
    """Make a scenario with its first notice, in the caller's transaction.

    Raises:
        AlreadyExists: there is one of that name.
        InvalidRequest: something in it is malformed.
    """
    if body.liveness_level not in PROFILES:
        raise InvalidRequest(f"liveness_level must be one of: {', '.join(sorted(PROFILES))}.")
    titles = body.title if isinstance(body.title, dict) else dict.fromkeys(body.notices, body.title)
    scenario = here.scenarios.create(
        conn,
        tenant=tenant,
        scenario=body.scenario,
        mode=body.mode,
        titles=titles,
        retention_days=body.retention_days,
        liveness_profile=body.liveness_level,
        notices=body.notices,
        now=here.clock(),
        stream_only=body.stream_only,
        flash_choice=body.flash_choice,
        device_key=body.device_key,
        recipients=tuple(body.recipients),
    )
    here.audit.append(
        conn,
        Event.SCENARIO_CREATED,
        tenant=tenant,
        account=None,
        actor=actor,
        details={"scenario": scenario.scenario, "mode": scenario.mode, "profile": scenario.liveness_profile},
    )
    return scenario_now(here, conn, tenant, scenario.scenario)


def publish_notice(
    here: Installation, conn: Connection, scenario: str, body: NoticeRequest, *, tenant: str, actor: str
) -> Notice:
    """Publish the next notice, in the caller's transaction; it is material if it says so or by rule.

    Raises:
        UnknownScenario: there is no active scenario of that name.
        InvalidRequest: something in it is malformed.
    """
    titles = body.title
    notice = here.scenarios.publish_notice(
        conn,
        tenant=tenant,
        scenario=scenario,
        notices=body.notices,
        material=body.material,
        effective_at=body.effective_at,
        recipients=None if body.recipients is None else tuple(body.recipients),
        titles=dict.fromkeys(body.notices, titles) if isinstance(titles, str) else titles,
        retention_days=body.retention_days,
        now=here.clock(),
    )
    here.audit.append(
        conn,
        Event.NOTICE_PUBLISHED,
        tenant=tenant,
        account=None,
        actor=actor,
        details={
            "scenario": scenario,
            "notice_version": notice.version,
            "material": notice.material,
            **({"reason": ",".join(notice.because)} if notice.because else {}),
        },
    )
    return notice


def scenario_now(here: Installation, conn: Connection, tenant: str, scenario: str) -> ScenarioAnswer:
    """Return a scenario with the notice in force."""
    notice = here.notices.current(conn, tenant, scenario, here.clock())
    return scenario_answer(here.scenarios.get(conn, tenant, scenario), notice, now=here.clock())
