"""How much the service is used, by day and scenario: from the audit log, where people are pseudonyms already."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from sqlalchemy import Connection, select

from faceauth.audit.events import Event
from faceauth.db.audit_tables import audit_log

DECIDED = {Event.SESSION_ACCEPTED: "accepted", Event.SESSION_DENIED: "denied"}


@dataclass(slots=True)
class Counts:
    """Sessions of one day and scenario that were accepted or denied, and the pseudonyms of whom they were for.

    `unknown` were denied to somebody who gave no name and was not found.
    """

    accepted: int = 0
    denied: int = 0
    unknown: int = 0
    subjects: set[str] = field(default_factory=set)

    def add(self, other: "Counts") -> None:
        """Count another group's sessions and people too."""
        self.accepted += other.accepted
        self.denied += other.denied
        self.unknown += other.unknown
        self.subjects |= other.subjects


def count_sessions(conn: Connection, *, tenant: str, since: date, until: date) -> dict[tuple[date, str], Counts]:
    """Return the decided sessions of whole UTC days, from `since` on and before `until`, by day and scenario."""
    found: dict[tuple[date, str], Counts] = {}
    for at, event, subject, scenario in _decided(conn, tenant, _midnight(since), _midnight(until)):
        counts = found.setdefault((at.astimezone(UTC).date(), scenario), Counts())
        setattr(counts, DECIDED[event], getattr(counts, DECIDED[event]) + 1)
        if subject is None:
            counts.unknown += 1
        else:
            counts.subjects.add(subject)
    return found


def _decided(
    conn: Connection, tenant: str, since: datetime, until: datetime
) -> Iterator[tuple[datetime, Event, str | None, str]]:
    log = audit_log.c
    query = select(log.at, log.event, log.subject, log.details).where(
        log.seq >= first_at(conn, since), log.at >= since, log.at < until, log.tenant == tenant
    )
    rows = conn.execute(query.where(log.event.in_(sorted(DECIDED))).execution_options(yield_per=1_000))
    for row in rows:
        if scenario := row.details.get("scenario"):
            yield row.at, Event(row.event), row.subject, scenario


def first_at(conn: Connection, at: datetime) -> int:
    """Return the number of the first record at that time or later, by halves: there is no index on the time."""
    low, high = 1, (conn.scalar(select(audit_log.c.seq).order_by(audit_log.c.seq.desc()).limit(1)) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        here = conn.scalar(
            select(audit_log.c.at).where(audit_log.c.seq >= middle).order_by(audit_log.c.seq).limit(1)
        )
        if here is not None and here < at:
            low = middle + 1
        else:
            high = middle
    return low


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
