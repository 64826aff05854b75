"""Signing in and out, and the language of the pages."""

from typing import Literal

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from faceauth.api.access import Here
from faceauth.api.console.cookie import forget, keep
from faceauth.api.console.forms import Posted, fields_of, from_ourselves
from faceauth.api.console.shell import SIGN_IN, bare, led, router_at
from faceauth.api.console.texts import shell
from faceauth.api.console.visit import Signed
from faceauth.api.login_texts import language_of
from faceauth.api.problems import TABLE
from faceauth.console import Console
from faceauth.errors import FaceauthError, InvalidRequest, Locked, NotAllowed, NotAuthenticated
from faceauth.installation import Installation

router = router_at()

Lang = Literal["en", "zh"]


@router.get("/sign-in")
def show(request: Request, here: Here, lang: Lang | None = None, done: Literal["out"] | None = None) -> Response:
    """The page that begins a session."""
    language = lang or language_of(request.headers.get("accept-language", ""))
    return sign_in_page(here, language, why="done_out" if done else None)


@router.post("/sign-in")
async def sign_in(request: Request, here: Here) -> Response:
    """Check a key, once, and begin a session."""
    language = language_of(request.headers.get("accept-language", ""))
    try:
        from_ourselves(request)
        form = await fields_of(request)
        language = "zh" if form.get("language") == "zh" else "en"
        address = request.client.host if request.client else ""
        opened = await run_in_threadpool(
            Console.of(here).sign_in, form.get("key", ""), address=address, language=language
        )
    except (InvalidRequest, NotAuthenticated, NotAllowed, Locked) as error:
        return sign_in_page(here, language, why=error.code, refused=error)
    answer = led("")
    keep(answer, here, opened.token)
    return answer


@router.post("/sign-out")
def sign_out(visit: Signed, form: Posted) -> Response:  # noqa: ARG001  the form's token is checked
    """End the session."""
    Console.of(visit.here).sign_out(visit.token)
    answer = led("/sign-in", "out")
    forget(answer, visit.here)
    return answer


@router.post("/language")
def speak(visit: Signed, form: Posted) -> Response:
    """Change the language, and go on to the first page."""
    Console.of(visit.here).speak(visit.token, "zh" if form.get("language") == "zh" else "en")
    return led("")


def sign_in_page(
    here: Installation, language: str, *, why: str | None, refused: FaceauthError | None = None
) -> Response:
    """Return the page that begins a session, with what it has to say: `why` names one of its words."""
    status = 200 if refused is None else TABLE[type(refused)][0]
    settings = here.settings.console
    return bare(
        "sign_in.html",
        shell.SIGN_IN,
        language=language,
        status=status,
        why=why,
        wrong=refused is not None,
        action=SIGN_IN,
        other="en" if language == "zh" else "zh",
        idle=settings.idle_minutes,
        longest=settings.longest_hours,
        provider=bool(settings.openid.issuer),
    )
