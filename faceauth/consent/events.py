"""Reads and appends the ledger's rows. There is no way here to change or delete one, nor in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from faceauth.consent.names import is_account, is_scenario
from faceauth.db.schema import consent_events as table


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """One line of the ledger; `seq` counts the account's lines from 1, `receipt` is the signed record (a JWS)."""

    event_id: str
    seq: int
    consent_id: str
    tenant: str
    account: str
    scenario: str
    state: str
    notice_version: int
    notice_sha256: str
    locale: str
    event_at: datetime
    valid_until: datetime | None
    record: Mapping[str, object] = field(repr=False)
    receipt: str = field(repr=False)


def append_event(conn: Connection, event: ConsentEvent) -> ConsentEvent:
    """Write one line; the caller holds the account's lock."""
    conn.execute(insert(table).values({name: getattr(event, name) for name in ConsentEvent.__slots__}))
    return event


def standing_event(events: Sequence[ConsentEvent]) -> ConsentEvent | None:
    """Return the line that says where one person stands with one scenario; None if there are no lines.

    It is the last one, save that a no leaves an earlier yes standing: only withdrawing, or its time, ends that.

    Args:
        events: all lines of the person and the scenario, the oldest first.
    """
    found: ConsentEvent | None = None
    for event in events:
        if event.state != "refused" or found is None or found.state not in {"given", "renewed"}:
            found = event
    return found


def next_seq(conn: Connection, tenant: str, account: str) -> int:
    """Return the number of the account's next line; the caller holds the account's lock."""
    query = select(func.max(table.c.seq)).where(table.c.tenant == tenant, table.c.account == account)
    return (conn.scalar(query) or 0) + 1


def account_events(
    conn: Connection,
    tenant: str,
    account: str,
    scenario: str | None = None,
    *,
    since: datetime | None = None,
) -> tuple[ConsentEvent, ...]:
    """Return the account's lines, the oldest first, of one scenario or of all, from a time on or all."""
    if not is_account(account) or not (scenario is None or is_scenario(scenario)):
        return ()
    query = select(table).where(table.c.tenant == tenant, table.c.account == account).order_by(table.c.seq)
    if scenario is not None:
        query = query.where(table.c.scenario == scenario)
    if since is not None:
        query = query.where(table.c.event_at >= since)
    return tuple(ConsentEvent(**row) for row in conn.execute(query).mappings())
