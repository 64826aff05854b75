"""What the privacy officer does: new scenarios and notices. Nobody answers for a person here (R34)."""

from fastapi import APIRouter

from faceauth.api.access import Here, PrivacyOfficer, actor
from faceauth.api.routes.scenarios import notice_answer, scenario_answer
from faceauth.api.wire.base import ScenarioName
from faceauth.api.wire.scenarios import (
    NoticeAnswer,
    NoticeRequest,
    ScenarioAnswer,
    ScenarioChange,
    ScenarioRequest,
)
from faceauth.audit.events import Event
from faceauth.errors import InvalidRequest
from faceauth.liveness.profiles import PROFILES

router = APIRouter(prefix="/v1/admin/scenarios", tags=["admin"])


@router.post("", status_code=201)
def create_scenario(here: Here, caller: PrivacyOfficer, body: ScenarioRequest) -> ScenarioAnswer:
    """Add a purpose with its first notice."""
    if body.liveness_level not in PROFILES:
        raise InvalidRequest(f"liveness_level must be one of: {', '.join(sorted(PROFILES))}.")
    titles = body.title if isinstance(body.title, dict) else dict.fromkeys(body.notices, body.title)
    now = here.clock()
    with here.data.begin() as conn:
        scenario = here.scenarios.create(
            conn,
            tenant=caller.tenant,
            scenario=body.scenario,
            mode=body.mode,
            titles=titles,
            retention_days=body.retention_days,
            liveness_profile=body.liveness_level,
            notices=body.notices,
            now=now,
            stream_only=body.stream_only,
            flash_choice=body.flash_choice,
            device_key=body.device_key,
        )
        here.audit.append(
            conn,
            Event.SCENARIO_CREATED,
            tenant=caller.tenant,
            account=None,
            actor=actor(caller),
            details={"scenario": scenario.scenario, "mode": scenario.mode, "profile": scenario.liveness_profile},
        )
        notice = here.notices.current(conn, caller.tenant, scenario.scenario, now)
    return scenario_answer(scenario, notice)


@router.patch("/{scenario}")
def change_scenario(
    here: Here, caller: PrivacyOfficer, scenario: ScenarioName, body: ScenarioChange
) -> ScenarioAnswer:
    """Change what nobody has to be asked again for."""
    with here.data.begin() as conn:
        changed = here.scenarios.get(conn, caller.tenant, scenario)
        if body.flash_choice is not None:
            changed = here.scenarios.let_choose_flash(
                conn, tenant=caller.tenant, scenario=scenario, choice=body.flash_choice
            )
            here.audit.append(
                conn,
                Event.SCENARIO_CHANGED,
                tenant=caller.tenant,
                account=None,
                actor=actor(caller),
                details={"scenario": scenario, "kind": "flash_choice", "state": str(body.flash_choice).lower()},
            )
        if body.device_key is not None:
            changed = here.scenarios.ask_device_key(
                conn, tenant=caller.tenant, scenario=scenario, policy=body.device_key
            )
            here.audit.append(
                conn,
                Event.SCENARIO_CHANGED,
                tenant=caller.tenant,
                account=None,
                actor=actor(caller),
                details={"scenario": scenario, "kind": "device_key", "state": body.device_key},
            )
        notice = here.notices.current(conn, caller.tenant, scenario, here.clock())
    return scenario_answer(changed, notice)


@router.post("/{scenario}/retire")
def retire_scenario(here: Here, caller: PrivacyOfficer, scenario: ScenarioName) -> ScenarioAnswer:
    """Close a purpose for good: it allows nothing from now on, and the faces kept for it are erased soon after."""
    retired = here.lifecycle.retire(tenant=caller.tenant, scenario=scenario, actor=actor(caller))
    with here.data.read() as conn:
        notice = here.notices.current(conn, caller.tenant, retired.scenario, here.clock())
    return scenario_answer(retired, notice)


@router.post("/{scenario}/notices", status_code=201)
def publish_notice(
    here: Here, caller: PrivacyOfficer, scenario: ScenarioName, body: NoticeRequest
) -> NoticeAnswer:
    """Publish the next version; once a material one is in force, everyone is asked again."""
    with here.data.begin() as conn:
        notice = here.notices.publish(
            conn,
            tenant=caller.tenant,
            scenario=scenario,
            notices=body.notices,
            material=body.material,
            effective_at=body.effective_at,
            now=here.clock(),
        )
        here.audit.append(
            conn,
            Event.NOTICE_PUBLISHED,
            tenant=caller.tenant,
            account=None,
            actor=actor(caller),
            details={"scenario": scenario, "notice_version": notice.version, "material": notice.material},
        )
    return notice_answer(notice)
