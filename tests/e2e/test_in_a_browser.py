"""The capture page in a browser, before the real service: a simulated face logs in, a print does not."""

import dataclasses
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from faceauth.simulate import simulate_session
from faceauth.simulate.surface import Subject
from tests.e2e.conftest import SEEDS, People, Server, challenge_of, stand_before

pytestmark = pytest.mark.browser

CAMERA = Path(__file__).with_name("fake_camera.js").read_text(encoding="utf-8")
FPS = 15
NO_STREAM = "window.WebSocket = class { constructor() { setTimeout(() => this.onerror(), 0); } };"
"""Streamed steps are told one by one, and this camera must know them all: so the page has to post its frames."""

SHOWN_MS = 700
"""How much longer than asked the page shows a step; the simulated person goes on a little longer still."""


def capture(page: Page, server: Server, subject: Subject) -> dict[str, Any]:
    """Go through the page with `subject` before the camera; return what the backend learns."""
    opened = server.open("verify", "dora").json()
    challenge = challenge_of(opened)
    steps = tuple(
        dataclasses.replace(step, min_ms=max(1200, step.min_ms + SHOWN_MS) + 300) for step in challenge.steps
    )
    frames = simulate_session(
        subject, dataclasses.replace(challenge, steps=steps), seed=next(SEEDS), fps=FPS, mild=True
    )
    bursts = [[b64encode(one.jpeg).decode() for one in frames if one.step == step.id] for step in steps]
    page.add_init_script(NO_STREAM)
    page.add_init_script(f"{CAMERA.strip()}({json.dumps(bursts)}, {1000 / FPS});")
    page.goto(opened["capture_url"].replace("http://127.0.0.1:8000", server.address))
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator("#start, #hints li").first).to_be_hidden()
    expect(page.locator("#say:not([data-kind=''])")).to_be_visible(timeout=60_000)
    view: dict[str, Any] = server.call("GET", f"/v1/sessions/{opened['session_id']}").json()
    return view | {"said": page.locator("#say").inner_text()}


def test_a_face_logs_in_and_a_print_does_not(browser: Browser, server: Server, people: People) -> None:
    server.consent("dora")
    assert stand_before(server, "enrol", "dora", people.anna).view["state"] == "accepted"
    for subject, state, said in (
        (people.anna, "accepted", "Done. You can go back to the app."),
        (people.printed, "denied", "That did not work. Please log in another way."),
    ):
        context = browser.new_context(locale="en-GB", viewport={"width": 480, "height": 800})
        view = capture(context.new_page(), server, subject)
        context.close()
        assert (view["state"], view["said"]) == (state, said), view
