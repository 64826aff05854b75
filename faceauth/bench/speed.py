"""Time by stage: contenders for one piece of work, run in turn so that what else the machine does falls on all."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias

import numpy as np

from faceauth.errors import InvalidRequest

Progress: TypeAlias = Callable[[str, int, int], None]
"""Is told a label, how much of it is done, and of how much."""

WARM_UP = 2
"""Rounds that are run and not counted: the first fills caches and allocates."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do a stage's work; `work` does it for `items` items, and is told the number of the round."""

    stage: str
    name: str
    work: Callable[[int], object]
    items: int = 1
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Timing:
    """Medians over `rounds`, in milliseconds an item.

    `cpu` is the whole process's CPU time, `wall` the time on the clock; on a busy machine only the first means
    much. `ratio` is the median, round by round, of the wall time to that of the stage's first contender,
    `cpu_ratio` the same of the CPU time.
    """

    stage: str
    name: str
    batch: int
    threads: int
    cpu: float
    wall: float
    ratio: float
    cpu_ratio: float
    rounds: int

    def as_json(self) -> dict[str, object]:
        """Return the timing as a report holds it."""
        return asdict(self)


def race(contenders: Sequence[Contender], *, rounds: int, progress: Progress) -> tuple[Timing, ...]:
    """Run the contenders of one stage in turn, `rounds` times; who begins changes with every round.

    Args:
        contenders: Of one stage; the first is the one the others are compared with.
        rounds: How often each is timed.
        progress: Is told after every round.

    Raises:
        InvalidRequest: There is nobody to run, or not even one round.
    """
    if not contenders or rounds < 1:
        raise InvalidRequest("A race needs a contender and a round.")
    cpu = np.zeros((len(contenders), rounds + WARM_UP))
    wall = np.zeros_like(cpu)
    for number in range(rounds + WARM_UP):
        for place in range(len(contenders)):
            at = (place + number) % len(contenders)
            one = contenders[at]
            clock, spent = time.perf_counter(), time.process_time()
            one.work(number)
            cpu[at, number] = (time.process_time() - spent) / one.items
            wall[at, number] = (time.perf_counter() - clock) / one.items
        progress(contenders[0].stage, number + 1, rounds + WARM_UP)
    cpu, wall = cpu[:, WARM_UP:], wall[:, WARM_UP:]
    return tuple(
        Timing(
            stage=one.stage,
            name=one.name,
            batch=one.items,
            threads=one.threads,
            cpu=1000 * float(np.median(cpu[at])),
            wall=1000 * float(np.median(wall[at])),
            ratio=float(np.median(wall[at] / wall[0])),
            cpu_ratio=float(np.median(cpu[at] / cpu[0])),
            rounds=rounds,
        )
        for at, one in enumerate(contenders)
    )
