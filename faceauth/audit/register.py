"""The repository of incidents: what happened, since when it is known, whom it was told to, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, insert, select, update

from faceauth.db.incident_tables import incident_notices, incidents
from faceauth.db.rows import insert_if_absent
from faceauth.errors import UnknownIncident

Risk = Literal["none", "risk", "high"]
"""What it may mean for people: `none` takes no notice to the authority, `high` takes one to people as well (GDPR,
33(1) and 34(1))."""

NOTICE_WITHIN: Final = timedelta(hours=72)
"""From becoming aware to telling the authority (GDPR, article 33(1))."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident. `scope` says whom it reached, as `faceauth.incidents.Scope` reads it."""

    incident_id: str
    tenant: str
    title: str
    nature: str
    consequences: str
    measures: str
    risk: Risk
    scope: Mapping[str, Any]
    state: Literal["open", "closed"]
    aware_at: datetime
    authority_at: datetime | None
    created_by: str
    created_at: datetime
    closed_at: datetime | None
    report: str | None = field(repr=False)

    @property
    def due_at(self) -> datetime:
        """Until when the authority has to be told."""
        return self.aware_at + NOTICE_WITHIN

    def overdue(self, now: datetime) -> bool:
        """Whether the authority has to be told and was not, and the 72 hours are over."""
        return self.risk != "none" and self.authority_at is None and now > self.due_at


@dataclass(frozen=True, slots=True)
class Notice:
    """What was told to people about an incident, to how many, by whom and when."""

    notice_id: str
    texts: Mapping[str, str]
    people: int
    sent_by: str
    sent_at: datetime


def add(conn: Connection, **values: object) -> None:
    """Write a new incident; every column but `authority_at`, `closed_at` and `report` is given."""
    conn.execute(insert(incidents).values(**values))


def get(conn: Connection, incident_id: str, *, tenant: str) -> Incident:
    """Return one.

    Raises:
        UnknownIncident: there is none of that name for this tenant.
    """
    query = select(incidents).where(incidents.c.incident_id == incident_id, incidents.c.tenant == tenant)
    row = conn.execute(query).one_or_none()
    if row is None:
        raise UnknownIncident(f"There is no incident {incident_id!r}. See: faceauth incidents list")
    return _told(row)


def every(conn: Connection, *, tenant: str) -> tuple[Incident, ...]:
    """Return a tenant's incidents, the newest first."""
    query = select(incidents).where(incidents.c.tenant == tenant)
    return tuple(
        _told(row) for row in conn.execute(query.order_by(incidents.c.aware_at.desc(), incidents.c.incident_id))
    )


def unfinished(conn: Connection) -> tuple[Incident, ...]:
    """Return what waits for somebody, of every tenant: open, or closed and the authority still to be told."""
    waiting = (incidents.c.state == "open") | ((incidents.c.risk != "none") & incidents.c.authority_at.is_(None))
    return tuple(
        _told(row) for row in conn.execute(select(incidents).where(waiting).order_by(incidents.c.aware_at))
    )


def change(conn: Connection, incident_id: str, **values: object) -> bool:
    """Change an open incident; return whether it was open."""
    done = conn.execute(
        update(incidents)
        .where(incidents.c.incident_id == incident_id, incidents.c.state == "open")
        .values(**values)
    )
    return done.rowcount == 1


def add_notice(conn: Connection, incident_id: str, notice: Notice) -> None:
    """Write down what people are told; the same notice again changes nothing."""
    row = {
        "notice_id": notice.notice_id,
        "incident_id": incident_id,
        "texts": dict(notice.texts),
        "people": notice.people,
        "sent_by": notice.sent_by,
        "sent_at": notice.sent_at,
    }
    insert_if_absent(conn, incident_notices, row)


def notices_of(conn: Connection, incident_id: str) -> tuple[Notice, ...]:
    """Return what people were told, the oldest first."""
    table = incident_notices.c
    query = select(table.notice_id, table.texts, table.people, table.sent_by, table.sent_at)
    rows = conn.execute(query.where(table.incident_id == incident_id).order_by(table.sent_at, table.notice_id))
    return tuple(Notice(*row) for row in rows)


def _told(row: Row[tuple[object, ...]]) -> Incident:
    return Incident(**row._mapping)  # noqa: SLF001  SQLAlchemy's public name for a row as a mapping
