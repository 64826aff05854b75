"""A clock that tests turn by hand."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from faceauth.api.tending import Resumable, tend

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class HandClock:
    """Stands still until it is told otherwise."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        """Move on, or back when negative."""
        self.now += timedelta(seconds=seconds)


def tending(erasure: Resumable, rounds: int) -> list[float]:
    """Tend for so many rounds that take no time, and return how long each would have waited."""
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        if len(waited) == rounds:
            raise asyncio.CancelledError
        waited.append(seconds)

    with suppress(asyncio.CancelledError):
        asyncio.run(tend(erasure, wait=wait))
    return waited
