"""Scenarios and notices: every version and where it stands, and what changed between any two."""

from typing import Final

from starlette.responses import HTMLResponse, Response

from faceauth.api.console.forms import Posted, body_of, check_sure
from faceauth.api.console.shell import led, page, router_at
from faceauth.api.console.texts.scenarios import COMPARE, LIST, NOTICE, ONE
from faceauth.api.console.visit import Signed, Visit
from faceauth.api.routes import admin, drafts
from faceauth.api.wire.base import ScenarioName, Version
from faceauth.api.wire.scenarios import NoticeAnswer, ScenarioAnswer, ScenarioChange
from faceauth.consent.differences import between, promises
from faceauth.errors import FaceauthError, UnknownNotice, UnknownScenario

router = router_at("/scenarios")

_CURRENT: Final = "scenarios"


@router.get("")
def scenarios(visit: Signed) -> HTMLResponse:
    """Show the scenarios with the notice in force, and the drafts."""
    found = visit.call(admin.list_scenarios).scenarios
    written = visit.call(drafts.list_drafts).drafts
    return page(visit, "scenarios.html", LIST, current=_CURRENT, scenarios=found, drafts=written)


@router.get("/{scenario}")
def scenario(visit: Signed, scenario: ScenarioName) -> HTMLResponse:
    """Show one scenario with all versions of its notice."""
    return _one(visit, scenario)


@router.post("/{scenario}/settings")
def change(visit: Signed, scenario: ScenarioName, form: Posted) -> Response:
    """Change what nobody has to be asked again for."""
    asked = {"flash_choice": "flash_choice" in form, "device_key": form.get("device_key")}
    visit.call(admin.change_scenario, scenario=scenario, body=body_of(ScenarioChange, asked))
    return led(f"/scenarios/{scenario}", "saved")


@router.post("/{scenario}/retire")
def retire(visit: Signed, scenario: ScenarioName, form: Posted) -> Response:
    """Close a scenario for good, or ask a second person to approve that."""
    try:
        check_sure(visit, form)
        visit.call(admin.retire_scenario, scenario=scenario)
    except FaceauthError as error:
        return _one(visit, scenario, error=error)
    return led(f"/scenarios/{scenario}", "retired")


@router.get("/{scenario}/notices/{version}")
def notice(visit: Signed, scenario: ScenarioName, version: Version) -> HTMLResponse:
    """Show one version, in every language."""
    found = version_of(notices_of(visit, scenario), version)
    return page(visit, "notice.html", NOTICE, current=_CURRENT, scenario=scenario, notice=found)


@router.get("/{scenario}/compare")
def compare(visit: Signed, scenario: ScenarioName, older: Version, newer: Version) -> HTMLResponse:
    """Show what changed between two versions: the words, and what is promised."""
    every = notices_of(visit, scenario)
    before, after = version_of(every, older), version_of(every, newer)
    return page(
        visit,
        "compare.html",
        COMPARE,
        current=_CURRENT,
        scenario=scenario,
        before=before,
        after=after,
        texts=between(texts_of(before), texts_of(after)),
        promises=promises(_promised(before), _promised(after)),
    )


def scenario_of(visit: Visit, name: str) -> ScenarioAnswer:
    """Return one scenario.

    Raises:
        UnknownScenario: there is none of that name.
    """
    found: tuple[ScenarioAnswer, ...] = visit.call(admin.list_scenarios).scenarios
    for one in found:
        if one.scenario == name:
            return one
    raise UnknownScenario(f"There is no scenario {name!r}.")


def notices_of(visit: Visit, scenario: str) -> tuple[NoticeAnswer, ...]:
    """Return every version of a scenario's notice, the oldest first."""
    found: tuple[NoticeAnswer, ...] = visit.call(admin.list_notices, scenario=scenario).notices
    return found


def version_of(every: tuple[NoticeAnswer, ...], version: int) -> NoticeAnswer:
    """Return one of them.

    Raises:
        UnknownNotice: there is no such version.
    """
    for one in every:
        if one.version == version:
            return one
    raise UnknownNotice(f"The scenario has no notice of version {version}.")


def texts_of(notice: NoticeAnswer) -> dict[str, str]:
    """Return a notice's texts by language."""
    return {locale: one.text for locale, one in notice.texts.items()}


def _promised(notice: NoticeAnswer) -> dict[str, object] | None:
    return None if notice.substance is None else notice.substance.model_dump()


def _one(visit: Visit, name: str, error: FaceauthError | None = None) -> HTMLResponse:
    found = scenario_of(visit, name)
    every = notices_of(visit, name)
    return page(visit, "scenario.html", ONE, current=_CURRENT, error=error, scenario=found, notices=every[::-1])
