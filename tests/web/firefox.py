"""Firefox, spoken to by WebDriver BiDi: no driver between, and nothing to install but the browser itself."""

import itertools
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

NAMES = ("firefox", "firefox-esr")

PREFERENCES = {
    # A moving picture made by Firefox itself, in place of a camera.
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "remote.active-protocols": 1,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "intl.accept_languages": "en-GB",
}

FIND = """const find = (what, where = document) => where.querySelector(what)
    ?? [...where.querySelectorAll('*')].map((one) => one.shadowRoot && find(what, one.shadowRoot)).find(Boolean);
"""
"""Looks into the components too."""

WAIT_S = 30
"""For anything the browser is asked."""


class Firefox:
    """One window of a running Firefox."""

    def __init__(self, socket_: ClientConnection) -> None:
        self._socket = socket_
        self._numbers = itertools.count(1)
        self.complaints: list[str] = []
        self.call("session.new", capabilities={})
        self.call("session.subscribe", events=["log.entryAdded"])
        (window, *_) = self.call("browsingContext.getTree")["contexts"]
        self._window = window["context"]

    def call(self, method: str, **parameters: Any) -> Any:
        """Send one command and return its result; what the pages complain about meanwhile is kept."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            told = json.loads(self._socket.recv(timeout=WAIT_S))
            if told.get("method") == "log.entryAdded" and told["params"]["level"] == "error":
                self.complaints.append(told["params"]["text"])
            elif told.get("id") == number:
                if told["type"] == "error":
                    raise AssertionError(f"{method}: {told['error']}: {told['message']}")
                return told["result"]

    def open(self, address: str) -> None:
        """Go there."""
        self.call("browsingContext.navigate", context=self._window, url=address, wait="complete")

    def run(self, script: str) -> Any:
        """Return what an expression is worth; `find(selector)` in it looks into components too."""
        told = self.call(
            "script.evaluate",
            expression=f"(async () => {{ {FIND} return JSON.stringify(await ({script})); }})()",
            target={"context": self._window},
            awaitPromise=True,
        )
        assert told["type"] == "success", told
        return json.loads(told["result"]["value"]) if "value" in told["result"] else None

    def until(self, script: str) -> Any:
        """Ask again until the expression is worth something, and return that."""
        end = time.monotonic() + WAIT_S
        while not (found := self.run(script)):
            assert time.monotonic() < end, f"{script} never came true; the page says: {self.complaints}"
            time.sleep(0.05)
        return found

    def click(self, selector: str) -> None:
        """Click as a person does: in the middle of what can be seen."""
        place = self.run(
            f"(() => {{ const one = find({json.dumps(selector)}); one.scrollIntoView({{block: 'center'}});"
            " const box = one.getBoundingClientRect();"
            " return [box.left + box.width / 2, box.top + box.height / 2]; })()"
        )
        x, y = (round(value) for value in place)
        self.call(
            "input.performActions",
            context=self._window,
            actions=[
                {
                    "type": "pointer",
                    "id": "mouse",
                    "actions": [
                        {"type": "pointerMove", "x": x, "y": y},
                        {"type": "pointerDown", "button": 0},
                        {"type": "pointerUp", "button": 0},
                    ],
                }
            ],
        )


@contextmanager
def firefox(folder: Path) -> Iterator[Firefox]:
    """Start Firefox without a screen, with a profile of its own in `folder`; skip where there is none."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("there is no Firefox here")
    values = (f'user_pref("{name}", {json.dumps(value)});' for name, value in PREFERENCES.items())
    (folder / "user.js").write_text("\n".join(values), encoding="utf-8")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            [program, "--headless", "--profile", str(folder), "--remote-debugging-port", str(port), "about:blank"],
            stdout=log,
            stderr=log,
            env=os.environ | {"HOME": str(folder), "MOZ_HEADLESS_WIDTH": "390", "MOZ_HEADLESS_HEIGHT": "844"},
        ) as process,
    ):
        try:
            with _connected(port) as open_socket:
                yield Firefox(open_socket)
        finally:
            process.terminate()


def _connected(port: int) -> ClientConnection:
    end = time.monotonic() + WAIT_S
    while True:
        try:
            return connect(f"ws://127.0.0.1:{port}/session", max_size=None)
        except (OSError, WebSocketException):
            assert time.monotonic() < end, "Firefox does not answer"
            time.sleep(0.1)
