"""The bounded queue in front of the networks: what does not fit is turned away at once (R59)."""

import asyncio
import math
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Any, Final, TypeVar

from faceauth.errors import Overloaded, SessionClosed

Result = TypeVar("Result")

CORES: Final = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""Those that this process may use."""

LONGEST_RETRY_S: Final = 30
"""Nobody is told to stay away for longer (own figure)."""

RECEIVING: Final = 4
"""Posts that may be coming in for each place in the queue (own figure): their bytes are held in memory."""


class Work:
    """A few threads that judge frames, and a short queue before them.

    ONNX Runtime, OpenCV and SQLite let go of the interpreter's lock, so threads are enough. The counter is only
    touched on the event loop, so it needs no lock.

    Args:
        workers: Threads.
        queue: Requests that may wait for one.
        cores: of the machine.
    """

    def __init__(self, workers: int, queue: int, *, cores: int = CORES) -> None:
        self._workers = workers
        self._beside = max(1, min(workers, cores - 1))
        self._allowed = workers
        self._capacity = workers + queue
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="judge")
        self._taken = 0
        self._running = 0
        self._waiting: deque[tuple[asyncio.Future[Any], Callable[[], Any]]] = deque()
        self._receiving: set[str] = set()
        self._typical_s = 1.0

    @property
    def taken(self) -> int:
        """How many requests are being judged or wait for it."""
        return self._taken

    @property
    def places(self) -> int:
        """How many it takes at most."""
        return self._capacity

    @property
    def full(self) -> bool:
        """Whether every place in the queue is taken."""
        return self._taken >= self._capacity

    @property
    def expected_s(self) -> float:
        """After how many seconds somebody who came now would be done, by how long the last ones took."""
        return self._typical_s * (self._taken + 1) / self._allowed

    def leave_a_core(self, guided: int) -> None:
        """Judge on all cores but one while that many people are being guided; nobody leaves all of them."""
        self._allowed = self._beside if guided else self._workers
        self._start()

    @contextmanager
    def receiving(self, session_id: str) -> Iterator[None]:
        """Hold a place for a post that is still coming in: one for each session, and so many in all.

        Slow senders stay out of the queue itself, so that they hold up nobody who is ready.

        Raises:
            Overloaded: too many are coming in, or the queue is full already.
            SessionClosed: this session is sending a post now.
        """
        if len(self._receiving) >= RECEIVING * self._capacity or self._taken >= self._capacity:
            raise self._overloaded()
        if session_id in self._receiving:
            raise SessionClosed("This session is sending another post now. Wait for its answer.")
        self._receiving.add(session_id)
        try:
            yield
        finally:
            self._receiving.discard(session_id)

    def _overloaded(self) -> Overloaded:
        expected = math.ceil(self._typical_s * max(1, self._taken) / self._allowed)
        return Overloaded(min(LONGEST_RETRY_S, expected))

    async def run(self, act: Callable[..., Result], *args: object) -> Result:
        """Run `act` on a worker thread and return what it returns.

        Raises:
            Overloaded: every place in the queue is taken.
        """
        if self.full:
            raise self._overloaded()
        return await self.finish(act, *args)

    async def finish(self, act: Callable[..., Result], *args: object) -> Result:
        """Do the same for what was let in before, such as a stream's burst: it waits, however long that takes."""
        future: asyncio.Future[tuple[Result, float]] = asyncio.get_running_loop().create_future()
        # The place is free when the thread is, and not when a device hangs up or the server stops.
        self._taken += 1
        self._waiting.append((future, partial(self._timed, act, *args)))
        self._start()
        result, seconds = await asyncio.shield(future)
        self._typical_s = 0.8 * self._typical_s + 0.2 * seconds
        return result

    def _start(self) -> None:
        while self._waiting and self._running < self._allowed:
            future, act = self._waiting.popleft()
            self._running += 1
            running = asyncio.get_running_loop().run_in_executor(self._pool, act)
            running.add_done_callback(partial(self._ended, future))

    def _ended(self, future: asyncio.Future[Any], running: asyncio.Future[Any]) -> None:
        self._taken -= 1
        self._running -= 1
        if future.done():  # the loop is being taken down
            pass
        elif running.cancelled():
            future.cancel()
        elif (error := running.exception()) is not None:
            future.set_exception(error)
        else:
            future.set_result(running.result())
        if not running.cancelled():
            self._start()

    def close(self) -> None:
        """Let running work end and take no more."""
        for future, _ in self._waiting:
            future.cancel()
        self._waiting.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)

    @staticmethod
    def _timed(act: Callable[..., Result], *args: object) -> tuple[Result, float]:
        began = perf_counter()
        return act(*args), perf_counter() - began
