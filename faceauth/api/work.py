"""The bounded queue in front of the networks: what does not fit is turned away at once (R59)."""

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter
from typing import Final, Self, TypeVar

from faceauth.errors import Overloaded

Result = TypeVar("Result")

LONGEST_RETRY_S: Final = 30
"""Nobody is told to stay away for longer (own figure)."""


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
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="judge")
        self._taken = 0
        self._typical_s = 1.0

    @property
    def taken(self) -> int:
        """How many requests are being judged or wait for it."""
        return self._taken

    def reserve(self) -> "Place":
        """Take a place in the queue, before anything of the request is read.

        Raises:
            Overloaded: every place is taken; it says when to come again.
        """
        if self._taken >= self._capacity:
            expected = math.ceil(self._typical_s * self._taken / self._workers)
            raise Overloaded(min(LONGEST_RETRY_S, max(1, expected)))
        self._taken += 1
        return Place(self)

    async def run(self, act: Callable[..., Result], *args: object) -> Result:
        """Run `act` on a worker thread and return what it returns."""
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._pool, partial(self._timed, act, *args))
        # A device that hangs up must not free the place while the thread still works.
        result, seconds = await asyncio.shield(future)
        self._typical_s = 0.8 * self._typical_s + 0.2 * seconds
        return result

    def close(self) -> None:
        """Let running work end and take no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    @staticmethod
    def _timed(act: Callable[..., Result], *args: object) -> tuple[Result, float]:
        began = perf_counter()
        return act(*args), perf_counter() - began

    def _leave(self) -> None:
        self._taken -= 1


class Place:
    """One place in the queue, given back at the end of the ``with`` block."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._work._leave()  # noqa: SLF001  the queue and its places are one thing
