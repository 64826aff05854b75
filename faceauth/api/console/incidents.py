"""The register of incidents: entering, the clock, whom one reached, telling, closing."""

from typing import Annotated, Any, Final

from fastapi import Query
from starlette.responses import HTMLResponse, Response

from faceauth.api.console.forms import Form, Posted, body_of, moment
from faceauth.api.console.shell import led, page, router_at
from faceauth.api.console.texts.incidents import LIST, NEW, ONE
from faceauth.api.console.visit import Signed, Visit
from faceauth.api.routes import admin, incidents
from faceauth.api.wire.base import Name
from faceauth.api.wire.incidents import (
    ClosingRequest,
    IncidentAnswer,
    IncidentChange,
    IncidentRequest,
    IncidentScope,
    TellingRequest,
)
from faceauth.errors import FaceauthError

router = router_at("/incidents")

_CURRENT: Final = "incidents"
PEOPLE: Final = 100
"""People on one page (own figure)."""

After = Annotated[str, Query(max_length=64)]


@router.get("")
def every(visit: Signed) -> HTMLResponse:
    """Show the register, with each one's clock."""
    found = visit.call(incidents.list_incidents).incidents
    shown = [(one, *_clock(visit, one)) for one in found]
    may = visit.may(incidents.enter)
    return page(visit, "incidents.html", LIST, current=_CURRENT, incidents=shown, may=may)


@router.get("/new")
def new(visit: Signed) -> HTMLResponse:
    """Show the form that an incident is entered with."""
    return _new(visit, Form([]))


@router.post("")
def enter(visit: Signed, form: Posted) -> Response:
    """Enter an incident."""
    try:
        asked: dict[str, Any] = {name: form.get(name) for name in ("title", "nature", "risk")}
        asked |= {"aware_at": moment(form, "aware_at"), "scope": _scope(form)}
        made = visit.call(incidents.enter, body=body_of(IncidentRequest, asked))
    except FaceauthError as error:
        return _new(visit, form, error=error)
    return led(f"/incidents/{made.incident_id}", "entered")


@router.get("/{incident_id}")
def one(visit: Signed, incident_id: Name, after: After = "") -> HTMLResponse:
    """Show one incident, and whom it reached, a page at a time."""
    return _one(visit, incident_id, after=after)


@router.post("/{incident_id}")
def change(visit: Signed, incident_id: Name, form: Posted) -> Response:
    """Write what is known better now, or whom it reached."""
    try:
        asked: dict[str, Any] = {name: form.get(name) for name in ("nature", "consequences", "measures", "risk")}
        asked["authority_at"] = moment(form, "authority_at")
        if "reach" in form:
            asked["scope"] = _scope(form)
        visit.call(incidents.change, incident_id=incident_id, body=body_of(IncidentChange, asked))
    except FaceauthError as error:
        return _one(visit, incident_id, error=error)
    return led(f"/incidents/{incident_id}", "saved")


@router.post("/{incident_id}/notices")
def tell(visit: Signed, incident_id: Name, form: Posted) -> Response:
    """Tell the people it reached."""
    try:
        body = body_of(TellingRequest, {"texts": form.starting("text_"), "elsewhere": "elsewhere" in form})
        visit.call(incidents.tell, incident_id=incident_id, body=body)
    except FaceauthError as error:
        return _one(visit, incident_id, error=error)
    return led(f"/incidents/{incident_id}", "told")


@router.post("/{incident_id}/recipients")
def names(visit: Signed, incident_id: Name, form: Posted) -> Response:  # noqa: ARG001  its token is checked
    """Show the names once a second person approved it; until then ask for that."""
    try:
        found = visit.call(incidents.recipients, incident_id=incident_id)
    except FaceauthError as error:
        return _one(visit, incident_id, error=error)
    return _one(visit, incident_id, names=found)


@router.post("/{incident_id}/close")
def close(visit: Signed, incident_id: Name, form: Posted) -> Response:
    """Close it with a signed report."""
    try:
        body = body_of(ClosingRequest, {"conclusion": form.get("conclusion", "")})
        visit.call(incidents.close, incident_id=incident_id, body=body)
    except FaceauthError as error:
        return _one(visit, incident_id, error=error)
    return led(f"/incidents/{incident_id}", "closed")


def _one(
    visit: Visit, incident_id: str, *, after: str = "", error: FaceauthError | None = None, names: object = None
) -> HTMLResponse:
    found: IncidentAnswer = visit.call(incidents.read, incident_id=incident_id)
    reached = visit.call(incidents.affected, incident_id=incident_id, after=after, limit=PEOPLE)
    clock, hours = _clock(visit, found)
    return page(
        visit,
        "incident.html",
        ONE,
        current=_CURRENT,
        error=error,
        incident=found,
        clock=clock,
        hours=hours,
        reached=reached,
        names=names,
        may=visit.may(incidents.change) and found.state == "open",
        scenarios=_scenarios(visit),
    )


def _new(visit: Visit, given: Form, error: FaceauthError | None = None) -> HTMLResponse:
    visit.check(incidents.enter)
    return page(
        visit, "incident_new.html", NEW, current=_CURRENT, error=error, given=given, scenarios=_scenarios(visit)
    )


def _scenarios(visit: Visit) -> list[str]:
    if not visit.may(admin.list_scenarios):
        return []
    return [one.scenario for one in visit.call(admin.list_scenarios).scenarios]


def _scope(form: Form) -> IncidentScope:
    narrowed = {name: form.get(name) for name in ("reach", "scenario", "model_digest", "key_version")}
    return body_of(IncidentScope, narrowed | {"since": moment(form, "since"), "until": moment(form, "until")})


def _clock(visit: Visit, found: IncidentAnswer) -> tuple[str, int]:
    """Return how the 72 hours stand, and the whole hours that are left."""
    left = int((found.due_at - visit.here.clock()).total_seconds() // 3600)
    if found.authority_at is not None:
        return ("late" if found.authority_at > found.due_at else "told"), left
    if found.risk == "none":
        return "none", left
    return ("over" if found.overdue else "left"), left
