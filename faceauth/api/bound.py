"""A session that a browser opened for an OpenID client is captured by that browser and by no other.

Otherwise whoever begins a login for somebody else could pass the capture's address on, and be logged in by the
face of whoever follows it. Plain ASGI, because posts and the WebSocket alike pass here.
"""

import hmac
import re
from collections.abc import Callable, Mapping
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from faceauth.api.problems import problem_of
from faceauth.bearer import digest_of
from faceauth.errors import FaceauthError, NotAuthenticated

_DEVICE: Final = re.compile(r"/v1/sessions/(fs_[0-9a-f]{32})/(?:frames|stream|challenge|cancel)")
_NOT_HERE: Final = 4401
"""The WebSocket's close code for a token that opens nothing, as docs/streaming.md has it."""


class Bound:
    """Turns away devices whose cookie is not that of the browser their session was opened for.

    Args:
        app: What answers.
        browser_of: Returns, for a session's id, the SHA-256 of that browser's cookie; None for all others.
        cookie: The cookie's name.
    """

    def __init__(self, app: ASGIApp, *, browser_of: Callable[[str], bytes | None], cookie: str) -> None:
        self._app = app
        self._browser_of = browser_of
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or say that its token opens nothing: what it would open is nobody's business."""
        found = _DEVICE.fullmatch(scope["path"]) if scope["type"] in {"http", "websocket"} else None
        error = None if found is None else await self._refusal(found[1], HTTPConnection(scope).cookies)
        if error is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": _NOT_HERE})
        else:
            await problem_of(HTTPConnection(scope), error)(scope, receive, send)

    async def _refusal(self, session_id: str, cookies: Mapping[str, str]) -> FaceauthError | None:
        try:
            expected = await run_in_threadpool(self._browser_of, session_id)
        except FaceauthError as error:
            return error
        if expected is None or hmac.compare_digest(digest_of(cookies.get(self._cookie, "")), expected):
            return None
        return NotAuthenticated("This token opens no session. Ask the application for a new one.")
