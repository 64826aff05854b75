"""The WebSocket of a session: frames in, steps and guidance out (docs/streaming.md)."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final, cast
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from faceauth.api.access import NO_TOKEN
from faceauth.api.problems import problem_of
from faceauth.api.streams import Live, Streams
from faceauth.errors import Denied, FaceauthError, NotAllowed, NotAuthenticated

log = structlog.get_logger(__name__)

router = APIRouter(tags=["device"])

PROTOCOL: Final = "faceauth.v1"
TOKEN_PROTOCOL: Final = "faceauth.token."  # noqa: S105  the prefix in front of one
"""A browser cannot set headers on a WebSocket, and an address ends up in logs: so the token is offered as a
subprotocol, which is never chosen."""

CLOSE: Final[Mapping[int, int]] = {503: 1013, 401: 4401, 403: 4403, 409: 4409}
"""The close code for an answer's status, for whoever is connected; RFC 6455 has 1013 as "try again later"."""

SEND_S: Final = 10.0
"""Seconds a device may take to receive one message before its connection is given up (own figure)."""


@router.websocket("/v1/sessions/{session_id}/stream")
async def stream(socket: WebSocket, session_id: str) -> None:
    """Connect a device to its session."""
    streams = cast("Streams", socket.app.state.streams)
    chosen = PROTOCOL if PROTOCOL in socket.scope.get("subprotocols", ()) else None
    try:
        _check_origin(socket, streams.origins)
        address = None if socket.client is None else socket.client.host
        live = await streams.attach(session_id, _token(socket), address=address)
    except FaceauthError as error:
        await _turn_away(socket, error)
        return
    try:
        await socket.accept(subprotocol=chosen)
        await _serve(socket, live)
    finally:
        streams.detach(live)


def _token(socket: WebSocket) -> str:
    """Return the client token, from the header or from the subprotocols.

    Raises:
        NotAuthenticated: there is none.
    """
    kind, _, credential = socket.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and credential.strip():
        return credential.strip()
    for offered in socket.scope.get("subprotocols", ()):
        if offered.startswith(TOKEN_PROTOCOL):
            return str(offered.removeprefix(TOKEN_PROTOCOL))
    raise NotAuthenticated(NO_TOKEN)


def _check_origin(socket: WebSocket, allowed: frozenset[str]) -> None:
    """Let in our own pages, those of the allow-list, and what is no page (R19): CORS does not cover WebSockets.

    Raises:
        NotAllowed: another page connects.
    """
    origin = socket.headers.get("origin")
    if origin is None or origin in allowed or urlsplit(origin).netloc == socket.headers.get("host"):
        return
    raise NotAllowed("Pages of this origin may not connect; CORS_ORIGINS names those that may.")


async def _turn_away(socket: WebSocket, error: FaceauthError) -> None:
    """Answer before the connection is accepted: an HTTP status where the server can, else a close code."""
    told = problem_of(socket, error)
    if "websocket.http.response" in socket.scope.get("extensions", {}):
        await socket.send_denial_response(told)
        return
    await socket.close(CLOSE.get(told.status_code, 1008))


async def _serve(socket: WebSocket, live: Live) -> None:
    """Take frames and send messages until the session is over or the device is gone."""
    tasks = {asyncio.create_task(_receive(socket, live)), asyncio.create_task(_send(socket, live))}
    for task in tasks:
        task.add_done_callback(_look_at)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    with suppress(RuntimeError, WebSocketDisconnect):  # the device may have closed first
        await socket.close(1000)


def _look_at(task: asyncio.Task[None]) -> None:
    """Note how a task ended: a connection that breaks is nothing to complain about, anything else is."""
    if task.cancelled():
        return
    error = task.exception()
    if error is not None and not isinstance(error, WebSocketDisconnect | TimeoutError | OSError):
        log.warning("stream.broken", error=type(error).__name__)


async def _receive(socket: WebSocket, live: Live) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        live.take(partial(_hand_over, live, message))


def _hand_over(live: Live, message: Mapping[str, Any]) -> None:
    if (text := message.get("text")) is not None:
        live.session.text(text)
    elif (data := message.get("bytes")) is not None:
        live.session.binary(data)
    else:
        raise Denied("injection", "An empty message.")


async def _send(socket: WebSocket, live: Live) -> None:
    """Send what is there; guidance that is out of date by then is not (see `StreamSession`)."""
    while True:
        await live.to_send.wait()
        live.to_send.clear()
        for message in live.session.take():
            text = json.dumps(message, separators=(",", ":"))
            await asyncio.wait_for(socket.send_text(text), SEND_S)
            if message["type"] == "done":
                return
