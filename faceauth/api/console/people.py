"""People: everybody under disguised names, one of them, and who is locked out."""

from typing import Annotated, Final

from fastapi import Query
from starlette.responses import HTMLResponse, Response

from faceauth.api.console.forms import Posted, body_of, check_sure
from faceauth.api.console.shell import led, page, router_at
from faceauth.api.console.texts import spoken
from faceauth.api.console.texts.people import LIST, LOCKS, ONE
from faceauth.api.console.visit import Signed, Visit
from faceauth.api.routes import people
from faceauth.api.wire.accounts import RestrictionRequest
from faceauth.api.wire.attempts import RestoreRequest
from faceauth.api.wire.people import Mark, SearchRequest
from faceauth.errors import FaceauthError, InvalidRequest, UnknownAccount

router = router_at()

_CURRENT: Final = "accounts"

Number = Annotated[int, Query(ge=1, le=10**6)]


@router.get("/accounts")
def everybody(visit: Signed, number: Number = 1) -> HTMLResponse:
    """Show everybody, a page at a time."""
    return _everybody(visit, number=number)


@router.post("/accounts/search")
def search(visit: Signed, form: Posted) -> Response:
    """Look for one by exactly the application's name. It travels in the form, never in an address."""
    try:
        body = body_of(SearchRequest, {"account_id": form.get("account_id")})
        found = visit.call(people.search_person, body=body)
    except UnknownAccount as error:
        return _everybody(visit, error=error)
    except FaceauthError:
        return _everybody(visit, error=InvalidRequest(spoken(visit.language, LIST)["no_name"]))
    return led(f"/accounts/{found.mark}")


@router.get("/accounts/{mark}")
def one(visit: Signed, mark: Mark) -> HTMLResponse:
    """Show where one person stands."""
    return _one(visit, mark)


@router.post("/accounts/{mark}/unlock")
def unlock(visit: Signed, mark: Mark, form: Posted) -> Response:
    """Start the attempts of somebody again whom the caller has just seen to be the person."""
    try:
        check_sure(visit, form)
        # The tick says it was just now; the route asks for the time, and takes none that is older than its limit.
        body = RestoreRequest(reauthenticated_at=visit.here.clock())
        visit.call(people.unlock_person, mark=mark, body=body)
    except UnknownAccount:
        raise
    except FaceauthError as error:
        return _one(visit, mark, error=error)
    return led(f"/accounts/{mark}", "unlocked")


@router.post("/accounts/{mark}/restriction")
def restrict(visit: Signed, mark: Mark, form: Posted) -> Response:
    """Suspend every use of the face, or allow it again."""
    restricted = form.get("restricted") == "yes"
    visit.call(people.restrict_person, mark=mark, body=RestrictionRequest(restricted=restricted))
    return led(f"/accounts/{mark}", "suspended" if restricted else "resumed")


@router.post("/accounts/{mark}/close")
def close(visit: Signed, mark: Mark, form: Posted) -> Response:
    """Close the account, and show the receipt."""
    try:
        check_sure(visit, form)
        done = visit.call(people.close_person, mark=mark)
    except UnknownAccount:
        raise
    except FaceauthError as error:
        return _one(visit, mark, error=error)
    return page(visit, "account_closed.html", ONE, current=_CURRENT, receipt=done.receipt)


@router.get("/attempts")
def locks(visit: Signed) -> HTMLResponse:
    """Show who may not try now, and which places may not."""
    found = visit.call(people.list_locks)
    return page(visit, "attempts.html", LOCKS, current="attempts", locks=found, most=people.LOCKS)


def _everybody(visit: Visit, *, number: int = 1, error: FaceauthError | None = None) -> HTMLResponse:
    found = visit.call(people.list_people, page=number)
    return page(visit, "accounts.html", LIST, current=_CURRENT, error=error, found=found)


def _one(visit: Visit, mark: str, error: FaceauthError | None = None) -> HTMLResponse:
    found = visit.call(people.read_person, mark=mark)
    return page(
        visit,
        "account.html",
        ONE,
        current=_CURRENT,
        error=error,
        found=found,
        privacy=visit.may(people.restrict_person),
    )
