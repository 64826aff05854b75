"""The repository of tombstones: one durable row an erasure, from its request to its receipt."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from faceauth.db.device_tables import device_challenges, device_keys
from faceauth.db.flow_tables import flows
from faceauth.db.schema import accounts, attempts, biometric_references, live_consents, sessions, tombstones
from faceauth.vault.scope import ErasureReason, ErasureState, Scope


@dataclass(frozen=True, slots=True)
class Tombstone:
    """An erasure as it stands. `doomed` collects what the receipt will say, in JSON's types."""

    tombstone_id: str
    scope: Scope
    reason: ErasureReason
    state: ErasureState
    requested_at: datetime
    finished_at: datetime | None
    doomed: Mapping[str, Any]
    token: str | None = field(repr=False)


def insert_tombstone(
    conn: Connection,
    tombstone_id: str,
    scope: Scope,
    *,
    reason: ErasureReason,
    at: datetime,
    doomed: Mapping[str, Any],
) -> None:
    """Record an erasure. On PostgreSQL a trigger first waits for whoever is using the account (R33)."""
    conn.execute(
        insert(tombstones).values(
            tombstone_id=tombstone_id,
            tenant=scope.tenant,
            account=scope.account,
            scenario=scope.scenario,
            reference_id=scope.reference_id,
            reason=reason.value,
            state=ErasureState.RECORDED.value,
            requested_at=at,
            doomed=dict(doomed),
        )
    )


def load(conn: Connection, tombstone_id: str) -> Tombstone | None:
    """Return one erasure."""
    row = conn.execute(select(tombstones).where(tombstones.c.tombstone_id == tombstone_id)).one_or_none()
    return None if row is None else _tombstone(row)


def latest(
    conn: Connection, scope: Scope, *, unfinished: bool = False, since: datetime | None = None
) -> str | None:
    """Return the id of the newest erasure of exactly this scope, or of the newest that is not done.

    `since` leaves out what was asked for before.
    """
    stones = tombstones.c
    query = select(stones.tombstone_id).where(
        stones.tenant == scope.tenant,
        stones.account == scope.account,
        stones.scenario.is_not_distinct_from(scope.scenario),
        stones.reference_id.is_not_distinct_from(scope.reference_id),
    )
    if unfinished:
        query = query.where(stones.state != ErasureState.DONE.value)
    if since is not None:
        query = query.where(stones.requested_at >= since)
    return conn.scalar(query.order_by(stones.requested_at.desc(), stones.tombstone_id.desc()).limit(1))


def receipts(conn: Connection, tenant: str, account: str, *, since: datetime) -> tuple[str, ...]:
    """Return the deletion receipts of an account for what was asked for from a time on, the oldest first."""
    stones = tombstones.c
    query = select(stones.receipt).where(
        stones.tenant == tenant,
        stones.account == account,
        stones.receipt.is_not(None),
        stones.requested_at >= since,
    )
    return tuple(conn.scalars(query.order_by(stones.requested_at, stones.tombstone_id)))


def unfinished(conn: Connection) -> tuple[str, ...]:
    """Return the ids of all erasures that are not done, oldest first."""
    query = select(tombstones.c.tombstone_id).where(tombstones.c.state != ErasureState.DONE.value)
    return tuple(conn.scalars(query.order_by(tombstones.c.requested_at, tombstones.c.tombstone_id)))


def every_id(conn: Connection) -> set[str]:
    """Return the ids of all erasures, finished or not."""
    return set(conn.scalars(select(tombstones.c.tombstone_id)))


def every(conn: Connection) -> Iterator[Tombstone]:
    """Yield all erasures, oldest first."""
    query = select(tombstones).order_by(tombstones.c.requested_at, tombstones.c.tombstone_id)
    for row in conn.execute(query.execution_options(yield_per=500)):
        yield _tombstone(row)


