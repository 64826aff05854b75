"""What every page of the console shares: its frame, its errors, and where a form leads to."""

import json
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any, Final, cast

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from jinja2 import Environment
from starlette.responses import HTMLResponse, RedirectResponse, Response

from faceauth.api.access import installation_of
from faceauth.api.console.cookie import PATH, forget
from faceauth.api.console.menu import menu_of
from faceauth.api.console.texts import Words, spoken
from faceauth.api.console.texts.shell import SHELL
from faceauth.api.console.visit import NotSignedIn, Visit, form_token
from faceauth.api.login_texts import language_of
from faceauth.api.problems import problem_of
from faceauth.api.routes.pages import templates
from faceauth.errors import FaceauthError, InvalidRequest

SIGN_IN: Final = f"{PATH}/sign-in"


def page(
    visit: Visit,
    template: str,
    words: Words,
    *,
    current: str,
    status: int = 200,
    error: FaceauthError | None = None,
    **told: Any,
) -> HTMLResponse:
    """Return a page in the console's frame.

    Args:
        visit: Who asks for it.
        template: A file in `templates/console/`, which extends `console/frame.html`.
        words: The page's own words; `t.<name>` in the template says them. `title` has to be among them.
        current: The entry of the menu that it belongs to.
        status: The answer's status.
        error: What went wrong, told above the content; `status` is then the error's own.
        told: What else the template names.
    """
    if error is not None:
        status, failed = _failed(visit.request, error)
        told["failed"] = failed["detail"]
    t = spoken(visit.language, SHELL, words)
    done = visit.request.query_params.get("done", "")
    frame = {
        "t": t,
        "language": visit.language,
        "visit": visit,
        "form_token": form_token(visit.token),
        "menu": menu_of(visit),
        "current": current,
        "done": t.get(f"done_{done}"),
        "failed": None,
    }
    return HTMLResponse(_templates().get_template(f"console/{template}").render(frame | told), status)


def fragment(visit: Visit, template: str, words: Words, **told: Any) -> HTMLResponse:
    """Return a part of a page, which the page puts in its place by itself."""
    frame = {"t": spoken(visit.language, SHELL, words), "language": visit.language, "visit": visit}
    return HTMLResponse(_templates().get_template(f"console/{template}").render(frame | told))


def bare(template: str, words: Words, *, language: str, status: int = 200, **told: Any) -> Response:
    """Return a page for somebody who is not signed in."""
    frame = {"t": spoken(language, SHELL, words), "language": language, "failed": None, "done": None}
    return HTMLResponse(_templates().get_template(f"console/{template}").render(frame | told), status)


def led(path: str, done: str = "") -> RedirectResponse:
    """Lead to a page after a form was acted on; `done` names what it says: `done_<name>` of its words."""
    return RedirectResponse(f"{PATH}{path}{f'?done={done}' if done else ''}", 303)


class ConsoleRoute(APIRoute):
    """A route whose errors are pages, and which sends whoever is not signed in to the page for that."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with what it raises taken care of."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except NotSignedIn:
                away = RedirectResponse(SIGN_IN, 303)
                forget(away, installation_of(request))
                return away
            except FaceauthError as error:
                return _error_page(request, error)
            except RequestValidationError:
                return _error_page(request, InvalidRequest("There is no such page."))

        return handled


def router_at(prefix: str = "") -> APIRouter:
    """Return a router for pages of the console."""
    return APIRouter(prefix=PATH + prefix, include_in_schema=False, route_class=ConsoleRoute)


def _error_page(request: Request, error: FaceauthError) -> Response:
    status, failed = _failed(request, error)
    title = {"title": (failed["title"], failed["title"])}
    if status in {403, 404}:
        title = {"title": SHELL[f"status_{status}"]}
    visit: Visit | None = getattr(request.state, "visit", None)
    if visit is None:
        language = language_of(request.headers.get("accept-language", ""))
        return bare("failed.html", title, language=language, status=status, detail=failed["detail"])
    return page(visit, "error.html", title, current="", status=status, detail=failed["detail"])


def _failed(request: Request, error: FaceauthError) -> tuple[int, Mapping[str, str]]:
    """Return the status and the problem document: the same as over HTTP, so that nothing inside is told."""
    answer = problem_of(request, error)
    return answer.status_code, cast("Mapping[str, str]", json.loads(bytes(answer.body)))


def _templates() -> Environment:
    found = templates()
    found.filters.setdefault("at", _at)
    return found


def _at(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M}"
