"""What the service does by itself while it runs: erasures that were cut short go on (R40), numbers are watched."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import structlog

EVERY_S: Final = 30.0
"""Seconds between two looks (own figure). Nothing is open meanwhile: the gate is shut for what is being erased."""


WATCH_EVERY_S: Final = 600.0
"""Seconds between two looks at what an operator is to see (own figure): counting people reads an index whole."""


class Resumable(Protocol):
    """What can go on: `faceauth.vault.erasure.Erasure`."""

    def resume(self) -> object:
        """Go on with whatever is unfinished."""
        ...


async def tend(
    erasure: Resumable, *, every_s: float = EVERY_S, wait: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Resume unfinished erasures again and again, until cancelled; a failure is logged and tried again."""
    while True:
        await wait(every_s)
        try:
            # In a thread of its own: it waits for the database, and the event loop must not.
            await asyncio.to_thread(erasure.resume)
        except Exception as error:  # noqa: BLE001  the task must not end silently
            structlog.get_logger(__name__).error("erasures_not_resumed", error=type(error).__name__)


async def watch(
    look: Callable[[], object],
    *,
    every_s: float = WATCH_EVERY_S,
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Look again and again, from the start on, until cancelled; a failure is logged and tried again."""
    while True:
        try:
            await asyncio.to_thread(look)
        except Exception as error:  # noqa: BLE001  the task must not end silently
            structlog.get_logger(__name__).error("not_watched", error=type(error).__name__)
        await wait(every_s)