def advance(
    conn: Connection,
    stone: Tombstone,
    to: ErasureState,
    *,
    doomed: Mapping[str, Any],
    finished_at: datetime | None = None,
    token: str | None = None,
) -> bool:
    """Write the next state; return whether the erasure still stood where `stone` says."""
    done = conn.execute(
        update(tombstones)
        .where(tombstones.c.tombstone_id == stone.tombstone_id, tombstones.c.state == stone.state.value)
        .values(state=to.value, doomed=dict(doomed), finished_at=finished_at, receipt=token)
    )
    return done.rowcount == 1


def lock_account(conn: Connection, scope: Scope) -> None:
    """Wait for whoever stores or accepts for this account and keep them out until the commit.

    The order is that of the tombstones' trigger: account, then consents. SQLite has one writer anyway.
    """
    account = (accounts.c.tenant == scope.tenant, accounts.c.account == scope.account)
    conn.execute(select(accounts.c.account).where(*account).with_for_update()).all()
    consents = (live_consents.c.tenant == scope.tenant, live_consents.c.account == scope.account)
    conn.execute(
        select(live_consents.c.scenario).where(*consents).order_by(live_consents.c.scenario).with_for_update()
    ).all()


def references_in(conn: Connection, scope: Scope) -> tuple[str, ...]:
    """Return the ids of the references in the scope."""
    rows = biometric_references.c.reference_id
    return tuple(conn.scalars(select(rows).where(scope.covers()).order_by(rows)))


def delete_rows(conn: Connection, scope: Scope) -> dict[str, int]:
    """Delete everything in the scope but the proof of consent (R37); return how many rows of each table."""
    gone = references_in(conn, scope)
    for start in range(0, len(gone), 500):  # well under SQLite's 32,766 parameters (sqlite.org/limits.html)
        some = gone[start : start + 500]
        conn.execute(update(sessions).where(sessions.c.reference_id.in_(some)).values(reference_id=None))
    counts = {"references": conn.execute(delete(biometric_references).where(scope.covers())).rowcount}
    if scope.reference_id is None:
        consents = [live_consents.c.tenant == scope.tenant, live_consents.c.account == scope.account]
        if scope.scenario is not None:
            consents.append(live_consents.c.scenario == scope.scenario)
        counts["live_consents"] = conn.execute(delete(live_consents).where(*consents)).rowcount
    if scope.whole_account:
        counts |= _delete_account(conn, scope)
    return counts


def remaining(conn: Connection, scope: Scope) -> int:
    """Return how many rows of the scope are left that should not be."""
    left = len(references_in(conn, scope))
    if scope.reference_id is None:
        query = select(func.count()).where(
            live_consents.c.tenant == scope.tenant, live_consents.c.account == scope.account
        )
        if scope.scenario is not None:
            query = query.where(live_consents.c.scenario == scope.scenario)
        left += conn.scalar(query) or 0
    return left


def _delete_account(conn: Connection, scope: Scope) -> dict[str, int]:
    counts = {}
    # Whatever hangs on the account goes before it.
    for table in (device_challenges, device_keys, flows, attempts, accounts):
        rows = (table.c.tenant == scope.tenant, table.c.account == scope.account)
        counts[table.name] = conn.execute(delete(table).where(*rows)).rowcount
    mine = or_(sessions.c.account == scope.account, sessions.c.matched_account == scope.account)
    counts["sessions"] = conn.execute(
        update(sessions)
        .where(sessions.c.tenant == scope.tenant, mine)
        .values(account=None, matched_account=None, reference_id=None, device_id=None, transaction_text=None)
    ).rowcount
    return counts


def _tombstone(row: Row[Any]) -> Tombstone:
    return Tombstone(
        tombstone_id=row.tombstone_id,
        scope=Scope(row.tenant, row.account, row.scenario, row.reference_id),
        reason=ErasureReason(row.reason),
        state=ErasureState(row.state),
        requested_at=row.requested_at,
        finished_at=row.finished_at,
        doomed=row.doomed,
        token=row.receipt,
    )
