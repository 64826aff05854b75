"""Whose time is over: the clocks of R39 over every consent that was given and not ended."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, Row, Select, func, or_, select

from faceauth.db.schema import live_consents, scenarios, sessions

Clock = Literal["scenario_retired", "consent_expired", "term_ended", "inactivity"]
"""Which clock ran out; the words are those of `faceauth.vault.scope.ErasureReason`."""


@dataclass(frozen=True, slots=True)
class Due:
    """One person's consent to one scenario that has to end, by which clock, and since when."""

    tenant: str
    account: str
    scenario: str
    clock: Clock
    since: datetime


def due(conn: Connection, *, now: datetime, inactivity: timedelta) -> Iterator[Due]:
    """Yield everything whose time is over, tenant by tenant; the earliest clock of each counts (R39).

    Args:
        conn: an open connection to the data database.
        now: the time now.
        inactivity: how long a face may go unused. A use is a login or an enrolment that was accepted; agreeing
            counts too.
    """
    shortest = conn.scalar(select(func.min(scenarios.c.retention_days)))
    if shortest is None:
        return
    earliest = now - min(inactivity, timedelta(days=shortest))
    query = _consents().where(
        or_(
            scenarios.c.state == "retired",
            live_consents.c.valid_until <= now,
            live_consents.c.granted_at <= earliest,
        )
    )
    order = (live_consents.c.tenant, live_consents.c.account, live_consents.c.scenario)
    for row in conn.execute(query.order_by(*order)).all():
        over = _over(conn, row, now, inactivity)
        if over is not None:
            yield over


def retired(conn: Connection) -> frozenset[tuple[str, str]]:
    """Return the tenant and the name of every scenario that is retired."""
    query = select(scenarios.c.tenant, scenarios.c.scenario).where(scenarios.c.state == "retired")
    return frozenset((row.tenant, row.scenario) for row in conn.execute(query))


def still_due(conn: Connection, what: Due, *, now: datetime, inactivity: timedelta) -> bool:
    """Say whether it is still over, whoever renewed or logged in meanwhile."""
    here = live_consents.c
    query = _consents().where(
        here.tenant == what.tenant, here.account == what.account, here.scenario == what.scenario
    )
    row = conn.execute(query).one_or_none()
    return row is not None and _over(conn, row, now, inactivity) is not None


def _consents() -> Select[tuple[object, ...]]:
    here = live_consents.c
    return select(
        here.tenant,
        here.account,
        here.scenario,
        here.granted_at,
        here.valid_until,
        scenarios.c.state,
        scenarios.c.retention_days,
    ).join(scenarios, (scenarios.c.tenant == here.tenant) & (scenarios.c.scenario == here.scenario))


def _over(conn: Connection, row: Row[tuple[object, ...]], now: datetime, inactivity: timedelta) -> Due | None:
    if row.state == "retired":
        # The day of its retirement is in the audit log; here it only matters that it is over.
        return Due(row.tenant, row.account, row.scenario, "scenario_retired", now)
    clocks: list[tuple[datetime, Clock]] = [
        (row.valid_until, "consent_expired"),
        (row.granted_at + timedelta(days=row.retention_days), "term_ended"),
    ]
    if row.granted_at + inactivity <= now:
        used = max(filter(None, (row.granted_at, _last_use(conn, row))))
        clocks.append((used + inactivity, "inactivity"))
    since, clock = min(clocks)
    return Due(row.tenant, row.account, row.scenario, clock, since) if since <= now else None


def _last_use(conn: Connection, row: Row[tuple[object, ...]]) -> datetime | None:
    found = sessions.c
    who = or_(found.account == row.account, found.matched_account == row.account)
    query = select(func.max(found.decided_at)).where(
        found.tenant == row.tenant, who, found.scenario == row.scenario, found.state == "accepted"
    )
    at: datetime | None = conn.scalar(query)
    return at
