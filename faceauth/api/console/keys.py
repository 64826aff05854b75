"""Keys: who may call, what wraps the data keys, what signs. Nothing secret is shown but a new key, once."""

from typing import Any, Final

from starlette.responses import HTMLResponse, Response

from faceauth.api.console.forms import Form, Posted, body_of, check_sure
from faceauth.api.console.shell import led, page, router_at
from faceauth.api.console.texts.keys import KEYS
from faceauth.api.console.visit import Signed, Visit
from faceauth.api.routes import apikeys, keys
from faceauth.api.wire.apikeys import IssuedAnswer, IssueRequest, RotateKeyRequest
from faceauth.api.wire.base import Name
from faceauth.api.wire.keys import DestroyRequest, RotateRequest
from faceauth.errors import FaceauthError
from faceauth.identity.apikeys import ROLES

router = router_at("/keys")

_CURRENT: Final = "keys"


@router.get("")
def every(visit: Signed) -> HTMLResponse:
    """Show every key that there is, by its id."""
    return _page(visit)


@router.post("/issue")
def issue(visit: Signed, form: Posted) -> Response:
    """Make an API key and show it, this once; or ask a second person."""
    asked = {"role": form.get("role"), "label": form.get("label"), "expires_days": form.get("expires_days")}
    try:
        made = visit.call(apikeys.issue_key, body=body_of(IssueRequest, asked))
    except FaceauthError as error:
        return _page(visit, given=form, error=error)
    return _made(visit, made)


@router.post("/{key_id}/rotate")
def rotate(visit: Signed, key_id: Name, form: Posted) -> Response:
    """Make a key in another's place and show it, this once; or ask a second person."""
    try:
        body = body_of(RotateKeyRequest, {"overlap_hours": form.get("overlap_hours")})
        made = visit.call(apikeys.rotate_key, key_id=key_id, body=body)
    except FaceauthError as error:
        return _page(visit, error=error)
    return _made(visit, made)


@router.post("/{key_id}/revoke")
def revoke(visit: Signed, key_id: Name, form: Posted) -> Response:
    """Make a key worthless."""
    try:
        check_sure(visit, form)
        visit.call(apikeys.revoke_key, key_id=key_id)
    except FaceauthError as error:
        return _page(visit, error=error)
    return led("/keys", "revoked")


@router.post("/wrapping")
def wrap_anew(visit: Signed, form: Posted) -> Response:
    """Make a new version of the key-encryption key and wrap every data key under it."""
    try:
        done = visit.call(keys.rotate_keys, body=RotateRequest(retire="retire" in form))
    except FaceauthError as error:
        return _page(visit, error=error)
    return _page(visit, wrapped=done)


@router.post("/destroy")
def destroy(visit: Signed, form: Posted) -> Response:
    """Destroy the oldest version once a second person approved it; before, ask for that."""
    try:
        check_sure(visit, form)
        done = visit.call(keys.destroy_version, body=body_of(DestroyRequest, {"version": form.get("version")}))
    except FaceauthError as error:
        return _page(visit, error=error)
    return _page(visit, destroyed=done) if done.destroyed else led("/approvals", "asked")


def _made(visit: Visit, made: IssuedAnswer) -> Response:
    return led("/approvals", "asked") if made.secret is None else _page(visit, made=made)


def _page(
    visit: Visit, *, given: Form | None = None, error: FaceauthError | None = None, **told: Any
) -> HTMLResponse:
    found = visit.call(keys.read_keys)
    issued = visit.call(apikeys.list_keys).keys
    now = visit.here.clock()
    ended = [one for one in issued if one.revoked_at or (one.expires_at and one.expires_at <= now)]
    oldest = next((one for one in found.versions if not one.destroyed), None)
    ready = oldest is not None and oldest.version < found.active and not oldest.data_keys and not found.rotating
    return page(
        visit,
        "keys.html",
        KEYS,
        current=_CURRENT,
        error=error,
        keys=found,
        live=[one for one in issued if one not in ended],
        ended=ended,
        destroyable=oldest if ready else None,
        roles=ROLES,
        given=given or Form([]),
        me=visit.caller.key_id,
        **told,
    )
