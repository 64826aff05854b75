"""The service of the API's tests, listening on a real port, and what the pages' tests share."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from tests.api.conftest import Service, clock, installation, made_once, service, settings
from tests.conftest import PATIENCE_MS, PICTURES

__all__ = ["clock", "installation", "made_once", "service", "settings"]

WIDTHS = {390: 844, 1280: 800}
"""Of a phone and of a desktop, with their heights, in CSS pixels."""

NOTES = ("Failed to load resource", "WebSocket connection to")
"""The browser itself notes every answer above 399, and a server without WebSockets; neither is a fault."""

COMPLAINTS: dict[Page, list[str]] = {}
"""What the pages that are open now complained about."""


@contextmanager
def listening(app: Any, *, ws: Any = "none", lifespan: Any = "off") -> Iterator[str]:
    """Serve an app on a free port, and give its address."""
    port = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan=lifespan, ws=ws)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [port]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        port.close()


@pytest.fixture
def address(service: Service) -> Iterator[str]:
    """The address of the service under test; it has no WebSocket, so pages post."""
    with listening(service.app) as here:
        yield here


@contextmanager
def visited(browser: Browser, **how: Any) -> Iterator[Page]:
    """Open a page in English with a camera; whatever it complains about on the console fails the test."""
    how = {"locale": "en-GB", "permissions": ["camera"], "viewport": {"width": 390, "height": 844}} | how
    context: BrowserContext = browser.new_context(**how)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    complaints = COMPLAINTS[page] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield page
    finally:
        context.close()
        del COMPLAINTS[page]
    assert [one for one in complaints if not any(note in one for note in NOTES)] == []


def with_passkeys(page: Page) -> None:
    """Give a page an authenticator of Chromium's making, whose person is there and says yes."""
    virtual = page.context.new_cdp_session(page)
    virtual.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    virtual.send("WebAuthn.addVirtualAuthenticator", {"options": options})


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with visited(browser) as opened:
        yield opened


@pytest.fixture
def looked() -> Callable[[Page, str], None]:
    """Give a function that keeps pictures of a page at both widths and asks axe about it."""

    def look(page: Page, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width}"
            page.screenshot(path=PICTURES / f"{name}-{width}.png", full_page=True)
        before = len(COMPLAINTS[page])
        found = Axe().run(page).response["violations"]
        page.evaluate("new Promise((done) => setTimeout(done))")
        del COMPLAINTS[page][before:]  # axe brings styles of its own, which the page's policy keeps out
        serious = [one["id"] for one in found if one["impact"] in {"serious", "critical"}]
        assert serious == [], [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found]

    return look
