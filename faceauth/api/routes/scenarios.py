"""What a face may be used for, and the texts that say so."""

from fastapi import APIRouter

from faceauth.api.access import Application, Here
from faceauth.api.wire.base import Locale, ScenarioName, Version
from faceauth.api.wire.scenarios import NoticeAnswer, NoticeTextAnswer, ScenarioAnswer, ScenariosAnswer
from faceauth.consent.notices import Notice
from faceauth.consent.scenarios import Scenario
from faceauth.errors import UnknownNotice

router = APIRouter(prefix="/v1/scenarios", tags=["scenarios"])


@router.get("")
def list_scenarios(here: Here, caller: Application) -> ScenariosAnswer:
    """Every scenario, with the notice in force."""
    now = here.clock()
    with here.data.read() as conn:
        found = []
        for scenario in here.scenarios.list(conn, caller.tenant):
            try:
                notice = here.notices.current(conn, caller.tenant, scenario.scenario, now)
            except UnknownNotice:
                notice = None
            found.append(scenario_answer(scenario, notice))
    return ScenariosAnswer(scenarios=tuple(found))


@router.get("/{scenario}/notices/{version}")
def read_notice(
    here: Here, caller: Application, scenario: ScenarioName, version: Version, locale: Locale | None = None
) -> NoticeAnswer:
    """Any version ever shown, in every language or in one (R38)."""
    with here.data.read() as conn:
        here.scenarios.get(conn, caller.tenant, scenario)
        notice = here.notices.version(conn, caller.tenant, scenario, version)
    return notice_answer(notice, locale)


def scenario_answer(scenario: Scenario, notice: Notice | None) -> ScenarioAnswer:
    """Return a scenario as it is told."""
    return ScenarioAnswer(
        scenario=scenario.scenario,
        mode=scenario.mode,
        title=dict(scenario.titles),
        retention_days=scenario.retention_days,
        state=scenario.state,
        liveness_level=scenario.liveness_profile,
        flash_choice=scenario.flash_choice,
        device_key=scenario.device_key,
        notice=None if notice is None else notice_answer(notice),
    )


def notice_answer(notice: Notice, locale: str | None = None) -> NoticeAnswer:
    """Return a notice as it is told.

    Raises:
        UnknownNotice: it was never published in that language.
    """
    texts = notice.texts if locale is None else {locale: notice.text(locale)}
    return NoticeAnswer(
        version=notice.version,
        material=notice.material,
        effective_at=notice.effective_at,
        texts={name: NoticeTextAnswer(text=one.text, sha256=one.sha256) for name, one in texts.items()},
    )
