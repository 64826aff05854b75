"""The pages in a browser, before the real service: a face gets in; a print and an injected canvas do not."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserType, Page, expect

from faceauth.simulate.surface import Subject
from tests.conftest import CAMERA_FLAGS, CHROMIUM, PICTURES
from tests.e2e.cameras import FPS, bursts, for_script, write_film
from tests.e2e.conftest import People, Server

pytestmark = pytest.mark.browser

CAMERA = Path(__file__).with_name("fake_camera.js").read_text(encoding="utf-8")
NO_STREAM = "window.WebSocket = class { constructor() { setTimeout(() => this.onerror(), 0); } };"
"""Streamed steps are told one by one, and these cameras must know them all: so the page has to post its frames."""
CLICKS = "window.clicks = 0; addEventListener('click', (event) => event.isTrusted && window.clicks++, true);"
OVER = "#say[data-kind='good'], #say[data-kind='bad']"
TRIES = 3
"""Liveness says no to some, and people try again; what it says how often is measured elsewhere."""


Burst = list[list[bytes]]
"""The JPEGs of each step of a challenge."""

Film = Callable[[Subject, dict[str, Any]], Burst]


class Login(NamedTuple):
    """A login as it went: the flow as the backend sees it, and the frames before the camera."""

    view: dict[str, Any]
    burst: Burst


@contextmanager
def before(browser: Browser, subject: Subject, film: Film = bursts) -> Iterator[tuple[Page, list[float]]]:
    """Open a page with `subject` before its camera, and a list of the seconds that rendering them took."""
    context = browser.new_context(locale="en-GB", viewport={"width": 390, "height": 844})
    page = context.new_page()
    rendering: list[float] = []

    def render(challenge: dict[str, Any]) -> list[list[str]]:
        began = time.perf_counter()
        found = for_script(film(subject, challenge))
        rendering.append(time.perf_counter() - began)
        return found

    page.expose_function("render", render)
    page.add_init_script(NO_STREAM)
    page.add_init_script(CLICKS)
    page.add_init_script(f"{CAMERA.strip()}({1000 / FPS});")
    try:
        yield page, rendering
    finally:
        context.close()


def link(server: Server, purpose: str) -> tuple[str, str]:
    """Mint a flow for Dora; returns its id and its link on this server."""
    body = {"account_id": "dora", "scenario": "login", "purpose": purpose, "return_url": "com.example.shop:/done"}
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    minted = server.call("POST", "/v1/flows", json={**body, "reauthenticated_at": now}).json()
    server.secrets.append(minted["flow_url"].partition("token=")[2])
    return minted["flow_id"], f"{server.address}/ui/capture#{minted['flow_url'].partition('#')[2]}"


def start(page: Page) -> None:
    button = page.get_by_role("button", name="Start the camera")
    expect(button).to_be_enabled()
    button.click()


def outcome(page: Page, server: Server, flow_id: str) -> dict[str, Any]:
    """Wait for the end, and return the flow as the backend sees it, with what the person was told."""
    again = page.get_by_role("button", name="Try again")
    for _ in range(TRIES):
        expect(page.locator(OVER).or_(again)).to_be_visible(timeout=60_000)
        if not again.is_visible():
            break
        again.click()  # a gate could not tell, and asks for one more step
        expect(again).to_be_hidden(timeout=60_000)  # it stays until the camera has begun
    view: dict[str, Any] = server.call("GET", f"/v1/flows/{flow_id}").json()
    return view | {"said": page.locator("#say").inner_text()}


def enrol(browser: Browser, server: Server, subject: Subject) -> tuple[int, float]:
    """Agree and enrol through the hosted flow; returns the clicks, and the seconds from the act to the end."""
    for _ in range(TRIES):
        with before(browser, subject) as (page, rendering):
            flow_id, address = link(server, "enrol")
            page.goto(address)
            expect(page.locator("h1")).not_to_have_text("faceauth")
            expect(page.locator("#notice:visible, #start:visible").first).to_be_visible()
            if page.locator("#notice").is_visible():
                page.get_by_role("checkbox", name=re.compile("I have read this")).check()
                page.get_by_role("button", name="I agree").click()
            began = time.perf_counter()
            start(page)
            view = outcome(page, server, flow_id)
            seconds = time.perf_counter() - began - sum(rendering)
            clicks = int(page.evaluate("window.clicks"))
        if view["state"] == "accepted":
            return clicks, seconds
        assert view["reason"] == "liveness"
    raise AssertionError("liveness said no each time")


@pytest.fixture(scope="module")
def agreed(browser: Browser, server: Server, people: People) -> tuple[int, float]:
    """Let Dora agree and enrol; gives the clicks and the seconds that it took her."""
    server.call("PUT", "/v1/accounts/dora", json={})
    return enrol(browser, server, people.anna)


@pytest.fixture(scope="module")
def accepted(browser: Browser, server: Server, people: People, agreed: tuple[int, float]) -> Login:
    """Let Dora log in, and keep what her camera saw."""
    recorded: list[Burst] = []

    def record(subject: Subject, challenge: dict[str, Any]) -> Burst:
        recorded.append(bursts(subject, challenge))
        return recorded[-1]

    view, clicks, seconds = log_in(browser, server, people.anna, record)
    for _ in range(TRIES - 1):
        if view["reason"] == "liveness":
            view, clicks, seconds = log_in(browser, server, people.anna, record)
    report(
        clicks_to_agree_and_enrol=agreed[0],
        seconds_from_act_to_enrolment=round(agreed[1], 1),
        clicks_to_log_in=clicks,
        seconds_from_act_to_token=round(seconds, 1),
        camera="a simulated face in a script; its rendering is taken off; frames posted",
    )
    return Login(view, recorded[-1])


def test_a_face_agrees_enrols_and_logs_in_and_a_print_does_not(
    browser: Browser, server: Server, people: People, accepted: Login
) -> None:
    """R7, R29, R30. What it takes a person is printed, and kept beside the pages' pictures."""
    view = accepted.view
    assert (view["state"], view["said"]) == ("accepted", "Done. You can go back to the app."), view
    view, _, _ = log_in(browser, server, people.printed)
    assert (view["state"], view["said"]) == ("denied", "That did not work. Please log in another way."), view


