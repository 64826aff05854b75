"""`faceauth serve`: the service and its pages, one process."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer
import uvicorn

from faceauth.api.app import create_app
from faceauth.api.logging import configure_logging
from faceauth.cli import passive
from faceauth.cli.beside import beside
from faceauth.cli.console import fail, progress_bar
from faceauth.errors import FaceauthError
from faceauth.installation import Installation, open_installation
from faceauth.settings import load_settings

GRACE_S: Final = 10
"""Seconds that running requests may take to end when the service is told to stop."""

PING_S: Final = 5.0
"""A device that does not answer for so long has lost its connection, and may come back (own figure)."""

WAITING: Final = 4
"""Messages of one device that wait in the server before its sending is slowed down (own figure)."""


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 for any free one.")] = 8000,
) -> None:
    """Check keyring, databases and models, and serve until told to stop; `readyz` waits for the index."""
    settings = load_settings()
    configure_logging()
    installation = open_installation(settings, fill=False)
    try:
        listening = _listen(host, port)
        with listening:
            passive.warn(installation)
            config = uvicorn.Config(
                create_app(installation),
                # Our own log lines name routes and no people; uvicorn's would name paths.
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws="websockets-sansio",
                # One frame is one message. Frames are JPEG: compressing them again only costs.
                ws_max_size=settings.capture.max_frame_bytes + 1,
                ws_max_queue=WAITING,
                ws_per_message_deflate=False,
                ws_ping_interval=PING_S,
                ws_ping_timeout=PING_S,
                timeout_graceful_shutdown=GRACE_S,
            )
            address, bound = listening.getsockname()[:2]
            shown = f"[{address}]" if ":" in address else address
            # The log goes to the error stream, one JSON object a line; these lines are for people and scripts.
            typer.echo(f"Serving on http://{shown}:{bound}. Stop with Ctrl-C.")
            if found := issuer_elsewhere(settings.issuer, bound):
                typer.echo(found)
            server = uvicorn.Server(config)
            with _filling(installation, server), beside(installation):
                server.run(sockets=[listening])
    finally:
        installation.close()


def issuer_elsewhere(issuer: str, port: int) -> str | None:
    """Say that links lead to another port of this machine; an address of elsewhere is a proxy's before us."""
    named = urlsplit(issuer)
    if named.hostname not in {"127.0.0.1", "::1", "localhost"} or named.port == port:
        return None
    return f"Links and tokens name {issuer}, and this is port {port}. FACEAUTH_ISSUER sets what they name."


@contextmanager
def _filling(installation: Installation, server: uvicorn.Server) -> Iterator[None]:
    """Fill the index while the service answers already; if that fails, the service ends with what is wrong."""
    failed: list[FaceauthError] = []

    def fill() -> None:
        try:
            with progress_bar() as show:
                installation.filling.run(lambda done, of: show("filling the index", done, of))
        except FaceauthError as error:
            failed.append(error)
            server.should_exit = True

    thread = Thread(target=fill, name="filling")
    thread.start()
    try:
        yield
    finally:
        installation.filling.stop()
        thread.join()
    if failed:
        raise failed[0]


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything is promised, so that a taken one is told in one line."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        # Python puts the address behind what the system says. Errors of names are not the system's: below 0.
        number = error.errno or 0
        why = os.strerror(number) if number > 0 else error.strerror or error
        fail(f"Cannot listen on {host}:{port} ({why}). Choose another with --host and --port.")
