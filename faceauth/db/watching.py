"""Watching transactions end from outside, for measurements."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.pool import Pool


@contextmanager
def watching_ends() -> Iterator[list[float]]:
    """Yield a list that gets the `time.perf_counter` whenever a connection of any database is given back.

    What was written over it is committed by then, or rolled back.
    """
    seen: list[float] = []

    def given_back(*_: object) -> None:
        seen.append(time.perf_counter())

    event.listen(Pool, "checkin", given_back)
    try:
        yield seen
    finally:
        event.remove(Pool, "checkin", given_back)
