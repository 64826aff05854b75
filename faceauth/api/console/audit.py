"""The audit log: its newest records, a signed checkpoint, and a walk through all of it that a page follows."""

from typing import Annotated, Any, Final

from fastapi import Query
from starlette.responses import HTMLResponse, Response

from faceauth.api.checking import checking_of
from faceauth.api.console.forms import Posted, body_of
from faceauth.api.console.shell import fragment, led, page, router_at
from faceauth.api.console.texts.audit import AUDIT
from faceauth.api.console.visit import Signed, Visit, Watching
from faceauth.api.routes import audit
from faceauth.api.wire.audit import CheckpointAnswer, CheckRequest
from faceauth.audit.events import Event
from faceauth.errors import FaceauthError, InvalidRequest

router = router_at("/audit")

_CURRENT: Final = "audit"
SHOWN: Final = 50
"""Records on one page (own figure)."""

Filter = Annotated[str, Query(max_length=64)]


@router.get("")
def newest(visit: Signed, event: Filter = "", day: Filter = "", before: Filter = "") -> HTMLResponse:
    """Show the newest records, of one day or one event if asked."""
    return _page(visit, {"event": event, "day": day, "before": before})


@router.post("/check")
def check(visit: Signed, form: Posted) -> Response:
    """Begin a walk through the whole log."""
    note = form.get("checkpoint")
    try:
        # A form's fields come trimmed; a note ends with a line's end.
        body = body_of(CheckRequest, {"checkpoint": None if note is None else f"{note}\n"})
        visit.call(audit.begin_check, body=body, checking=checking_of(visit.request))
    except FaceauthError as error:
        return _page(visit, {}, error=error, note=note or "")
    return led("/audit")


@router.get("/check")
def progress(visit: Watching) -> HTMLResponse:
    """Show how far the walk is, for the page to put in its place."""
    found = visit.call(audit.read_check, checking=checking_of(visit.request))
    return fragment(visit, "audit_check.html", AUDIT, check=found)


@router.post("/checkpoint")
def sign(visit: Signed, form: Posted) -> HTMLResponse:  # noqa: ARG001  its token is checked
    """Sign what the log is now, and show that, to be kept elsewhere."""
    return _page(visit, {}, signed=visit.call(audit.checkpoint))


def _page(
    visit: Visit,
    asked: dict[str, str],
    *,
    error: FaceauthError | None = None,
    signed: CheckpointAnswer | None = None,
    note: str = "",
) -> HTMLResponse:
    filled = {name: value for name, value in asked.items() if value}
    try:
        found = visit.call(audit.records, wanted=_wanted(filled))
    except InvalidRequest as wrong:
        filled, error = {}, error or wrong
        found = visit.call(audit.records, wanted=_wanted({}))
    return page(
        visit,
        "audit.html",
        AUDIT,
        current=_CURRENT,
        error=error,
        records=found.records,
        next=found.next,
        asked=asked,
        filled=filled,
        events=sorted(Event),
        check=visit.call(audit.read_check, checking=checking_of(visit.request)),
        signed=signed,
        note=note,
    )


def _wanted(asked: dict[str, Any]) -> audit.Wanted:
    return body_of(audit.Wanted, {**asked, "newest": True, "limit": SHOWN})
