"""One size of `faceauth bench index`: every contender on the same rows and probes, in turn."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from faceauth.bench.index_contenders import Contender, Floats, Forgetting, Growing, Numbers, Ours

CANDIDATES: Final = 10
"""How many a search asks for, as identification does."""

BATCH: Final = 32
_BATCH_EVERY: Final = 20
"""Rounds after which a batch is timed too."""

CHANGES: Final = 200
_SLOW_CHANGES: Final = 3
_PROBED_AT_ONCE: Final = 100

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told a label, how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds: the median and the 99th percentile of the wall clock, and the median of CPU time."""

    p50: float
    p99: float
    cpu_p50: float

    @classmethod
    def of(cls, wall: Sequence[float], cpu: Sequence[float]) -> "Times":
        """Summarise seconds."""
        return cls(
            *(round(1e3 * float(x), 4) for x in (np.quantile(wall, 0.5), np.quantile(wall, 0.99), np.median(cpu)))
        )


@dataclass(slots=True)
class Measured:
    """What one contender did at one size. Milliseconds, seconds and bytes.

    `agreement` is the share of probes whose first answer is that of the exact float32 search; `mate_first` the
    share whose first answer is their own reference. `bound_ms` is how long reading the bytes that a query scans
    takes, once and in order. `of_exact` is the median, over rounds, of the exact search's time over this one's,
    `over_bound` that of this one's over the reading's; both of CPU time, which is the wall's on a machine at rest
    and hardly changes when others load it. `of_exact_wall` is the first by the wall.
    """

    name: str
    rows: int
    dimension: int
    build_s: float
    memory_bytes: int
    engines: dict[str, int] = field(default_factory=dict)
    query: Times | None = None
    of_exact: float | None = None
    of_exact_wall: float | None = None
    queries_per_s: float | None = None
    agreement: float | None = None
    mate_first: float | None = None
    probes: int = 0
    scanned_bytes: float | None = None
    bound_ms: float | None = None
    over_bound: float | None = None
    add: Times | None = None
    replace: Times | None = None
    delete: Times | None = None


def race(
    taking_part: Sequence[Contender],
    rows: Floats,
    probes: Floats,
    *,
    rounds: int,
    progress: Progress,
) -> list[Measured]:
    """Build, check and time every contender; the first is the one that others are compared with.

    Args:
        taking_part: The contenders.
        rows: The gallery, shape (n, d), of unit length.
        probes: Shape (m, d); the first m rows are their references.
        rounds: How many queries are timed; in each round every contender has one, and reads are timed too.
        progress: Is told what is done.
    """
    label = f"{len(rows):,} rows"
    found = []
    for number, one in enumerate(taking_part):
        found.append(_build(one, rows))
        progress(f"{label}: building", number + 1, len(taking_part))
    first = _exact(rows, probes)
    for number, (one, measured) in enumerate(zip(taking_part, found, strict=True)):
        answers = np.concatenate(
            [
                one.search(probes[start : start + _PROBED_AT_ONCE], CANDIDATES)
                for start in range(0, len(probes), _PROBED_AT_ONCE)
            ]
        )
        measured.agreement = float((answers[:, 0] == first).mean())
        measured.mate_first = float((answers[:, 0] == np.arange(len(probes))).mean())
        measured.probes = len(probes)
        progress(f"{label}: checking", number + 1, len(taking_part))
    _time_queries(taking_part, found, probes, rounds, lambda done: progress(f"{label}: timing", done, rounds))
    for number, (one, measured) in enumerate(zip(taking_part, found, strict=True)):
        _time_changes(one, measured, rows, probes)
        progress(f"{label}: changing", number + 1, len(taking_part))
    return found


def _build(one: Contender, rows: Floats) -> Measured:
    before, began = resident_bytes(), time.perf_counter()
    one.build(rows)
    seconds = time.perf_counter() - began
    measured = Measured(one.name, len(rows), rows.shape[1], round(seconds, 3), resident_bytes() - before)
    measured.scanned_bytes = one.scanned()
    if isinstance(one, Ours):
        measured.engines = one.engines()
    return measured


