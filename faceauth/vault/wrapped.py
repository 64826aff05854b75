"""The part of the key store that rotation needs: which version wraps which data key, and their exchange."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, LargeBinary, Row, bindparam, func, select, text, update

from faceauth.db.order import reading_order
from faceauth.db.schema import data_keys

_TURN: Final = 4_902_117
"""PostgreSQL's advisory lock of key rotation: any fixed number that nobody else uses."""

_VERSION: Final = func.substr(data_keys.c.wrapped, 2, 4, type_=LargeBinary)
"""The key version in a wrapped key (docs/template-format.md); big endian, so bytes are in the versions' order."""


def take_turn(conn: Connection, *, alone: bool) -> None:
    """Keep rotation and the makers of data keys apart until the commit; SQLite has one writer anyway.

    Makers share a turn, so they do not wait for each other. A rotation changes the keyring alone: whoever makes a
    key before has committed it, and whoever makes one after reads the keyring after.
    """
    if conn.dialect.name == "postgresql":
        lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
        conn.execute(text(f"SELECT {lock}(:turn)"), {"turn": _TURN})


def count_versions(conn: Connection) -> dict[int, int]:
    """Return how many data keys are wrapped under each version of the key-encryption key."""
    found = conn.execute(select(_VERSION, func.count()).group_by(_VERSION).order_by(_VERSION))
    return {int.from_bytes(version, "big"): count for version, count in found}


def versions_of_accounts(conn: Connection, *, tenant: str) -> dict[str, set[int]]:
    """Return under which versions of the key-encryption key each account's data keys are wrapped now."""
    found: dict[str, set[int]] = {}
    query = select(data_keys.c.account, _VERSION).distinct().where(data_keys.c.tenant == tenant)
    for account, version in conn.execute(query):
        found.setdefault(account, set()).add(int.from_bytes(version, "big"))
    return found


def wrapped_otherwise(
    conn: Connection, version: int, *, after: object, limit: int
) -> Sequence[Row[tuple[object, ...]]]:
    """Return the next data keys, in the order of their `place`, that are not wrapped under `version`.

    Args:
        conn: A connection to the key store.
        version: Of the key-encryption key.
        after: The place behind which to look; None for the beginning.
        limit: How many at most.
    """
    place = reading_order(conn, data_keys.c.data_key_id)
    query = select(place.label("place"), data_keys).where(_VERSION.is_distinct_from(version.to_bytes(4, "big")))
    if after is not None:
        query = query.where(place > after)
    return conn.execute(query.order_by(place).limit(limit)).all()


def exchange(conn: Connection, rows: Sequence[Row[tuple[object, ...]]], wrapped: Mapping[str, bytes]) -> None:
    """Put newly wrapped keys in the place of those in `rows`; one that was destroyed meanwhile stays destroyed."""
    changes = [
        {"at": row.place, "which": row.data_key_id, "old": row.wrapped, "new": wrapped[row.data_key_id]}
        for row in rows
        if row.data_key_id in wrapped
    ]
    if changes:
        conn.execute(
            update(data_keys)
            .where(
                reading_order(conn, data_keys.c.data_key_id) == bindparam("at"),
                data_keys.c.data_key_id == bindparam("which"),
                data_keys.c.wrapped == bindparam("old"),
            )
            .values(wrapped=bindparam("new")),
            changes,
        )
