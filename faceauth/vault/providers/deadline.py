"""Calls to what may hang: on threads of their own, given up when their time is over."""

import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any, Final, TypeVar

from faceauth.errors import KeyUnavailable

Result = TypeVar("Result")
_STOP: Final = None


class _Call:
    """One call on its way: `done` is set when `result` or `error` is there; nobody waits after `due`."""

    def __init__(self, work: Callable[[], Any], due: float) -> None:
        self.work = work
        self.due = due
        self.done = Event()
        self.result: Any = None
        self.error: Exception | None = None


class Deadline:
    """Runs calls on `threads` threads and gives up on one after `timeout_s` seconds.

    A call that hangs keeps its thread; when all hang, everyone is told that the holder is down. They are daemons:
    a token that never answers does not keep the process from ending.

    Args:
        who: Who is called, for the text of the error.
        timeout_s: Seconds that a caller waits, those in the queue included.
        threads: How many calls may run at once.
    """

    def __init__(self, who: str, *, timeout_s: float, threads: int) -> None:
        self._who = who
        self._timeout_s = timeout_s
        self._wanted = threads
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._turn = Lock()

    def run(self, work: Callable[[], Result]) -> Result:
        """Return what `work` returns, or raise what it raises.

        Raises:
            KeyUnavailable: If it is not done in time. It may still be running; what it returns is dropped.
        """
        self._start()
        call = _Call(work, time.monotonic() + self._timeout_s)
        self._calls.put(call)
        if not call.done.wait(self._timeout_s):
            raise KeyUnavailable(f"{self._who} did not answer within {self._timeout_s:g} s.")
        if call.error is not None:
            raise call.error
        result: Result = call.result
        return result

    def close(self) -> None:
        """Let the threads end once they are free."""
        with self._turn:
            for _ in self._threads:
                self._calls.put(_STOP)
            self._threads = []

    def _start(self) -> None:
        with self._turn:
            while len(self._threads) < self._wanted:
                thread = Thread(target=self._serve, name="faceauth-keys", daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self) -> None:
        while (call := self._calls.get()) is not _STOP:
            if time.monotonic() >= call.due:
                continue  # its caller has gone
            try:
                call.result = call.work()
            except Exception as error:  # noqa: BLE001  whatever it is, the caller gets it
                call.error = error
            call.done.set()
            del call  # or a key would lie here until the next one comes
