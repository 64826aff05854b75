"""The repository of messages: put there by whoever has something to tell, taken out by the delivery.

A message is durable with the transaction that puts it, and gone with it. It is delivered at least once, under an
id that stays the same through every try, so that a receiver can leave out what it has seen.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select, update

from faceauth.db.outbox_tables import outbox as table
from faceauth.db.rows import insert_missing
from faceauth.outbox.endpoints import Endpoints

State = Literal["pending", "delivered", "dead"]

KEPT_DELIVERED: Final = timedelta(days=7)
"""How long a delivered message is kept, so that a receiver that lost it can have it again. Own figure."""

KEPT_DEAD: Final = timedelta(days=90)
"""How long one is kept that was given up. Own figure: as long as the records of sessions."""

_SOME: Final = 500
"""Ids in one query, well under SQLite's 32,766 parameters (sqlite.org/limits.html)."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one endpoint; `body` is the exact text that is signed and sent."""

    message_id: str
    endpoint_id: str
    tenant: str
    account: str | None
    kind: str
    body: str = field(repr=False)
    state: State
    tries: int
    due_at: datetime
    created_at: datetime
    finished_at: datetime | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class Letter:
    """What to put: `key` names the act within tenant and kind, `account` whom it is about, if anybody."""

    key: str
    data: Mapping[str, object]
    account: str | None = None


def message_id_of(tenant: str, kind: str, key: str) -> str:
    """Return the id of what `key` names within a tenant and a kind: the same every time."""
    named = json.dumps([tenant, kind, key]).encode()
    return f"msg_{hashlib.sha256(named).hexdigest()[:32]}"


