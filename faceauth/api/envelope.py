"""What goes around every request: an id, a limit on its size, headers on its answer, a line in the log, a count.

Written as plain ASGI, outermost, so that an error nobody foresaw is answered here too, with the same headers.
"""

import re
from collections.abc import Callable
from secrets import token_hex
from time import perf_counter
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from faceauth.api.metrics import Metrics
from faceauth.api.problems import INTERNAL_DETAIL, problem

log = structlog.get_logger(__name__)

REQUEST_ID: Final = "X-Request-Id"
BODY_BYTES: Final = 1_048_576
"""Bytes of a body that is not a post of frames: notices are the longest (own figure)."""

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FORM_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""For the OpenID provider's pages: one form, no script."""

CONSOLE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""For the console: its own forms and scripts, no camera."""

ANSWER_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

Dress = Callable[[MutableHeaders], None]
Note = Callable[[int], None]

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})

_GIVEN_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)


class Envelope:
    """The outermost layer.

    Args:
        app: What answers.
        metrics: Where answers are counted.
        https: Whether the service's own address is https, so that browsers may be told to insist on it.
        is_upload: Says by its path whether a request is a post of frames, which has limits of its own.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, https: bool, is_upload: Callable[[str], bool]) -> None:
        self._app = app
        self._metrics = metrics
        self._https = https
        self._is_upload = is_upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        began = perf_counter()

        def dress(headers: MutableHeaders) -> None:
            self._dress(headers, scope["path"], request_id)

        def note(status: int) -> None:
            self._record(scope, status, perf_counter() - began)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            if scope["type"] == "websocket":
                await self._app(scope, receive, _handshake(send, dress, note))
                return
            answer = _Answer(send, dress)
            await self._guarded(scope, receive, answer, request_id)
            note(answer.status)

    async def _guarded(self, scope: Scope, receive: Receive, answer: "_Answer", request_id: str) -> None:
        limited = receive if self._is_upload(scope["path"]) else _limited(receive, scope)
        try:
            await self._app(scope, limited, answer)
        except Exception:
            log.exception("request.unhandled")
            if not answer.started:
                failed = problem(request_id, 500, "internal", "Something failed inside", INTERNAL_DETAIL)
                await failed(scope, receive, answer)

    def _dress(self, headers: MutableHeaders, path: str, request_id: str) -> None:
        headers[REQUEST_ID] = request_id
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Content-Security-Policy"] = _policy(path)
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()"
        headers["Cache-Control"] = "no-cache" if path.startswith("/ui/static/") else "no-store"
        if self._https:
            headers["Strict-Transport-Security"] = "max-age=31536000"

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope.get("method", "GET")  # a WebSocket begins as a GET
        method = method if method in METHODS else "OTHER"
        route = getattr(scope.get("route"), "path", None) or (
            "/ui" if scope["path"].startswith("/ui/") else "none"
        )
        self._metrics.answered(method, route, status, seconds)
        # The template and not the path: paths name accounts and sessions.
        log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000))


class _Answer:
    """Sends, and dresses the headers on the way."""

    def __init__(self, send: Send, dress: Dress) -> None:
        self._send = send
        self._dress = dress
        self.status = 500
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            self._dress(MutableHeaders(scope=message))
        await self._send(message)


def _handshake(send: Send, dress: Dress, note: Note) -> Send:
    """Return what sends a WebSocket's messages, and notes how it began: let in, or turned away."""

    async def answer(message: Message) -> None:
        if message["type"] == "websocket.accept":
            note(101)
        elif message["type"] == "websocket.http.response.start":
            dress(MutableHeaders(scope=message))
            note(message["status"])
        await send(message)

    return answer


def _policy(path: str) -> str:
    if path.startswith("/oauth2/"):
        return FORM_POLICY
    if path == "/ui/admin" or path.startswith("/ui/admin/"):
        return CONSOLE_POLICY
    return PAGE_POLICY if path.startswith("/ui/") else ANSWER_POLICY


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get(REQUEST_ID, "")
    return given if _GIVEN_ID.fullmatch(given) else f"req_{token_hex(8)}"


def _limited(receive: Receive, scope: Scope) -> Receive:
    announced = Headers(scope=scope).get("content-length", "0")
    too_long = not (announced.isascii() and announced.isdigit()) or len(announced) > 18
    too_long = too_long or int(announced) > BODY_BYTES
    received = 0

    async def limited() -> Message:
        nonlocal received
        if too_long:
            raise HTTPException(413, f"A body may have {BODY_BYTES} bytes.")
        message = await receive()
        received += len(message.get("body", b""))
        if received > BODY_BYTES:
            raise HTTPException(413, f"A body may have {BODY_BYTES} bytes.")
        return message

    return limited