def resident_bytes() -> int:
    """Return how much memory this process holds, 0 where that cannot be told."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    import resource  # noqa: PLC0415  it is not there on every system

    return pages * resource.getpagesize()


def _exact(rows: Floats, probes: Floats) -> Numbers:
    """Return the nearest row of each probe."""
    best = np.full(len(probes), -np.inf, np.float32)
    nearest = np.zeros(len(probes), np.int64)
    for start in range(0, len(rows), 65_536):
        scores = probes @ rows[start : start + 65_536].T
        at = scores.argmax(axis=1)
        higher = scores[np.arange(len(probes)), at]
        better = higher > best
        best[better], nearest[better] = higher[better], at[better] + start
    return nearest


class _Reader:
    """Reads so many bytes of memory once, in order, as fast as one thread can: the bound of every scan."""

    def __init__(self, largest: float) -> None:
        # Written, because pages that nobody wrote to are all one and the same.
        self._memory: Floats = np.ones(max(int(largest) // 4, 1), np.float32)

    def read(self, size: float) -> None:
        part = self._memory[: max(int(size) // 4, 1)]
        np.dot(part, part)


def _time_queries(
    taking_part: Sequence[Contender],
    found: Sequence[Measured],
    probes: Floats,
    rounds: int,
    progress: Callable[[int], None],
) -> None:
    reader = _Reader(max(one.scanned_bytes or 0 for one in found))
    wall: list[list[float]] = [[] for _ in found]
    cpu: list[list[float]] = [[] for _ in found]
    reading: list[list[float]] = [[] for _ in found]
    together: list[list[float]] = [[] for _ in found]
    batch = np.resize(probes, (BATCH, probes.shape[1]))
    for number in range(rounds):
        query = probes[number % len(probes)][None]
        for place, one in enumerate(taking_part):
            taken = _timed(one.search, query, CANDIDATES)
            wall[place].append(taken[0])
            cpu[place].append(taken[1])
            size = found[place].scanned_bytes
            if size is not None:
                reading[place].append(_timed(reader.read, size)[1])
            if number % _BATCH_EVERY == 0:
                together[place].append(_timed(one.search, batch, CANDIDATES)[0])
        progress(number + 1)
    for place, measured in enumerate(found):
        measured.query = Times.of(wall[place], cpu[place])
        measured.of_exact = round(float(np.median(np.divide(cpu[0], cpu[place]))), 3)
        measured.of_exact_wall = round(float(np.median(np.divide(wall[0], wall[place]))), 3)
        measured.queries_per_s = round(BATCH / float(np.median(together[place])), 1)
        if reading[place]:
            measured.bound_ms = round(1e3 * float(np.median(reading[place])), 4)
            measured.over_bound = round(float(np.median(np.divide(cpu[place], reading[place]))), 3)


def _time_changes(one: Contender, measured: Measured, rows: Floats, probes: Floats) -> None:
    count = len(rows)
    many = isinstance(one, Ours)
    extra: Floats = np.resize(probes, (CHANGES if many else _SLOW_CHANGES, rows.shape[1]))
    fresh = [(count + number, row) for number, row in enumerate(extra)]
    if isinstance(one, Growing):
        measured.add = Times.of(*zip(*[_timed(one.add, *call) for call in fresh], strict=True))
        if many:
            others = [(number, extra[-1 - place]) for place, (number, _) in enumerate(fresh)]
            measured.replace = Times.of(*zip(*[_timed(one.add, *call) for call in others], strict=True))
    if isinstance(one, Forgetting):
        taken = [_timed(one.delete, number) for number, _ in reversed(fresh)]
        measured.delete = Times.of(*zip(*taken, strict=True))


def _timed(act: Callable[..., object], *args: object) -> tuple[float, float]:
    """Return the seconds that a call takes, on the wall and of CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    act(*args)
    return time.perf_counter() - wall, time.process_time() - cpu


def exponent(sizes: Sequence[int], values: Sequence[float]) -> float | None:
    """Return how a value grows with the size: the slope of the line through both logarithms."""
    if len(set(sizes)) < 2 or min(values) <= 0:
        return None
    slope: NDArray[np.float64] = np.polyfit(np.log(sizes), np.log(values), 1)
    return round(float(slope[0]), 3)
