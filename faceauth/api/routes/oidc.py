"""The OpenID provider over HTTP: what browsers are sent through, and what clients ask for directly."""

from functools import partial
from secrets import token_hex
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from faceauth.api.access import Here, address_of, bearer
from faceauth.api.browser import browser_of, remember, shown
from faceauth.api.forms import FORM, form_of, query_of
from faceauth.api.problems import problem_of
from faceauth.api.wire.openid import DiscoveryAnswer, OAuthError, TokenAnswer, UserinfoAnswer
from faceauth.errors import InvalidRequest, NotAuthenticated
from faceauth.oidc.server import Answered, Asked
from faceauth.openid import OpenId, Told

router = APIRouter(tags=["openid"])


def openid_of(here: Here) -> OpenId:
    """Return the provider of the installation that this app serves."""
    return OpenId.of(here)


Provider = Annotated[OpenId, Depends(openid_of)]

_CODE: Final = {
    "grant_type": "authorization_code",
    "code": "foc_(64 hexadecimal digits)",
    "redirect_uri": "https://shop.example/callback",
    "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
}


def _form(example: dict[str, str]) -> dict[str, Any]:
    schema = {"type": "object", "additionalProperties": {"type": "string"}}
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema, "example": example}}}}


_ERRORS: Final[dict[int | str, dict[str, Any]]] = {400: {"model": OAuthError}, 401: {"model": OAuthError}}
_BUSY: Final[dict[int | str, dict[str, Any]]] = {429: {"model": OAuthError}}

# --- browsers ------------------------------------------------------------------------------------------------


@router.api_route("/oauth2/authorize", methods=["GET", "POST"], include_in_schema=False)
async def authorize(request: Request, here: Here, provider: Provider) -> Response:
    """Begin a login for a client, bound to this browser by a cookie."""
    try:
        asked = query_of(request) if request.method == "GET" else await form_of(request)
    except InvalidRequest:
        return shown(request, Told("request"), {})
    # A browser may have several logins under way, in several windows.
    browser = browser_of(request, here) or token_hex(32)
    response = shown(
        request, await run_in_threadpool(provider.authorize, asked, browser, address_of(request)), asked
    )
    remember(response, here, browser)
    return response


@router.post("/oauth2/answer", include_in_schema=False)
async def answer(request: Request, here: Here, provider: Provider) -> Response:
    """Go on from the page that named the client."""
    try:
        asked = await form_of(request)
    except InvalidRequest:
        return shown(request, Told("request"), {})
    browser, account = browser_of(request, here), asked.get("account", "").strip() or None
    if browser is None:
        return shown(request, Told("gone"), asked)
    step = await run_in_threadpool(provider.agreed, asked.get("request", ""), browser, account)
    return shown(request, step, asked, after_form=True)


@router.get("/oauth2/continue/{request_id}", include_in_schema=False)
def proceed(request: Request, here: Here, provider: Provider, request_id: str) -> Response:
    """End a login: the capture page leads here, and so does its cancelling."""
    browser = browser_of(request, here)
    step = Told("gone") if browser is None else provider.proceed(request_id, browser)
    return shown(request, step, {})


@router.api_route("/oauth2/logout", methods=["GET", "POST"], include_in_schema=False)
async def logout(request: Request, provider: Provider) -> Response:
    """End what a client was given (OpenID Connect RP-Initiated Logout)."""
    try:
        asked = query_of(request) if request.method == "GET" else await form_of(request)
    except InvalidRequest:
        return shown(request, Told("request"), {})
    return shown(request, await run_in_threadpool(provider.logout, asked), asked)


# --- clients -------------------------------------------------------------------------------------------------


@router.get("/.well-known/openid-configuration", response_model=DiscoveryAnswer)
async def discovery(provider: Provider) -> JSONResponse:
    """What the provider can do, and where (OpenID Connect Discovery)."""
    return JSONResponse(provider.discovery())


@router.post(
    "/oauth2/token",
    response_model=TokenAnswer,
    responses=_ERRORS | _BUSY,
    openapi_extra=_form(_CODE),
)
async def token(request: Request, provider: Provider) -> Response:
    """Exchange a code, once, or a refresh token, once, for tokens."""
    return await _answered(request, partial(provider.token, address=address_of(request)))


@router.post(
    "/oauth2/revoke",
    response_class=JSONResponse,
    responses={**_ERRORS, 200: {"content": {"application/json": {"schema": {"type": "object"}, "example": {}}}}},
    openapi_extra=_form({"token": "for_(64 hexadecimal digits)"}),
)
async def revoke(request: Request, provider: Provider) -> Response:
    """Make a token worthless; a refresh token takes along all that came of its login (RFC 7009)."""
    return await _answered(request, provider.revoke)


@router.get("/oauth2/userinfo", response_model=UserinfoAnswer)
@router.post("/oauth2/userinfo", response_model=UserinfoAnswer)
async def userinfo(request: Request, provider: Provider) -> Response:
    """Who the person is, for an access token in the Authorization header, or posted as `access_token`."""
    try:
        held = await _access_token(request)
        return JSONResponse(await run_in_threadpool(provider.userinfo, held))
    except NotAuthenticated as error:
        told = problem_of(request, error)
        if "authorization" in request.headers:
            told.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        return told


async def _access_token(request: Request) -> str:
    posted = request.method == "POST" and request.headers.get("content-type", "").startswith(FORM)
    if posted and "authorization" not in request.headers:
        found = (await form_of(request)).get("access_token")
        if found is not None:
            return found
    return bearer(request, "Send the access token as: Authorization: Bearer foa_…")


async def _answered(request: Request, act: Any) -> Response:
    try:
        parameters = await form_of(request)
    except InvalidRequest as error:
        return _json(Answered(400, {"error": "invalid_request", "error_description": str(error)}, {}))
    asked = Asked("POST", parameters, request.headers.get("authorization"))
    answered: Answered = await run_in_threadpool(act, asked)
    return _json(answered)


def _json(answered: Answered) -> Response:
    kept = {"WWW-Authenticate", "Cache-Control", "Pragma", "Retry-After"}
    headers = {name: value for name, value in answered.headers.items() if name in kept}
    return JSONResponse(dict(answered.body), answered.status, headers)
