"""Denials are told, and known, at a time that does not depend on their case (R25)."""

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

import pytest
from structlog.testing import capture_logs

from faceauth.api.holding import ENOUGH, LONGEST_S, RESERVE, WRITING_S, Deadlines, Holding, Timed
from faceauth.capture.session import CaptureSession
from faceauth.errors import Denied, StorageError
from faceauth.pipeline import SessionAnswer
from faceauth.sameness import Way
from tests.clocks import START

SESSION = CaptureSession(
    session_id="fs_1",
    tenant="default",
    purpose="verify",
    scenario="login",
    account="anna",
    challenge={"profile": "motion"},
    state="open",
    reason=None,
    matched_account=None,
    reference_id=None,
    posts=1,
    judging=True,
    created_at=START,
    expires_at=START,
    decided_at=None,
)


def way(count: int = 12, pixels: int = 640 * 480, **other: Any) -> Way:
    return Way(replace(SESSION, **other), (count, count * pixels))


def taught(*seconds: float, start: float = 1.5) -> Deadlines:
    deadlines = Deadlines(start)
    for one in seconds:
        deadlines.learn(way(), one)
    return deadlines


# --- when a denial is due --------------------------------------------------------------------------------------


def test_before_anything_is_known_the_start_value_stands() -> None:
    assert Deadlines(1.5).due_s(way(), 0.01) == 1.5
    assert taught(0.2).due_s(way(), 0.01) == 1.5
    assert taught(2.0).due_s(way(), 0.01) == pytest.approx(2.0 * RESERVE)


def test_a_denial_is_due_after_the_longest_whole_way_however_early_it_was_certain() -> None:
    deadlines = taught(*[0.4] * ENOUGH, 0.5)
    assert {deadlines.due_s(way(), early) for early in (0.001, 0.1, 0.4, 0.5)} == {0.5 * RESERVE}


def test_one_that_took_longer_is_due_after_whole_steps() -> None:
    deadlines = taught(*[1.0] * ENOUGH)
    assert [deadlines.due_s(way(), late) for late in (1.2, 2.1, 2.3)] == pytest.approx([2.2, 2.2, 3.3])


def test_one_way_that_the_machine_held_up_does_not_hold_all_others() -> None:
    assert taught(*[0.5] * ENOUGH, 8.0).due_s(way(), 0.1) == pytest.approx(2 * 0.5 * RESERVE)
    assert taught(*[60.0] * ENOUGH).due_s(way(), 0.1) == LONGEST_S


@pytest.mark.parametrize("other", [way(purpose="identify"), way(streamed=True), way(challenge={"profile": "x"})])
def test_other_sessions_have_a_time_of_their_own(other: Way) -> None:
    assert taught(*[0.5] * ENOUGH).due_s(other, 0.01) == 1.5


def test_a_smaller_burst_is_denied_no_sooner_than_a_usual_one() -> None:
    """Too few frames, or none that were read: the same as any other."""
    deadlines = taught(*[0.5] * ENOUGH)
    for other in (way(3), way(0), way(13)):
        deadlines.learn(way(3), 0.01)
        assert deadlines.due_s(other, 0.01) == pytest.approx(0.5 * RESERVE)


def test_a_larger_burst_takes_as_long_as_such_bursts_do() -> None:
    deadlines = taught(*[0.5] * ENOUGH)
    deadlines.learn(way(24), 0.9)
    assert deadlines.due_s(way(24), 0.01) == pytest.approx(0.9 * RESERVE)
    assert deadlines.due_s(way(12, 4 * 640 * 480), 0.01) == pytest.approx(0.5 * RESERVE)


# --- holding ---------------------------------------------------------------------------------------------------

START_S = 0.2


@dataclass
class Bench:
    """A holding with a pipeline that denies at once, and what was written down when."""

    written: list[tuple[str, float]] = field(default_factory=list)
    began: float = field(default_factory=monotonic)

    def __post_init__(self) -> None:
        self.holding = Holding(self.write, Deadlines(START_S))

    def write(self, _session: CaptureSession, denied: Denied) -> SessionAnswer:
        self.written.append((denied.reason, monotonic() - self.began))
        if denied.reason == "broken":
            raise StorageError("away")
        return SessionAnswer("denied")

    async def take(self, reason: str | None = "liveness") -> SessionAnswer:
        return await self.holding.take(self.run, lambda way: judged(way, reason))

    async def run(self, act: Callable[[], Timed]) -> Timed:
        return await asyncio.to_thread(act)


def judged(seen: Way, reason: str | None) -> SessionAnswer:
    seen.session, seen.size = SESSION, (12, 1)
    if reason is None:
        return SessionAnswer("accepted")
    seen.denied = Denied(reason)
    return SessionAnswer("denied")


def timed(act: Callable[[Bench], Awaitable[Any]]) -> tuple[Bench, float]:
    """Run on a fresh bench; also tell how many seconds it took."""

    async def run() -> tuple[Bench, float]:
        bench = Bench()
        await act(bench)
        return bench, monotonic() - bench.began

    return asyncio.run(run())


def test_a_denial_is_neither_told_nor_written_down_before_it_is_due() -> None:
    bench, took = timed(Bench.take)
    [(_, written)] = bench.written
    assert START_S <= written <= took - WRITING_S / 2
    assert took >= START_S + WRITING_S


def test_an_acceptance_does_not_wait() -> None:
    bench, took = timed(lambda bench: bench.take(None))
    assert took < START_S
    assert bench.written == []


def test_many_are_held_at_once_and_hold_nothing() -> None:
    """As many as there never are workers; each takes no longer than one."""
    bench, took = timed(lambda bench: asyncio.gather(*[bench.take() for _ in range(100)]))
    assert len(bench.written) == 100
    assert took < 10 * START_S


def test_a_device_that_hangs_up_changes_nothing() -> None:
    async def hang_up(bench: Bench) -> None:
        call = asyncio.create_task(bench.take())
        await asyncio.sleep(START_S / 4)
        call.cancel()
        await asyncio.sleep(START_S * 1.5)

    bench, _ = timed(hang_up)
    assert [reason for reason, _ in bench.written] == ["liveness"]


def test_a_service_that_stops_writes_down_what_is_held() -> None:
    async def stop(bench: Bench) -> None:
        call = asyncio.create_task(bench.take())
        await asyncio.sleep(START_S / 4)
        await bench.holding.close()
        assert (await call).state == "denied"

    bench, took = timed(stop)
    assert len(bench.written) == 1
    assert took < START_S


def test_what_cannot_be_written_down_is_told_to_the_caller() -> None:
    async def fail(bench: Bench) -> None:
        with capture_logs() as logged, pytest.raises(StorageError):
            await bench.take("broken")
        assert [one["event"] for one in logged] == ["session.not_written_down"]

    timed(fail)


def test_frames_do_not_wait_with_a_denial() -> None:
    class Frames:
        """Bytes, as far as this test goes."""

    async def look(bench: Bench) -> None:
        def judging() -> tuple[Callable[[Way], SessionAnswer], Any]:
            held = Frames()
            return lambda way: (held, judged(way, "liveness"))[1], weakref.ref(held)

        judge, held = judging()
        call = bench.holding.take(bench.run, judge)
        del judge
        task = asyncio.create_task(call)
        await asyncio.sleep(START_S / 2)
        gc.collect()
        assert held() is None
        assert not bench.written
        await task

    timed(look)
