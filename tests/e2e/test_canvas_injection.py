"""Frames injected through the page itself: a script hands it a canvas in place of the camera, as attackers do."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser

from faceauth.simulate.surface import Subject
from tests.e2e.cameras import bursts
from tests.e2e.conftest import People, Server
from tests.e2e.test_in_a_browser import TRIES, agreed, before, link, outcome, start

pytestmark = pytest.mark.browser

__all__ = ["agreed"]  # the fixture

Burst = list[list[bytes]]
Film = Callable[[Subject, dict[str, Any]], Burst]


def inject(browser: Browser, server: Server, subject: Subject, film: Film) -> dict[str, Any]:
    """Log in with what `film` returns before the page; return the flow as the backend sees it."""
    with before(browser, subject, film) as (page, _):
        flow_id, address = link(server, "verify")
        page.goto(address)
        start(page)
        return outcome(page, server, flow_id)


def gates(server: Server) -> list[str]:
    """The gates that denied or could not tell, as the log names them."""
    lines = [json.loads(line) for line in server.log.read_text(encoding="utf-8").splitlines() if line[:1] == "{"]
    return [line["gate"] for line in lines if line.get("event") == "session.liveness"]


@pytest.mark.usefixtures("agreed")
def test_a_recording_of_a_login_that_was_accepted_is_known(
    browser: Browser, server: Server, people: People
) -> None:
    """R16: the canvas has compressed each frame again, so no byte is the same; what they look like is known."""
    recorded: list[Burst] = []

    def record(subject: Subject, challenge: dict[str, Any]) -> Burst:
        recorded.append(bursts(subject, challenge))
        return recorded[-1]

    views: list[dict[str, Any]] = []
    while not views or views[-1]["state"] != "accepted":
        assert len(views) < TRIES, (views, gates(server))
        views.append(inject(browser, server, people.anna, record))
    view = inject(browser, server, people.anna, lambda _subject, _challenge: recorded[-1])
    assert (view["state"], view["reason"], gates(server)[-1]) == ("denied", "injection", "replay")


@pytest.mark.usefixtures("agreed")
def test_a_face_that_obeys_but_shows_other_colours_is_denied(
    browser: Browser, server: Server, people: People
) -> None:
    """G4: the right person, the right motion, live, through a canvas that the screen's light does not reach."""

    def other_colours(subject: Subject, challenge: dict[str, Any]) -> Burst:
        steps = [dict(step) for step in challenge["steps"]]
        for step in steps:
            told = [one["rgb"] for one in step["colours"]]
            # The complement of each: the same moments, other light.
            step["colours"] = [
                {"rgb": f"#{0xFFFFFF - int(rgb[1:], 16):06x}", "ms": one["ms"]}
                for rgb, one in zip(told, step["colours"], strict=True)
            ]
        return bursts(subject, challenge | {"steps": steps})

    for _ in range(TRIES):
        view = inject(browser, server, people.anna, other_colours)
        assert view["state"] == "denied"
        if gates(server)[-1] == "flash":
            return
    raise AssertionError(f"never by the flash: {gates(server)}")