def log_in(
    browser: Browser, server: Server, subject: Subject, film: Film = bursts
) -> tuple[dict[str, Any], int, float]:
    """Go through a flow; return how it went, the clicks, and the seconds from the act to the token."""
    with before(browser, subject, film) as (page, rendering):
        flow_id, address = link(server, "verify")
        page.goto(address)
        began = time.perf_counter()
        start(page)
        view = outcome(page, server, flow_id)
        session = server.call("GET", f"/v1/sessions/{view['session_id']}").json()
        seconds = time.perf_counter() - began - sum(rendering)
        assert bool(session["id_token"]) == (view["state"] == "accepted")
        return view, int(page.evaluate("window.clicks")), seconds


@pytest.mark.usefixtures("agreed")
def test_a_film_of_a_face_is_taken_by_chromiums_own_camera(
    browser: Browser, server: Server, people: People, tmp_path: Path
) -> None:
    """Nothing of the page is replaced but its socket. Without colours, which no film can answer."""
    for left in reversed(range(TRIES)):
        opened = server.open("verify", "dora").json()
        device = {"Authorization": f"Bearer {opened['client_token']}"}
        path = f"/v1/sessions/{opened['session_id']}"
        told = server.http.post(f"{path}/challenge", json={"flashes": False}, headers=device).json()
        film = tmp_path / "film.y4m"
        write_film(people.anna, told, film)
        said, seconds = play(browser.browser_type, film, opened["capture_url"], server)
        view = server.call("GET", path).json()
        if view["state"] == "accepted" or not left:
            assert (view["state"], said) == ("accepted", "Done. You can go back to the app."), view
            report(
                name="film",
                seconds_from_act_to_decision=round(seconds, 1),
                camera="a film of a simulated face; no colours",
            )
            break


def play(chromium: BrowserType, film: Path, capture_url: str, server: Server) -> tuple[str, float]:
    """Go through the page with a film before the camera; return what it said in the end, and after how long."""
    started = chromium.launch(
        executable_path=str(CHROMIUM), args=[*CAMERA_FLAGS, f"--use-file-for-fake-video-capture={film}"]
    )
    try:
        page = started.new_context(locale="en-GB", viewport={"width": 390, "height": 844}).new_page()
        page.add_init_script(NO_STREAM)
        page.goto(f"{server.address}/ui/capture#{capture_url.partition('#')[2]}")
        began = time.perf_counter()
        start(page)
        expect(page.locator(OVER)).to_be_visible(timeout=60_000)
        return page.locator("#say").inner_text(), time.perf_counter() - began
    finally:
        started.close()


def report(name: str = "login", **figures: object) -> None:
    """Print figures, and keep them beside the pages' pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    (PICTURES / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(name, figures)  # noqa: T201  the figures are what this test is asked for


# --- frames injected through the page: a script hands it a canvas in place of the camera, as attackers do -------


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


def test_a_recording_of_a_login_that_was_accepted_is_known(
    browser: Browser, server: Server, people: People, accepted: Login
) -> None:
    """R16: the canvas has compressed each frame again, so no byte is the same; what they look like is known."""
    assert accepted.view["state"] == "accepted", (accepted.view, gates(server))
    view = inject(browser, server, people.anna, lambda _subject, _challenge: accepted.burst)
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
