"""The capture page over a WebSocket, in a real browser; the liveness of a test picture is not the point."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, cast

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from faceauth.api.app import create_app
from faceauth.capture.burst import Burst
from faceauth.capture.faces import FaceReader
from faceauth.capture.session import CaptureSession
from faceauth.installation import Installation
from faceauth.liveness.challenge import challenge_from_wire
from faceauth.liveness.following import Follower, Mark
from faceauth.pipeline import Pipeline, SessionAnswer
from faceauth.sameness import Way
from faceauth.settings import Settings
from faceauth.types import AlignedFace, Challenge, DetectedFace, Frame, Step
from tests.api.conftest import Service
from tests.web.conftest import listening

pytestmark = pytest.mark.browser


class Reader:
    """Sees nothing and has nothing to say."""

    def find(self, frame: Frame, *_: object, **__: object) -> Sequence[DetectedFace]:
        assert frame.pixels.shape[2] == 3
        return ()

    def look(self, *_: object, **__: object) -> tuple[AlignedFace | None, str | None]:
        return None, None


@dataclasses.dataclass
class StreamedPipeline:
    """Begins and decides as it is told, over the real sessions' rows."""

    installation: Installation
    answers: list[str]
    bursts: list[Burst] = dataclasses.field(default_factory=list)
    refused: list[Exception] = dataclasses.field(default_factory=list)
    reader: FaceReader = dataclasses.field(default_factory=lambda: cast("FaceReader", Reader()))

    def begin(self, session_id: str, client_token: str, *, streamed: bool) -> CaptureSession:
        assert streamed
        into = self.installation
        with into.data.begin() as conn:
            session = into.desk.sessions.for_device(conn, session_id=session_id, client_token=client_token)
            capture = timedelta(minutes=1)
            return into.desk.sessions.claim(conn, session, now=into.clock(), capture=capture, streamed=True)

    def decide(self, session: CaptureSession, read: Callable[[Challenge], Burst], *, way: Way) -> SessionAnswer:
        assert way.denied is None
        self.bursts.append(read(challenge_from_wire(session.challenge)))
        answer = self.answers.pop(0)
        if answer == "open":
            with self.installation.data.begin() as conn:
                self.installation.desk.sessions.release(conn, session)
        return SessionAnswer(answer)

    def refuse(self, _session: CaptureSession, denied: Exception) -> SessionAnswer:
        self.refused.append(denied)
        return SessionAnswer("denied")


def by_the_clock(_self: Follower, step: Step, marks: Sequence[Mark], *, first: bool) -> float:
    """Accept a step once it lasted."""
    assert first == (step.id == "s1")
    return min(1.0, (marks[-1].t_ms - marks[0].t_ms) / max(step.min_ms, 1)) if marks else 0.0


@pytest.fixture
def streamed(
    installation: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[StreamedPipeline, str]]:
    """A service with its WebSocket on a real port; it waits long, for the machine may be busy."""
    monkeypatch.setattr(Follower, "answered", by_the_clock)
    pipeline = StreamedPipeline(installation, [])
    patient = settings.model_copy(update={"stream": settings.stream.model_copy(update={"step_s": 60})})
    app = create_app(dataclasses.replace(installation, pipeline=cast("Pipeline", pipeline), settings=patient))
    with listening(app, ws="websockets-sansio", lifespan="auto") as address:
        yield pipeline, address


def test_it_streams_starts_over_when_asked_and_tells_the_outcome(
    page: Page, service: Service, streamed: tuple[StreamedPipeline, str]
) -> None:
    pipeline, address = streamed
    pipeline.answers = ["open", "accepted"]
    opened = service.session()
    page.goto(f"{address}/ui/capture#session={opened['session_id']}&token={opened['client_token']}")
    page.locator("#start").click()
    expect(page.locator("#say")).to_have_text("Look straight into the camera")
    expect(page.locator("#say")).to_contain_text("Done.", timeout=60_000)
    expect(page.locator("#stage")).to_be_hidden()
    assert (len(pipeline.bursts), pipeline.refused) == (2, [])
    with service.installation.data.read() as conn:
        row: Any = service.installation.desk.sessions.for_device(
            conn, session_id=opened["session_id"], client_token=opened["client_token"]
        )
    challenge = challenge_from_wire(row.challenge)
    assert challenge.steps != opened["challenge"]["steps"]
    for burst in pipeline.bursts:
        told = list(dict.fromkeys(frame.step for frame in burst.frames))
        assert told == [step.id for step in challenge.steps]
        assert burst.frames[0].t_ms == 0
        assert burst.evidence.received_ms is not None
        assert np.all(np.diff(burst.evidence.received_ms) >= 0)
        assert len(burst.evidence.chain or b"") == 32


SOCKETS = """
const Real = window.WebSocket;
window.sockets = [];
window.WebSocket = class extends Real {
  constructor(...how) { super(...how); window.sockets.push(this); }
};
"""
"""Remembers the page's sockets, so that a test can break one."""


def test_a_lost_connection_comes_back_within_the_session(
    page: Page, service: Service, streamed: tuple[StreamedPipeline, str]
) -> None:
    pipeline, address = streamed
    pipeline.answers = ["accepted"]
    opened = service.session()
    page.add_init_script(SOCKETS)
    page.goto(f"{address}/ui/capture#session={opened['session_id']}&token={opened['client_token']}")
    page.locator("#start").click()
    expect(page.locator("#steps li")).to_have_count(2, timeout=20_000)
    page.evaluate("window.sockets[0].close()")
    expect(page.locator("#say")).to_contain_text("The connection was lost")
    expect(page.locator("#say")).to_contain_text("Done.", timeout=60_000)
    assert page.evaluate("window.sockets.length") == 2
    (burst,) = pipeline.bursts
    assert burst.frames[0].t_ms == 0


def test_a_page_that_is_reloaded_goes_on_within_the_session(
    page: Page, service: Service, streamed: tuple[StreamedPipeline, str]
) -> None:
    pipeline, address = streamed
    pipeline.answers = ["accepted"]
    opened = service.session()
    page.goto(f"{address}/ui/capture#session={opened['session_id']}&token={opened['client_token']}")
    page.locator("#start").click()
    expect(page.locator("#steps li")).to_have_count(2, timeout=20_000)
    page.reload()
    expect(page.locator("#stage")).to_be_hidden()
    page.locator("#start").click()
    expect(page.locator("#say")).to_contain_text("Done.", timeout=60_000)
    (burst,) = pipeline.bursts
    assert burst.frames[0].t_ms == 0


def test_a_connection_that_stays_lost_is_told(
    page: Page, service: Service, streamed: tuple[StreamedPipeline, str]
) -> None:
    pipeline, address = streamed
    opened = service.session()
    page.add_init_script(SOCKETS)
    page.goto(f"{address}/ui/capture#session={opened['session_id']}&token={opened['client_token']}")
    page.locator("#start").click()
    expect(page.locator("#steps li")).to_have_count(1, timeout=20_000)
    page.clock.install()
    page.context.set_offline(True)
    page.evaluate("window.sockets[0].close()")
    expect(page.locator("#say")).to_contain_text("The connection was lost")
    for _ in range(12):
        page.clock.run_for(1000)
    expect(page.locator("#say")).to_contain_text("There is no connection")
    expect(page.get_by_role("button", name="Try again")).to_be_enabled()
    assert pipeline.bursts == []
