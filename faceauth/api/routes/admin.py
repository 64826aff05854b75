"""What the privacy officer does: new scenarios and notices. Nobody answers for a person here (R34)."""

from fastapi import APIRouter

from faceauth import two_people
from faceauth.api.access import Here, PrivacyOfficer, actor
from faceauth.api.publishing import publish_notice as publish
from faceauth.api.publishing import publish_scenario
from faceauth.api.routes.scenarios import every_scenario, notice_answer, notice_state, scenario_answer
from faceauth.api.wire.base import ScenarioName
from faceauth.api.wire.scenarios import (
    NoticeAnswer,
    NoticeRequest,
    NoticesAnswer,
    ScenarioAnswer,
    ScenarioChange,
    ScenarioRequest,
    ScenariosAnswer,
)
from faceauth.audit.events import Event

router = APIRouter(prefix="/v1/admin/scenarios", tags=["admin"])


@router.post("", status_code=201)
def create_scenario(here: Here, caller: PrivacyOfficer, body: ScenarioRequest) -> ScenarioAnswer:
    """Add a purpose with its first notice."""
    with here.data.begin() as conn:
        return publish_scenario(here, conn, body, tenant=caller.tenant, actor=actor(caller))


@router.get("")
def list_scenarios(here: Here, caller: PrivacyOfficer) -> ScenariosAnswer:
    """Every scenario, with the notice in force: as applications read it."""
    return every_scenario(here, caller.tenant)


@router.patch("/{scenario}")
def change_scenario(
    here: Here, caller: PrivacyOfficer, scenario: ScenarioName, body: ScenarioChange
) -> ScenarioAnswer:
    """Change what nobody has to be asked again for."""
    with here.data.begin() as conn:

        def noted(kind: str, state: str) -> None:
            here.audit.append(
                conn,
                Event.SCENARIO_CHANGED,
                tenant=caller.tenant,
                account=None,
                actor=actor(caller),
                details={"scenario": scenario, "kind": kind, "state": state},
            )

        changed = here.scenarios.get(conn, caller.tenant, scenario)
        if body.flash_choice is not None:
            changed = here.scenarios.let_choose_flash(
                conn, tenant=caller.tenant, scenario=scenario, choice=body.flash_choice
            )
            noted("flash_choice", str(body.flash_choice).lower())
        if body.device_key is not None:
            changed = here.scenarios.ask_device_key(
                conn, tenant=caller.tenant, scenario=scenario, policy=body.device_key
            )
            noted("device_key", body.device_key)
        notice = here.notices.current(conn, caller.tenant, scenario, here.clock())
    return scenario_answer(changed, notice, now=here.clock())


@router.post("/{scenario}/retire")
def retire_scenario(here: Here, caller: PrivacyOfficer, scenario: ScenarioName) -> ScenarioAnswer:
    """Close a purpose for good: it allows nothing from now on, and the faces kept for it are erased soon after.

    Where they are those of many, a second person has to approve it (R52): ask again once that is done.
    """
    retired = two_people.retire_scenario(
        scenario,
        data=here.data,
        approvals=here.approvals,
        lifecycle=here.lifecycle,
        bulk=here.settings.administration.bulk,
        tenant=caller.tenant,
        actor=actor(caller),
    )
    with here.data.read() as conn:
        notice = here.notices.current(conn, caller.tenant, retired.scenario, here.clock())
    return scenario_answer(retired, notice, now=here.clock())


@router.post("/{scenario}/notices", status_code=201)
def publish_notice(
    here: Here, caller: PrivacyOfficer, scenario: ScenarioName, body: NoticeRequest
) -> NoticeAnswer:
    """Publish the next version; once a material one is in force, everyone is asked again.

    A change of controller, recipient, purpose, method, retention or storage place makes it material by rule.
    """
    with here.data.begin() as conn:
        notice = publish(here, conn, scenario, body, tenant=caller.tenant, actor=actor(caller))
        told = notice_state(here, conn, notice)
    return notice_answer(notice, state=told)


@router.get("/{scenario}/notices")
def list_notices(here: Here, caller: PrivacyOfficer, scenario: ScenarioName) -> NoticesAnswer:
    """Every version ever published, with where it stands: scheduled, active, superseded or retired."""
    with here.data.read() as conn:
        here.scenarios.get(conn, caller.tenant, scenario)
        found = here.notices.every(conn, caller.tenant, scenario)
        return NoticesAnswer(
            notices=tuple(notice_answer(one, state=notice_state(here, conn, one)) for one in found)
        )
