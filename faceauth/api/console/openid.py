"""Signing in to the console through another OpenID provider: there, and back."""

from typing import Annotated, Literal

from fastapi import Query, Request
from starlette.responses import RedirectResponse, Response

from faceauth.api.access import Here
from faceauth.api.console.cookie import browser_of, keep, keep_for_provider
from faceauth.api.console.shell import bare, router_at
from faceauth.api.console.sign_in import sign_in_page
from faceauth.api.console.texts import shell
from faceauth.api.login_texts import language_of
from faceauth.console_openid import ConsoleOpenId
from faceauth.errors import Locked, NotAllowed, NotAuthenticated

router = router_at("/openid")

Told = Annotated[str, Query(max_length=2000)]


@router.get("")
def begin(request: Request, here: Here, lang: Literal["en", "zh"] | None = None) -> Response:
    """Send the browser to the provider."""
    language = lang or language_of(request.headers.get("accept-language", ""))
    try:
        sent = ConsoleOpenId.of(here).begin(language=language)
    except (NotAuthenticated, Locked) as error:
        return sign_in_page(here, language, why="openid_failed", refused=error)
    answer = RedirectResponse(sent.address, 303)
    keep_for_provider(answer, here, sent.browser)
    return answer


@router.get("/back")
def back(request: Request, here: Here, state: Told = "", code: Told = "") -> Response:
    """Let in whom the provider names.

    A page and not a redirect: the provider led here, so the browser would not send the new cookie along.
    """
    language = language_of(request.headers.get("accept-language", ""))
    try:
        opened = ConsoleOpenId.of(here).finish(state=state, code=code, browser=browser_of(request, here))
    except NotAuthenticated as error:
        return sign_in_page(here, language, why="openid_failed", refused=error)
    except NotAllowed as error:
        return sign_in_page(here, language, why="openid_no_role", refused=error)
    answer = bare("back.html", shell.SIGN_IN, language=language)
    keep(answer, here, opened.token)
    return answer
