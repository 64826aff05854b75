"""Observe mode: what the gates measured, kept a short while for tuning, of nobody in particular.

Thresholds are to be set on real sessions of the place they serve. A row holds one measured value, the level, and
the gate that ended the burst. It holds no frame, no session and no account: the values of one burst share a random
number, and only the day is kept, so that no row can be laid beside a session by its time. Rows are read by a
command on the machine itself and by nothing that answers requests (R24).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Connection, delete, insert, select

from faceauth.clock import Clock
from faceauth.db.engine import Database
from faceauth.db.schema import gate_observations
from faceauth.errors import FaceauthError, LivenessDenied

log = structlog.get_logger(__name__)

ACCEPTED: Final = "accepted"
"""The outcome of a burst that every gate let pass."""

MOST_VALUES: Final = 200
"""Values kept of one burst: a bound, several times what all gates tell."""


@dataclass(slots=True)
class Observed:
    """What one burst's gates measured so far; call it as a `faceauth.types.Recorder`."""

    values: list[tuple[str, str, float]] = field(default_factory=list, repr=False)

    def __call__(self, gate: str, name: str, value: float) -> None:
        """Take one measured value of one gate."""
        if len(self.values) < MOST_VALUES:
            self.values.append((gate, name, float(value)))


@dataclass(frozen=True, slots=True)
class Measured:
    """All values of one kind that are kept: of bursts that were accepted, and of those that were not."""

    gate: str
    name: str
    accepted: tuple[float, ...] = field(repr=False)
    denied: tuple[float, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How often each gate ended a burst of a level, `accepted` among them."""

    profile: str
    counts: dict[str, int]


class Observations:
    """The table of what gates measured.

    Args:
        random: returns that many unguessable bytes.
        days: how many days a row is kept.
    """

    def __init__(self, *, random: Callable[[int], bytes], days: int) -> None:
        self._random = random
        self._days = days

    def keep(self, conn: Connection, observed: Observed, *, profile: str, outcome: str, now: datetime) -> None:
        """Store one burst's values, and drop what is too old.

        Args:
            conn: a transaction.
            observed: the values.
            profile: the liveness level.
            outcome: `ACCEPTED`, or the gate that denied.
            now: the time now; its day is kept.
        """
        self.expire(conn, now=now)
        burst, day = self._random(16).hex(), now.date()
        shared = {"burst": burst, "profile": profile, "outcome": outcome, "day": day}
        # A burst that was denied before anything was measured counts too.
        values = observed.values or [("none", "none", 0.0)]
        conn.execute(
            insert(gate_observations),
            [{**shared, "gate": gate, "name": name, "value": value} for gate, name, value in values],
        )

    def expire(self, conn: Connection, *, now: datetime) -> int:
        """Delete rows that are too old; return how many."""
        oldest = now.date() - timedelta(days=self._days)
        return conn.execute(delete(gate_observations).where(gate_observations.c.day < oldest)).rowcount

    def measured(self, conn: Connection) -> Sequence[Measured]:
        """Return every kind of value, by gate and name."""
        table = gate_observations.c
        values: dict[tuple[str, str], tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
        for gate, name, value, outcome in conn.execute(
            select(table.gate, table.name, table.value, table.outcome).where(table.gate != "none")
        ):
            values[gate, name][outcome != ACCEPTED].append(value)
        return [Measured(*key, tuple(yes), tuple(no)) for key, (yes, no) in sorted(values.items())]

    def outcomes(self, conn: Connection) -> Sequence[Outcomes]:
        """Return how often each gate ended a burst, by level."""
        table = gate_observations.c
        counts: dict[str, dict[str, int]] = defaultdict(dict)
        bursts = select(table.burst, table.profile, table.outcome).distinct()
        for _, profile, outcome in conn.execute(bursts):
            counts[profile][outcome] = counts[profile].get(outcome, 0) + 1
        return [Outcomes(profile, dict(sorted(found.items()))) for profile, found in sorted(counts.items())]


@dataclass(frozen=True, slots=True)
class Observer:
    """Keeps what the gates measured, beside the decision and without a say in it.

    Args:
        data: the data database.
        observations: its table.
        clock: the time.
    """

    data: Database
    observations: Observations
    clock: Clock

    @contextmanager
    def watch(self, profile: str) -> Iterator[Observed]:
        """Give what to tell the values to; when the block ends, they are kept with how it ended."""
        observed = Observed()
        try:
            yield observed
        except LivenessDenied as denied:
            self._keep(observed, profile, denied.gate)
            raise
        self._keep(observed, profile, ACCEPTED)

    def _keep(self, observed: Observed, profile: str, outcome: str) -> None:
        try:
            with self.data.begin() as conn:
                self.observations.keep(conn, observed, profile=profile, outcome=outcome, now=self.clock())
        except FaceauthError as error:
            # Nobody is let in or turned away because something could not be noted for tuning.
            log.warning("liveness.not_observed", error=type(error).__name__)
