"""Whom an incident reached, read from the audit log: whose face was used, or was stored, at some time.

The log holds pseudonyms only; whoever knows the accounts' names and the key finds out who they are (R50, R54).
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, Result, Row, select

from faceauth.audit.events import Event
from faceauth.db.audit_tables import audit_log

Reach = Literal["used", "stored"]
"""`used`: something was done with the face in the window; `stored`: a reference was kept during some of it."""

_USED: Final = frozenset(event for event in Event if event.split(":")[1] in {"session", "reference"})
_KEPT: Final = (Event.REFERENCE_STORED, Event.REFERENCE_RENEWED, Event.ERASURE_FINISHED)
_PART_ONLY: Final = frozenset({"reference_deleted", "model_replaced"})
"""Erasures that may leave other references of the scope: after them the person still counts."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which records count: from `since` on and before `until`, of one scenario or of all."""

    since: datetime
    until: datetime
    scenario: str | None = None


def subjects(conn: Connection, *, tenant: str, reach: Reach, window: Window) -> frozenset[str]:
    """Return the pseudonyms of everybody the window reaches."""
    return _used(conn, tenant, window) if reach == "used" else _stored(conn, tenant, window)


def _used(conn: Connection, tenant: str, window: Window) -> frozenset[str]:
    rows = _records(conn, tenant, sorted(_USED), since=window.since, until=window.until)
    return frozenset(
        row.subject for row in rows if window.scenario in {None, row.details.get("scenario", window.scenario)}
    )


def _stored(conn: Connection, tenant: str, window: Window) -> frozenset[str]:
    """Follow each person's references from the first record on; who left before the window does not count."""
    kept: dict[str, set[str | None]] = defaultdict(set)
    for row in _records(conn, tenant, sorted(_KEPT), since=None, until=window.until):
        scenario = row.details.get("scenario")
        if row.event != Event.ERASURE_FINISHED:
            kept[row.subject].add(scenario)
        elif row.at < window.since and row.details.get("reason") not in _PART_ONLY:
            kept[row.subject] -= {scenario} if scenario is not None else kept[row.subject]
    return frozenset(who for who, scenarios in kept.items() if scenarios and window.scenario in {None, *scenarios})


def _records(
    conn: Connection, tenant: str, events: list[Event], *, since: datetime | None, until: datetime
) -> Iterator[Row[Any]]:
    log = audit_log.c
    query = select(log.subject, log.event, log.at, log.details).where(
        log.tenant == tenant, log.subject.is_not(None), log.event.in_(events), log.at < until
    )
    if since is not None:
        query = query.where(log.at >= since)
    rows: Result[Any] = conn.execute(query.order_by(log.seq).execution_options(yield_per=1_000))
    yield from rows
