"""What a face may be used for, and the texts that say so."""

from datetime import datetime

from fastapi import APIRouter
from sqlalchemy import Connection

from faceauth.api.access import Application, Here
from faceauth.api.wire.base import Locale, ScenarioName, Version
from faceauth.api.wire.scenarios import (
    NoticeAnswer,
    NoticeState,
    NoticeTextAnswer,
    ScenarioAnswer,
    ScenariosAnswer,
    SubstanceAnswer,
)
from faceauth.consent.notices import Notice
from faceauth.consent.scenarios import Scenario
from faceauth.errors import UnknownNotice
from faceauth.installation import Installation

router = APIRouter(prefix="/v1/scenarios", tags=["scenarios"])


@router.get("")
def list_scenarios(here: Here, caller: Application) -> ScenariosAnswer:
    """Every scenario, with the notice in force."""
    return every_scenario(here, caller.tenant)


@router.get("/{scenario}/notices/{version}")
def read_notice(
    here: Here, caller: Application, scenario: ScenarioName, version: Version, locale: Locale | None = None
) -> NoticeAnswer:
    """Any version ever shown, in every language or in one (R38)."""
    with here.data.read() as conn:
        here.scenarios.get(conn, caller.tenant, scenario)
        notice = here.notices.version(conn, caller.tenant, scenario, version)
        state = notice_state(here, conn, notice)
    return notice_answer(notice, locale, state=state)


def every_scenario(here: Installation, tenant: str) -> ScenariosAnswer:
    """Return a tenant's scenarios, retired ones too, each with the notice in force."""
    now = here.clock()
    with here.data.read() as conn:
        found = []
        for scenario in here.scenarios.list(conn, tenant):
            try:
                notice = here.notices.current(conn, tenant, scenario.scenario, now)
            except UnknownNotice:
                notice = None
            found.append(scenario_answer(scenario, notice, now=now))
    return ScenariosAnswer(scenarios=tuple(found))


def scenario_answer(scenario: Scenario, notice: Notice | None, *, now: datetime) -> ScenarioAnswer:
    """Return a scenario as it is told: purpose and term are those of the notice in force."""
    promised = None if notice is None else notice.substance
    state: NoticeState = "retired" if scenario.state == "retired" else "active"
    if notice is not None and notice.effective_at > now:
        state = "scheduled"
    return ScenarioAnswer(
        scenario=scenario.scenario,
        mode=scenario.mode,
        title=dict(scenario.titles if promised is None else promised.purpose),
        retention_days=scenario.retention_days if promised is None else promised.retention_days,
        state=scenario.state,
        liveness_level=scenario.liveness_profile,
        flash_choice=scenario.flash_choice,
        device_key=scenario.device_key,
        notice=None if notice is None else notice_answer(notice, state=state),
    )


def notice_state(here: Installation, conn: Connection, notice: Notice) -> NoticeState:
    """Return where a version stands now."""
    now = here.clock()
    if here.scenarios.get(conn, notice.tenant, notice.scenario).state == "retired":
        return "retired"
    if notice.effective_at > now:
        return "scheduled"
    current = here.notices.current(conn, notice.tenant, notice.scenario, now)
    return "active" if current.version == notice.version else "superseded"


def notice_answer(notice: Notice, locale: str | None = None, *, state: NoticeState) -> NoticeAnswer:
    """Return a notice as it is told.

    Raises:
        UnknownNotice: it was never published in that language.
    """
    texts = notice.texts if locale is None else {locale: notice.text(locale)}
    return NoticeAnswer(
        version=notice.version,
        state=state,
        material=notice.material,
        material_because=notice.because,
        substance=None if notice.substance is None else SubstanceAnswer(**notice.substance.as_json()),
        effective_at=notice.effective_at,
        texts={name: NoticeTextAnswer(text=one.text, sha256=one.sha256) for name, one in texts.items()},
    )
