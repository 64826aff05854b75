"""WebKitGTK, Safari's engine on Linux, by its own WebDriver: Debian's webkit2gtk-driver and xvfb."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.web.firefox import FIND, WAIT_S

PROGRAMS = Path("/usr/lib")

SCRIPT = """const done = arguments[arguments.length - 1]; %s
(async () => JSON.stringify(await (%s)))().then((worth) => done({worth}), (error) => done({error: String(error)}));
"""


class WebKit:
    """One window of WebKitGTK's small browser."""

    def __init__(self, http: httpx.Client, browser: Path) -> None:
        self._http = http
        self.complaints: list[str] = []
        options = {
            "binary": str(browser),
            # A moving picture made by WebKit itself, in place of a camera.
            "args": ["--automation", "--enable-media-stream=true", "--enable-mock-capture-devices=true"],
        }
        wanted = {"browserName": "MiniBrowser", "webkitgtk:browserOptions": options}
        self._session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._http.request(method, path, json=body)
        value = answer.json()["value"]
        assert answer.status_code == 200, value
        return value

    def open(self, address: str) -> None:
        """Go there."""
        self._call("POST", f"/session/{self._session}/url", {"url": address})

    def run(self, script: str) -> Any:
        """Return what an expression is worth; `find(selector)` in it looks into components too."""
        body = {"script": SCRIPT % (FIND, script), "args": []}
        told = self._call("POST", f"/session/{self._session}/execute/async", body)
        assert "error" not in told, told["error"]
        return json.loads(told["worth"]) if told.get("worth") is not None else None

    def until(self, script: str) -> Any:
        """Ask again until the expression is worth something, and return that."""
        end = time.monotonic() + WAIT_S
        while not (found := self.run(script)):
            assert time.monotonic() < end, f"{script} never came true"
            time.sleep(0.05)
        return found

    def click(self, selector: str) -> None:
        """Click as a person does."""
        (element,) = self._call(
            "POST",
            f"/session/{self._session}/execute/sync",
            {"script": f"{FIND} return find({json.dumps(selector)})", "args": []},
        ).values()
        self._call("POST", f"/session/{self._session}/element/{element}/click", {})


@contextmanager
def webkit(folder: Path) -> Iterator[WebKit]:
    """Start WebKitGTK on a screen that nobody sees; skip where there is none."""
    driver, screen = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    browser = next(PROGRAMS.glob("*/webkit2gtk-*/MiniBrowser"), None)
    if driver is None or screen is None or browser is None:
        pytest.skip("there is no WebKitGTK here: webkit2gtk-driver and xvfb")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    with ExitStack() as stack:
        size = ["-screen", "0", "800x900x24"]
        shown = stack.enter_context(_started([screen, "-displayfd", "1", *size], dict(os.environ)))
        assert shown.stdout is not None
        number = shown.stdout.readline().decode().strip()
        here = {"DISPLAY": f":{number}", "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
        if os.geteuid() == 0:
            # Its sandbox does not start for root, as whom tests in a container run; the pages are our own.
            here["WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS"] = "1"
        stack.enter_context(_started([driver, f"--port={port}"], os.environ | here))
        http = stack.enter_context(
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=WAIT_S, trust_env=False)
        )
        _answers(http)
        yield WebKit(http, browser)


@contextmanager
def _started(command: list[str], environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()


def _answers(http: httpx.Client) -> None:
    end = time.monotonic() + WAIT_S
    while True:
        try:
            http.get("/status")
        except httpx.TransportError:
            assert time.monotonic() < end, "WebKitGTK's driver does not answer"
            time.sleep(0.1)
        else:
            return
