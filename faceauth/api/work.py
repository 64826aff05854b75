"""The bounded queue in front of the networks: what does not fit is turned away at once (R59)."""

import asyncio
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Final, TypeVar

from faceauth.errors import Overloaded, SessionClosed

Result = TypeVar("Result")

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
    """

    def __init__(self, workers: int, queue: int) -> None:
        self._workers = workers
        self._capacity = workers + queue
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="judge")
        self._taken = 0
        self._receiving: set[str] = set()
        self._typical_s = 1.0

    @property
    def taken(self) -> int:
        """How many requests are being judged or wait for it."""
        return self._taken

    @property
    def full(self) -> bool:
        """Whether every place in the queue is taken."""
        return self._taken >= self._capacity

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
        expected = math.ceil(self._typical_s * max(1, self._taken) / self._workers)
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
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._pool, partial(self._timed, act, *args))
        # The place is free when the thread is, and not when a device hangs up or the server stops.
        self._taken += 1
        future.add_done_callback(self._leave)
        result, seconds = await asyncio.shield(future)
        self._typical_s = 0.8 * self._typical_s + 0.2 * seconds
        return result

    def _leave(self, _: object) -> None:
        self._taken -= 1

    def close(self) -> None:
        """Let running work end and take no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    @staticmethod
    def _timed(act: Callable[..., Result], *args: object) -> tuple[Result, float]:
        began = perf_counter()
        return act(*args), perf_counter() - began
