"""Every denial is told, and known, at a time that does not depend on its case (R25; docs/sameness.md)."""

import asyncio
import math
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from statistics import median
from time import monotonic
from typing import Final

import structlog
from starlette.concurrency import run_in_threadpool

from faceauth.capture.session import CaptureSession
from faceauth.errors import Denied, FaceauthError
from faceauth.pipeline import SessionAnswer
from faceauth.sameness import Size, Way

log = structlog.get_logger(__name__)

REMEMBERED: Final = 128
"""Whole ways of one kind that are remembered (own figure)."""

ENOUGH: Final = 8
"""So many of the usual size stand for themselves; before that the start value is the least (own figure)."""

RESERVE: Final = 1.1
"""Above the longest whole way of late (own figure)."""

OUTLIER: Final = 2.0
"""A way that took longer than so many times the median is one that the machine held up (own figure)."""

LONGEST_S: Final = 10.0
"""No step is longer, however slow the machine is (own figure)."""

WRITING_S: Final = 0.05
"""From the deadline to the answer, for writing it down (own figure): how long that took tells nothing either."""

Kind = tuple[str, str, bool]
"""Purpose, liveness level, and whether it is streamed."""


class Deadlines:
    """When denials are due: after what a whole way takes here of late.

    A whole way is one that came to a comparison, accepted or not. How long those took is remembered by kind and by
    the size of the burst, frames and pixels to the next power of two. A denial takes as long as those of the usual
    size, or as those of its own if they take longer. So whatever else was sent, it is no sooner told.

    Args:
        start_s: Seconds, as long as too few whole ways are known.
    """

    def __init__(self, start_s: float) -> None:
        self._start_s = start_s
        self._known: defaultdict[Kind, deque[tuple[Size, float]]] = defaultdict(lambda: deque(maxlen=REMEMBERED))

    def learn(self, way: Way, seconds: float) -> None:
        """Remember how long a whole way took."""
        self._known[_kind(way)].append((_rounded(way.size), seconds))

    def step_s(self, way: Way) -> float:
        """Return the seconds after which a denial of such a burst is due, however early it was certain."""
        known: defaultdict[Size, list[float]] = defaultdict(list)
        for size, seconds in self._known[_kind(way)]:
            known[size].append(seconds)
        usual = max(known.values(), key=len, default=[])
        least = self._start_s if len(usual) < ENOUGH else 0.0
        return min(LONGEST_S, max(least, _reserved(usual), _reserved(known[_rounded(way.size)])))

    def due_s(self, way: Way, seconds: float) -> float:
        """Return after how many seconds a denial is due that took so many.

        What takes longer than a step is due after whole steps, so that it tells little more than that.
        """
        step = self.step_s(way)
        return step * max(1, math.ceil(seconds / step)) if step > 0 else seconds


def _kind(way: Way) -> Kind:
    session = way.session
    assert session is not None  # noqa: S101  a way that began has one
    return session.purpose, str(session.challenge["profile"]), session.streamed


def _rounded(size: Size) -> Size:
    frames, pixels = size
    return frames.bit_length(), pixels.bit_length()


def _reserved(seconds: list[float]) -> float:
    """Return what nearly all of these take, with some reserve."""
    if not seconds:
        return 0.0
    return RESERVE * min(max(seconds), OUTLIER * median(seconds))


Timed = tuple[SessionAnswer, float, float]
"""An answer, and from when until when it was worked on."""


class Holding:
    """Takes bursts to their end, and holds what was denied until it is due. Used on the event loop only.

    What is held is not written down yet: neither the device nor the application's backend nor another page can see
    it before. It holds no thread and no transaction; the session stays claimed, and would expire if the process
    died.

    Args:
        write: writes a denial down, `Pipeline.refuse`.
        deadlines: say when a denial is due.
        timer: seconds that never run backwards.
    """

    def __init__(
        self,
        write: Callable[[CaptureSession, Denied], SessionAnswer],
        deadlines: Deadlines,
        *,
        timer: Callable[[], float] = monotonic,
    ) -> None:
        self._write = write
        self._deadlines = deadlines
        self._timer = timer
        self._closing = asyncio.Event()
        self._tasks: set[asyncio.Task[SessionAnswer]] = set()

    async def take(
        self,
        run: Callable[[Callable[[], Timed]], Awaitable[Timed]],
        judge: Callable[[Way], SessionAnswer],
    ) -> SessionAnswer:
        """Judge a burst, and return the answer when it may be known.

        A device that hangs up changes nothing of what is written down.

        Args:
            run: runs a function on a thread, as `Work.run` does.
            judge: `Pipeline.submit` or `Pipeline.decide` for this burst.

        Raises:
            Overloaded: by `run`.
            FaceauthError: by `judge`, and by writing it down.
        """
        task = asyncio.create_task(self._through(run, judge))
        del judge  # a posted burst's frames are its arguments, and need not wait with it
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Write down at once what is held; the service stops."""
        self._closing.set()
        if self._tasks:
            await asyncio.wait(tuple(self._tasks))

    def _ended(self, task: asyncio.Task[SessionAnswer]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, for nobody else does after the device hung up

    async def _through(
        self,
        run: Callable[[Callable[[], Timed]], Awaitable[Timed]],
        judge: Callable[[Way], SessionAnswer],
    ) -> SessionAnswer:
        way = Way()
        work = partial(self._timed, judge, way)
        del judge
        running = run(work)
        del work
        answer, began, ended = await running
        del running
        if way.whole and way.session is not None:
            self._deadlines.learn(way, ended - began)
        if way.denied is None or way.session is None:
            return answer
        due = began + self._deadlines.due_s(way, ended - began)
        await self._until(due)
        try:
            answer = await run_in_threadpool(self._write, way.session, way.denied)
        except FaceauthError as error:
            log.warning("session.not_written_down", code=error.code)
            raise
        await self._until(due + WRITING_S)
        return answer

    def _timed(self, judge: Callable[[Way], SessionAnswer], way: Way) -> Timed:
        began = self._timer()
        return judge(way), began, self._timer()

    async def _until(self, at_s: float) -> None:
        """Wait, but not for a service that stops."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), at_s - self._timer())
