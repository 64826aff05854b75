"""Drafts of scenarios and notices: written, compared with what is in force, published or thrown away."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import HTMLResponse, Response

from faceauth.api.console.forms import Form, Posted, body_of, check_sure, moment
from faceauth.api.console.scenarios import notices_of, scenario_of, texts_of
from faceauth.api.console.shell import led, page, router_at
from faceauth.api.console.texts.scenarios import DRAFT
from faceauth.api.console.visit import Signed, Visit
from faceauth.api.routes import drafts
from faceauth.api.wire.base import Name, ScenarioName
from faceauth.api.wire.drafts import DraftAnswer, DraftRequest
from faceauth.consent.differences import between
from faceauth.errors import FaceauthError, UnknownDraft
from faceauth.liveness.profiles import PROFILES

router = router_at("/drafts")

_CURRENT: Final = "scenarios"
LOCALES: Final = ("en", "zh")
"""Languages whose fields are always there."""


@router.get("/new")
def new(visit: Signed, scenario: ScenarioName | None = None) -> HTMLResponse:
    """Show an empty draft of a scenario, or the next notice of one, beginning with the last one's text."""
    if scenario is None:
        return _form(visit, "scenario", {})
    last = notices_of(visit, scenario)[-1:]
    return _form(visit, "notice", {"notices": texts_of(last[0])} if last else {}, scenario=scenario)


@router.post("/new")
def add(visit: Signed, form: Posted) -> Response:
    """Keep a new draft."""
    try:
        made = visit.call(drafts.add_draft, body=_request(form))
    except FaceauthError as error:
        return _again(visit, form, error)
    return led(f"/drafts/{made.draft_id}", "saved")


@router.get("/{draft_id}")
def show(visit: Signed, draft_id: Name) -> HTMLResponse:
    """Show a draft, to go on writing or to publish it."""
    return _kept(visit, _found(visit, draft_id))


@router.post("/{draft_id}")
def change(visit: Signed, draft_id: Name, form: Posted) -> Response:
    """Put what was typed into the draft."""
    try:
        visit.call(drafts.change_draft, draft_id=draft_id, body=_request(form))
    except FaceauthError as error:
        return _again(visit, form, error, draft_id=draft_id)
    return led(f"/drafts/{draft_id}", "saved")


@router.post("/{draft_id}/publish")
def publish(visit: Signed, draft_id: Name, form: Posted) -> Response:
    """Publish a draft as it stands."""
    try:
        check_sure(visit, form)
        made = visit.call(drafts.publish_draft, draft_id=draft_id)
    except UnknownDraft:
        raise
    except FaceauthError as error:
        return _kept(visit, _found(visit, draft_id), error=error)
    return led(f"/scenarios/{made.scenario}", "published")


@router.post("/{draft_id}/delete")
def delete(visit: Signed, draft_id: Name, form: Posted) -> Response:  # noqa: ARG001  the form's token is checked
    """Throw a draft away."""
    visit.call(drafts.delete_draft, draft_id=draft_id)
    return led("/scenarios", "deleted")


def _found(visit: Visit, draft_id: str) -> DraftAnswer:
    for one in visit.call(drafts.list_drafts).drafts:
        if one.draft_id == draft_id:
            found: DraftAnswer = one
            return found
    raise UnknownDraft("There is no such draft; it may have been published.")


def _kept(visit: Visit, draft: DraftAnswer, error: FaceauthError | None = None) -> HTMLResponse:
    return _form(
        visit, draft.kind, draft.content, scenario=draft.scenario, draft_id=draft.draft_id, error=error, saved=True
    )


def _again(visit: Visit, form: Form, error: FaceauthError, draft_id: str | None = None) -> HTMLResponse:
    """Show what was typed, with what is wrong about it."""
    kind = "notice" if form.get("kind") == "notice" else "scenario"
    return _form(visit, kind, _typed(form, kind), scenario=form.get("scenario"), draft_id=draft_id, error=error)


def _form(
    visit: Visit,
    kind: str,
    content: Mapping[str, Any],
    *,
    scenario: str | None = None,
    draft_id: str | None = None,
    error: FaceauthError | None = None,
    saved: bool = False,
) -> HTMLResponse:
    texts = dict(content.get("notices", {}))
    titles = content.get("title") or {}
    changes = {}
    if kind == "notice" and saved and scenario is not None:
        last = notices_of(visit, scenario)[-1:]
        changes = between(texts_of(last[0]) if last else {}, texts)
    return page(
        visit,
        "draft.html",
        DRAFT,
        current=_CURRENT,
        error=error,
        kind=kind,
        draft_id=draft_id,
        scenario=scenario,
        before=scenario_of(visit, scenario) if kind == "notice" and scenario else None,
        content=content,
        titles=titles if isinstance(titles, Mapping) else dict.fromkeys(LOCALES, titles),
        texts={locale: texts.get(locale, "") for locale in sorted({*LOCALES, *texts})},
        changes=changes,
        saved=saved,
        levels=[(name, name) for name in sorted(PROFILES)],
    )


def _request(form: Form) -> DraftRequest:
    if form.get("kind") == "notice":
        return body_of(DraftRequest, {"scenario": form.get("scenario"), "notice": _typed(form, "notice")})
    return body_of(DraftRequest, {"new_scenario": _typed(form, "scenario")})


def _typed(form: Form, kind: str) -> dict[str, Any]:
    texts = form.starting("text_")
    if "other_locale" in form and "other_text" in form:
        texts[form["other_locale"]] = form["other_text"]
    told: dict[str, Any] = {
        "notices": texts,
        "title": form.starting("title_") or None,
        "recipients": form.lines("recipients") or None,
        "retention_days": form.get("retention_days"),
    }
    if kind == "notice":
        told |= {"material": "material" in form, "effective_at": moment(form, "effective_at")}
    else:
        told |= {
            "scenario": form.get("scenario", ""),
            "mode": form.get("mode"),
            "liveness_level": form.get("liveness_level"),
            "device_key": form.get("device_key"),
            "flash_choice": "flash_choice" in form,
            "stream_only": "stream_only" in form,
        }
    return {name: value for name, value in told.items() if value is not None}
