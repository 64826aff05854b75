"""The wrapped data keys, in a database of their own.

Destroying a row here is what erases: every copy of the data, older backups too, is then sealed for good. For that
a backup must keep only the newest copy of this database.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, Row, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from faceauth.clock import Clock
from faceauth.db.engine import Database
from faceauth.db.schema import data_keys
from faceauth.errors import KeyDestroyed, SealBroken, StorageError
from faceauth.vault.keyring import KEY_BYTES, Random
from faceauth.vault.keys import DataKey, KeyProvider
from faceauth.vault.records import pack_fields
from faceauth.vault.secret import KeyBytes
from faceauth.vault.wrapped import take_turn

_TRIES: Final = 5
_NO_TENANT: Final = ""
"""Whose loose keys are; a tenant's own name is never empty, so none of their contexts is a stored key's."""

_IDS_IN_A_QUERY: Final = 10_000
"""Under the 32,766 parameters SQLite takes in one statement (sqlite.org/limits.html): the more at once, the fewer
times a page of the index over random ids is read."""

_OF_A_KEY: Final = tuple(
    data_keys.c[name] for name in ("data_key_id", "tenant", "account", "generation", "wrapped")
)
"""What opens a key; reading when each was made would take longer than unwrapping it."""


@dataclass(frozen=True, slots=True)
class LooseKey:
    """A wrapped key that is in no database: it opens as one of an account would, for work that stands for such."""

    data_key_id: str
    account: str
    wrapped: bytes = field(repr=False)


class DataKeys:
    """Makes, opens and destroys the data keys of accounts. Opened keys are not kept: a destroyed one is gone."""

    def __init__(self, keys: Database, provider: KeyProvider, clock: Clock, random: Random = os.urandom) -> None:
        self._keys = keys
        self._provider = provider
        self._clock = clock
        self._random = random

    def current(self, tenant: str, account: str) -> DataKey:
        """Return the newest key of the account; its first one is made if there is none.

        Raises:
            KeyUnavailable: If the provider cannot wrap or unwrap.
            SealBroken: If the wrapped key is altered.
        """
        with self._keys.read() as conn:
            row = _newest(conn, tenant, account)
        return self._open(row) if row is not None else self._make(tenant, account, first=True)

    def replace(self, tenant: str, account: str) -> DataKey:
        """Make the account's next generation; the older ones stay until they are destroyed.

        Raises:
            KeyUnavailable: If the provider cannot wrap.
        """
        return self._make(tenant, account, first=False)

    def open(self, data_key_id: str) -> DataKey:
        """Return one key.

        Raises:
            KeyDestroyed: If it is not there.
            KeyUnavailable: If the provider cannot unwrap it.
            SealBroken: If it is altered.
        """
        with self._keys.read() as conn:
            row = conn.execute(select(data_keys).where(data_keys.c.data_key_id == data_key_id)).one_or_none()
        if row is None:
            raise KeyDestroyed(f"The data key {data_key_id} was destroyed; what it sealed cannot be opened.")
        return self._open(row)

    def open_many(self, data_key_ids: Iterable[str]) -> dict[str, DataKey | SealBroken | KeyDestroyed]:
        """Return each key, or why that one does not open.

        Raises:
            KeyUnavailable: If the provider fails: that is about all of them, not about one.
        """
        wanted = sorted(set(data_key_ids))
        found: dict[str, DataKey | SealBroken | KeyDestroyed] = {}
        for start in range(0, len(wanted), _IDS_IN_A_QUERY):
            some = wanted[start : start + _IDS_IN_A_QUERY]
            with self._keys.read() as conn:
                rows = conn.execute(select(*_OF_A_KEY).where(data_keys.c.data_key_id.in_(some))).all()
            secrets = self._provider.unwrap_many(
                [
                    (wrapped, wrap_context(tenant, account, name, generation))
                    for name, tenant, account, generation, wrapped in rows
                ]
            )
            for (name, tenant, account, generation, _), secret in zip(rows, secrets, strict=True):
                key = (
                    secret
                    if isinstance(secret, SealBroken)
                    else DataKey(name, tenant, account, generation, secret)
                )
                found[name] = key
        for name in wanted:
            if name not in found:
                found[name] = KeyDestroyed(f"The data key {name} was destroyed; what it sealed cannot be opened.")
        return found

    def make_loose(self, account: str) -> tuple[LooseKey, DataKey]:
        """Make a key that is stored nowhere, wrapped as any other is.

        Raises:
            KeyUnavailable: If the provider cannot wrap.
        """
        name, secret = f"key_{self._random(16).hex()}", KeyBytes(self._random(KEY_BYTES))
        wrapped = self._provider.wrap(secret, context=wrap_context(_NO_TENANT, account, name, 1))
        return LooseKey(name, account, wrapped), DataKey(name, _NO_TENANT, account, 1, secret)

    def open_loose(self, loose: LooseKey) -> DataKey:
        """Open such a key, with the look into the database that any other takes.

        Raises:
            KeyUnavailable: If the provider cannot unwrap it.
            SealBroken: If it is altered.
        """
        with self._keys.read() as conn:
            conn.execute(select(*_OF_A_KEY).where(data_keys.c.data_key_id.in_([loose.data_key_id]))).all()
        context = wrap_context(_NO_TENANT, loose.account, loose.data_key_id, 1)
        (secret,) = self._provider.unwrap_many([(loose.wrapped, context)])
        if isinstance(secret, SealBroken):
            raise secret
        return DataKey(loose.data_key_id, _NO_TENANT, loose.account, 1, secret)

    def is_current(self, key: DataKey) -> bool:
        """Say whether `key` still is the newest of its account; ask inside the transaction that seals with it."""
        with self._keys.read() as conn:
            row = _newest(conn, key.tenant, key.account)
        return row is not None and row.data_key_id == key.data_key_id

    def ids(self, tenant: str, account: str, *, before: int | None = None) -> tuple[str, ...]:
        """Return the ids of the account's keys, oldest first; those of a generation below `before`, if given."""
        query = select(data_keys.c.data_key_id).where(data_keys.c.tenant == tenant, data_keys.c.account == account)
        if before is not None:
            query = query.where(data_keys.c.generation < before)
        with self._keys.read() as conn:
            return tuple(conn.scalars(query.order_by(data_keys.c.generation)))

    def destroy(self, data_key_id: str) -> None:
        """Delete the key's row for good: overwritten, out of the write-ahead log, and looked for afterwards.

        Destroying what is gone does the same again, so that an interrupted erasure can go on.

        Raises:
            StorageError: If the bytes may still be there. Try again.
        """
        with self._keys.begin() as conn:
            conn.execute(delete(data_keys).where(data_keys.c.data_key_id == data_key_id))
        self._keys.truncate_wal()
        with self._keys.read() as conn:
            left = conn.scalar(
                select(func.count()).select_from(data_keys).where(data_keys.c.data_key_id == data_key_id)
            )
        if left:
            raise StorageError(f"The data key {data_key_id} is still there after its destruction. Try again.")

    def _make(self, tenant: str, account: str, *, first: bool) -> DataKey:
        """Insert the next generation. Two makers meet at the unique generation, and the later one looks again."""
        for _ in range(_TRIES):
            try:
                with self._keys.begin() as conn:
                    # Before the key is wrapped: a rotation that begins now finds it, or makes it wait.
                    take_turn(conn, alone=False)
                    row = _newest(conn, tenant, account)
                    if row is not None and first:
                        return self._open(row)
                    return self._insert(conn, tenant, account, 1 if row is None else row.generation + 1)
            except IntegrityError:
                continue
        raise StorageError("The account's data key is being changed by others. Try again.")

    def _insert(self, conn: Connection, tenant: str, account: str, generation: int) -> DataKey:
        key = DataKey(
            data_key_id=f"key_{self._random(16).hex()}",
            tenant=tenant,
            account=account,
            generation=generation,
            secret=KeyBytes(self._random(KEY_BYTES)),
        )
        wrapped = self._provider.wrap(
            key.secret, context=wrap_context(tenant, account, key.data_key_id, generation)
        )
        conn.execute(
            insert(data_keys).values(
                data_key_id=key.data_key_id,
                tenant=tenant,
                account=account,
                generation=generation,
                wrapped=wrapped,
                created_at=self._clock(),
            )
        )
        return key

    def _open(self, row: Row[tuple[object, ...]]) -> DataKey:
        return _opened(row, self._provider.unwrap(row.wrapped, context=_context(row)))


def _newest(conn: Connection, tenant: str, account: str) -> Row[tuple[object, ...]] | None:
    return conn.execute(
        select(data_keys)
        .where(data_keys.c.tenant == tenant, data_keys.c.account == account)
        .order_by(data_keys.c.generation.desc())
        .limit(1)
    ).one_or_none()


def _context(row: Row[tuple[object, ...]]) -> bytes:
    return wrap_context(row.tenant, row.account, row.data_key_id, row.generation)


def _opened(row: Row[tuple[object, ...]], secret: KeyBytes) -> DataKey:
    return DataKey(row.data_key_id, row.tenant, row.account, row.generation, secret)


def wrap_context(tenant: str, account: str, data_key_id: str, generation: int) -> bytes:
    """Bind a wrapped key to its row, so that it opens in no other."""
    return pack_fields((tenant.encode(), account.encode(), data_key_id.encode(), generation.to_bytes(4, "big")))
