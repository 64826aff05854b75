"""Which browser began a login: one cookie, for that alone, and the pages that the provider shows."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from faceauth.api.login_texts import TEXTS, language_of
from faceauth.api.routes.pages import FOLDER
from faceauth.installation import Installation
from faceauth.openid import Ask, Away, Capture, Step

COOKIE: Final = "faceauth-login"

GOOD: Final = ("logged_out", "nothing")
"""What is told without anything being wrong."""

_VALUE: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


def cookie_name(issuer: str) -> str:
    """Return the cookie's name: where there is TLS with `__Host-`, so that no other host can set it."""
    return f"__Host-{COOKIE}" if issuer.startswith("https://") else COOKIE


def browser_of(request: Request, here: Installation) -> str | None:
    """Return the value of the browser's cookie, or None if it has none of ours."""
    value = request.cookies.get(cookie_name(here.settings.issuer), "")
    return value if _VALUE.fullmatch(value) else None


def remember(response: Response, here: Installation, browser: str) -> None:
    """Let the browser keep the cookie while a login lasts. `Lax`: it comes along when the browser comes back."""
    response.set_cookie(
        cookie_name(here.settings.issuer),
        browser,
        max_age=here.settings.openid.login_s,
        path="/",
        secure=here.settings.issuer.startswith("https://"),
        httponly=True,
        samesite="lax",
    )


def shown(request: Request, step: Step, asked: Mapping[str, str], *, after_form: bool = False) -> Response:
    """Return a step of a login as a browser takes it.

    A browser refuses to be sent elsewhere by a form's answer, as the page's policy asks; then it is given a link.
    """
    if isinstance(step, Away) and not after_form:
        return RedirectResponse(step.location, 303)
    if isinstance(step, Capture):
        # Behind the # it stays in the browser: no server, proxy or log ever sees it.
        back = f"/oauth2/continue/{step.request_id}"
        where = f"/ui/capture#session={step.session_id}&token={step.client_token}&return={back}"
        return RedirectResponse(where, 303)
    language = language_of(request.headers.get("accept-language", ""), asked.get("ui_locales", ""))
    told = {"texts": TEXTS[language], "language": language}
    if isinstance(step, Ask):
        return HTMLResponse(_templates().get_template("login.html").render(told, step=step))
    why, location = ("request", step.location) if isinstance(step, Away) else (step.why, None)
    page = _templates().get_template("login_told.html").render(told, why=why, good=why in GOOD, location=location)
    if why == "busy":
        return HTMLResponse(page, 429, {"Retry-After": "60"})
    return HTMLResponse(page, 200 if why in GOOD else 400)


@cache
def _templates() -> Environment:
    return Environment(loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined)