class Outbox:
    """Messages by tenant. Every method works in the caller's transaction."""

    def __init__(self) -> None:
        self._endpoints = Endpoints()

    def put(
        self,
        conn: Connection,
        *,
        tenant: str,
        kind: str,
        key: str,
        data: Mapping[str, object],
        account: str | None = None,
        now: datetime,
    ) -> str | None:
        """Write a message to every endpoint of the tenant; putting the same again changes nothing.

        Args:
            conn: The transaction of the act that the message tells of.
            tenant: Whose endpoints.
            kind: What happened, such as ``consent.requested``.
            key: Names the act within tenant and kind, such as a campaign's and an account's id.
            data: What to tell, as plain JSON: ids and what to show, nothing else about a person.
            account: Whom it is about, if anybody; the message goes when this account is closed.
            now: The time now.

        Returns:
            The message's id, or None where the tenant has no endpoint.
        """
        put = self.put_all(conn, tenant=tenant, kind=kind, letters=[Letter(key, data, account)], now=now)
        return message_id_of(tenant, kind, key) if put else None

    def put_all(
        self, conn: Connection, *, tenant: str, kind: str, letters: Sequence[Letter], now: datetime
    ) -> bool:
        """Write many messages of a kind at once, each as `put` does; return whether the tenant has an endpoint."""
        at = now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        endpoints = self._endpoints.list(conn, tenant=tenant)
        rows = [
            {
                "message_id": message_id_of(tenant, kind, letter.key),
                "endpoint_id": endpoint.endpoint_id,
                "tenant": tenant,
                "account": letter.account,
                "kind": kind,
                "body": _body(kind, at, letter.data),
                "state": "pending",
                "tries": 0,
                "due_at": now,
                "created_at": now,
            }
            for letter in letters
            for endpoint in endpoints
        ]
        insert_missing(conn, table, rows)
        return bool(endpoints)

    def claim(self, conn: Connection, *, now: datetime, lease: timedelta, most: int) -> tuple[Message, ...]:
        """Take what is due, the oldest first, and count a try; nobody else takes it before the lease is over.

        Whoever takes it says how it ended with `delivered`, `retry` or `bury`. If they die, the lease ends.
        """
        due = (
            select(table)
            .where(table.c.state == "pending", table.c.due_at <= now)
            .order_by(table.c.due_at, table.c.message_id)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        found = tuple(_message(row) for row in conn.execute(due).all())
        for one in found:
            conn.execute(update(table).where(*_is(one)).values(tries=one.tries + 1, due_at=now + lease))
        return found

    def delivered(self, conn: Connection, message: Message, *, now: datetime) -> None:
        """Note that the endpoint took it."""
        _move(conn, message, state="delivered", finished_at=now, problem=None)

    def retry(self, conn: Connection, message: Message, *, due_at: datetime, problem: str) -> None:
        """Note what was wrong, and when to try again."""
        _move(conn, message, due_at=due_at, problem=problem)

    def bury(self, conn: Connection, message: Message, *, problem: str, now: datetime) -> None:
        """Give it up; `replay` brings it back."""
        _move(conn, message, state="dead", finished_at=now, problem=problem)

    def replay(self, conn: Connection, *, tenant: str, message_id: str | None = None, now: datetime) -> int:
        """Try dead messages again from the beginning, one or all; or one that was delivered, by its id.

        Returns:
            How many rows, one for each endpoint.
        """
        rows = [table.c.tenant == tenant, table.c.state == "dead"]
        if message_id is not None:
            rows = [table.c.tenant == tenant, table.c.state != "pending", table.c.message_id == message_id]
        fresh = {"state": "pending", "tries": 0, "due_at": now, "finished_at": None, "problem": None}
        return conn.execute(update(table).where(*rows).values(**fresh)).rowcount

    def drop(self, conn: Connection, *, endpoint_id: str) -> int:
        """Delete what an endpoint has not got; return how many."""
        rows = (table.c.endpoint_id == endpoint_id, table.c.state != "delivered")
        return conn.execute(delete(table).where(*rows)).rowcount

    def clear(self, conn: Connection, *, now: datetime) -> int:
        """Delete what was delivered or given up long enough ago; return how many."""
        gone = 0
        for state, kept in (("delivered", KEPT_DELIVERED), ("dead", KEPT_DEAD)):
            old = (table.c.state == state, table.c.finished_at <= now - kept)
            gone += conn.execute(delete(table).where(*old)).rowcount
        return gone

    def list(
        self, conn: Connection, *, tenant: str, state: State | None = None, most: int = 100
    ) -> tuple[Message, ...]:
        """Return a tenant's messages, the newest first."""
        query = select(table).where(table.c.tenant == tenant)
        if state is not None:
            query = query.where(table.c.state == state)
        rows = conn.execute(query.order_by(table.c.created_at.desc(), table.c.message_id).limit(most))
        return tuple(_message(row) for row in rows)

    def counts(self, conn: Connection, *, tenant: str) -> dict[str, int]:
        """Return how many messages are in each state."""
        query = select(table.c.state, func.count()).where(table.c.tenant == tenant).group_by(table.c.state)
        found = {row.state: int(row[1]) for row in conn.execute(query)}
        return {"pending": 0, "delivered": 0, "dead": 0} | found

    def undelivered(self, conn: Connection, message_ids: Iterable[str]) -> frozenset[str]:
        """Return those of the ids that some endpoint has not got yet, or never will."""
        wanted, found = list(message_ids), set[str]()
        for start in range(0, len(wanted), _SOME):
            some = wanted[start : start + _SOME]
            query = select(table.c.message_id).where(table.c.message_id.in_(some), table.c.state != "delivered")
            found.update(conn.scalars(query))
        return frozenset(found)


def _body(kind: str, at: str, data: Mapping[str, object]) -> str:
    return json.dumps({"type": kind, "timestamp": at, "data": dict(data)}, ensure_ascii=False, allow_nan=False)


def _is(message: Message) -> tuple[ColumnElement[bool], ...]:
    return (table.c.message_id == message.message_id, table.c.endpoint_id == message.endpoint_id)


def _move(conn: Connection, message: Message, **values: object) -> None:
    # Only the one that is still pending: it may have gone with its account, or been settled by another process.
    conn.execute(update(table).where(*_is(message), table.c.state == "pending").values(**values))


def _message(row: Row[tuple[object, ...]]) -> Message:
    return Message(**{name: getattr(row, name) for name in Message.__slots__})
