"""Errors as the outside sees them: RFC 9457 problem documents with a stable `code`.

The only place where an error meets HTTP. What went wrong inside (paths, drivers, keys) stays in the log; the
answer names it by its `request_id`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response

from faceauth import errors

log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"

ANOTHER_WAY: Final = "Another way to log in is always there. Please use it."
"""Said with every denial, and only this, whatever the reason (R13, R25)."""

INTERNAL_DETAIL: Final = "The service cannot do this now. Its log says why, under this request_id."

TABLE: Final[Mapping[type[errors.FaceauthError], tuple[int, str]]] = {
    errors.FaceauthError: (500, "Something failed inside"),
    errors.InvalidRequest: (422, "The request is malformed"),
    errors.InvalidImage: (422, "Not a picture this service reads"),
    errors.ImageTooLarge: (413, "The picture is too large"),
    errors.TooManyFrames: (413, "Too many frames or bytes"),
    errors.InvalidTimeline: (422, "The timeline does not fit"),
    errors.UnknownScenario: (404, "No such scenario"),
    errors.UnknownAccount: (404, "No such account"),
    errors.UnknownNotice: (404, "No such notice"),
    errors.UnknownDraft: (404, "No such draft"),
    errors.UnknownReference: (404, "No such reference"),
    errors.UnknownDevice: (404, "No such device"),
    errors.UnknownSession: (404, "No such session"),
    errors.UnknownFlow: (404, "No such flow"),
    errors.UnknownApiKey: (404, "No such API key"),
    errors.UnknownIncident: (404, "No such incident"),
    errors.UnknownApproval: (404, "No such approval"),
    errors.UnknownClient: (404, "No such client"),
    errors.UnknownCampaign: (404, "No such campaign"),
    errors.UnknownEndpoint: (404, "No such webhook endpoint"),
    errors.UnknownLink: (404, "No such link"),
    errors.ApprovalRequired: (403, "A second person must approve"),
    errors.FlashesNeeded: (409, "The flash is needed"),
    errors.AlreadyExists: (409, "There is one of that name"),
    errors.NotAuthenticated: (401, "Who is calling?"),
    errors.NotAllowed: (403, "This credential does not reach so far"),
    errors.ReauthenticationRequired: (403, "Another factor first"),
    errors.ConsentError: (403, "The person has not agreed"),
    errors.ConsentRequired: (403, "The person has not agreed"),
    errors.ConsentStale: (403, "The person must be asked again"),
    errors.ConsentInvalid: (422, "This consent cannot be recorded"),
    errors.GuardianRequired: (403, "A guardian must agree"),
    errors.SessionClosed: (409, "The session is over"),
    errors.Denied: (403, "Denied"),
    errors.LivenessDenied: (403, "Denied"),
    errors.LivenessInconclusive: (403, "Denied"),
    errors.Locked: (403, "Face login is locked for now"),
    errors.Mismatch: (403, "Denied"),
    errors.SeveralMatch: (403, "Denied"),
    errors.DeviceKeyMisused: (403, "Denied"),
    errors.NotEnrolled: (403, "No face is enrolled"),
    errors.ConfigurationError: (500, "The service is set up wrongly"),
    errors.ModelError: (503, "A model cannot be used"),
    errors.ModelMissing: (503, "A model cannot be used"),
    errors.ModelAltered: (503, "A model cannot be used"),
    errors.LicenceNotAccepted: (503, "A model cannot be used"),
    errors.KeyUnavailable: (503, "A key cannot be had"),
    errors.KeyringMissing: (503, "A key cannot be had"),
    errors.KeyringForeign: (503, "A key cannot be had"),
    errors.KeyDestroyed: (503, "A key cannot be had"),
    errors.SealBroken: (500, "A sealed record does not open"),
    errors.SignatureInvalid: (422, "The signature is not valid"),
    errors.StorageError: (503, "The storage failed"),
    errors.DatabaseNewer: (503, "The storage failed"),
    errors.AuditBroken: (500, "The audit log is damaged"),
    errors.RestoreNeeded: (503, "The storage failed"),
    errors.AuditUnavailable: (503, "The storage failed"),
    errors.Overloaded: (503, "The service is busy"),
    errors.Starting: (503, "The service is starting"),
}
"""Every error class, its status and its title. A test holds that none is missing."""

HTTP_CODES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("invalid_request", "The request is malformed"),
    404: ("not_found", "There is nothing here"),
    405: ("method_not_allowed", "Not with this method"),
    413: ("request_too_large", "The request is too large"),
}
"""What the router itself says no to: status, code and title."""


def problem(
    request_id: str,
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    extra: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return a problem document; `extra` members stand beside the standard ones."""
    body = {
        "type": f"urn:faceauth:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
    }
    return JSONResponse({**(extra or {}), **body}, status, dict(headers or {}), media_type=MEDIA_TYPE)


def problem_of(
    request: HTTPConnection, error: errors.FaceauthError, *, extra: Mapping[str, Any] | None = None
) -> JSONResponse:
    """Return the problem document of one of our errors."""
    # A class that is new and not in the table yet answers like its parent.
    status, title = next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)
    detail = str(error)
    if status >= 500 and not isinstance(error, errors.Overloaded | errors.Starting):
        # These texts are for the operator: they name folders, files and servers.
        log.error("request.failed", error=type(error).__name__, code=error.code, detail=detail)
        detail = INTERNAL_DETAIL
    headers = {}
    if isinstance(error, errors.NotAuthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.Overloaded | errors.Starting):
        headers["Retry-After"] = str(error.retry_after_s)
    if status == 503 and "Retry-After" not in headers:
        headers["Retry-After"] = "5"  # own figure; the cause is in the log and needs a person or a moment
    return problem(request_id_of(request), status, error.code, title, detail, extra=extra, headers=headers)


def request_id_of(request: HTTPConnection) -> str:
    """Return the id that the envelope gave this request."""
    return str(getattr(request.state, "request_id", "none"))


def install_handlers(app: FastAPI) -> None:
    """Make every error of a route a problem document; the envelope takes those that nobody foresaw."""
    app.add_exception_handler(errors.FaceauthError, _on_known)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)


def _on_known(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.FaceauthError)  # noqa: S101  registered for nothing else
    return problem_of(request, error)


def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for nothing else
    found = error.errors()
    # A body that was not said to be JSON is not read as JSON: `curl -d` alone says that it is a form.
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if any(one["loc"] == ("body",) and one["type"] != "missing" for one in found) and "json" not in kind:
        return problem_of(
            request, errors.InvalidRequest("Send the body as JSON, with Content-Type: application/json.")
        )
    return problem_of(request, errors.InvalidRequest(_where(found)))


def _where(found: Sequence[Any]) -> str:
    """Say where and what, never the value: it may be a secret sent in the wrong place."""
    told = []
    for one in found[:3]:
        # The names of fields are the caller's own words too: cut what could fill a log.
        place = ".".join(str(part) for part in one["loc"])[:100]
        told.append(f"{place}: {one['msg']}"[:200])
    return "; ".join(told) or "The request is malformed."


def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  registered for nothing else
    code, title = HTTP_CODES.get(error.status_code, HTTP_CODES[400])
    return problem(
        request_id_of(request), error.status_code, code, title, title + ".", headers=error.headers or {}
    )
