"""The service of the API's tests, listening on a real port, and a browser to look at it."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Error, sync_playwright

from tests.api.conftest import Service, clock, installation, made_once, service, settings

__all__ = ["clock", "installation", "made_once", "service", "settings"]

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture
def address(service: Service) -> Iterator[str]:
    """The address of the service under test."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(service.http.app, log_config=None, access_log=False, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listening.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless, with a camera that shows a test picture."""
    if not CHROMIUM.is_file():
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(
                executable_path=str(CHROMIUM),
                args=["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
            )
        except Error as error:
            pytest.skip(f"Chromium does not start here: {error.message.splitlines()[0]}")
        yield started
        started.close()
