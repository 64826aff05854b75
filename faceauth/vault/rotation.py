"""Rotates the key-encryption key while the service runs (R45), and can be interrupted anywhere.

A new version is written into the keyring, every data key is wrapped anew under it, and only then is the keyring
told that it is done. No template is touched: records are sealed under data keys, and these stay the same.
docs/keys.md says what a crash leaves.
"""

import os
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, Row

from faceauth.audit.events import Event
from faceauth.db.engine import Database
from faceauth.errors import StorageError
from faceauth.vault.audited import Audit
from faceauth.vault.keyring import Keyring, Random, bind_installation
from faceauth.vault.keyring_place import KeyringPlace
from faceauth.vault.keys import KeyringProvider
from faceauth.vault.keystore import wrap_context
from faceauth.vault.secret import KeyBytes
from faceauth.vault.wrapped import count_versions, exchange, take_turn, wrapped_otherwise

BATCH: Final = 500
"""Data keys wrapped anew in one transaction: on SQLite, enrolments wait for no longer than one batch takes."""

_PASSES: Final = 3

Progress = Callable[[int, int], None]
"""Called with how many data keys are wrapped anew, and of how many."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """How a rotation ended: the active and the minimum version, and how many data keys were wrapped anew.

    `resumed` says that an interrupted rotation was finished and no further version made; `unreadable` holds the
    ids of data keys that do not open and were left as they are.
    """

    version: int
    minimum: int
    rewrapped: int
    resumed: bool
    unreadable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Versions:
    """How the versions stand: `counts` says how many data keys are wrapped under each that has any."""

    active: int
    minimum: int
    rotating: bool
    counts: Mapping[int, int]


class Rotation:
    """Rotates one installation's key-encryption key. Two at once finish the same rotation together."""

    def __init__(
        self, *, place: KeyringPlace, data: Database, keys: Database, audit: Audit, random: Random = os.urandom
    ) -> None:
        self._place = place
        self._data = data
        self._keys = keys
        self._audit = audit
        self._random = random

    def status(self) -> Versions:
        """Return how the versions stand.

        Raises:
            KeyringMissing: If the keyring cannot be read.
        """
        keyring = self._place.load()
        with self._keys.read() as conn:
            counts = count_versions(conn)
        return Versions(keyring.active, keyring.minimum, keyring.rotating, counts)

    def rotate(
        self, *, tenant: str, actor: str, retire: bool = False, progress: Progress | None = None
    ) -> Rotated:
        """Make a new version and wrap every data key under it; or finish the rotation that was interrupted.

        With `retire` the minimum becomes the new version, so that older copies of the key store open no more. That
        is left out, and `Rotated.unreadable` says why, while a data key does not open: a good copy of it could
        then not be restored.

        Raises:
            AuditUnavailable: If it cannot be audited; nothing was done.
            KeyUnavailable: If the holder of the keys cannot be had. Run it again to go on.
            KeyringMissing: If the keyring cannot be read.
            KeyringForeign: If it is another installation's.
            StorageError: If keyring or database cannot be written. Run it again to go on.
        """
        with self._data.begin() as conn:
            bind_installation(conn, self._place.load())
            self._note(conn, tenant, actor, state="begun", mode="retire" if retire else "keep")
        keyring, resumed = self._begin()
        rewrapped = 0
        for _ in range(_PASSES):
            changed, unreadable = self._rewrap(keyring, progress, rewrapped)
            rewrapped += changed
            ended = self._finish(keyring, unreadable, retire=retire and not unreadable)
            if ended is not None:
                break
        else:
            raise StorageError(
                "Data keys are still being wrapped under an older version: every process must use this very "
                "keyring file. Then run it again."
            )
        self._keys.truncate_wal()
        with self._data.begin() as conn:
            self._note(conn, tenant, actor, state="finished", version=ended.active, count=rewrapped)
        return Rotated(ended.active, ended.minimum, rewrapped, resumed, unreadable)

    def _begin(self) -> tuple[Keyring, bool]:
        """Return the keyring with its new version, and whether an interrupted rotation had made that already."""
        with self._keys.begin() as conn:
            take_turn(conn, alone=True)
            keyring = self._place.load()
            if keyring.rotating:
                return keyring, True
            keyring = self._place.next(keyring, self._random)
            # Durable before any data key leans on it.
            self._place.replace(keyring)
            return keyring, False

    def _rewrap(self, keyring: Keyring, progress: Progress | None, before: int) -> tuple[int, tuple[str, ...]]:
        """Wrap what is under other versions; return how many were, and the ids of those that do not open."""
        provider = self._place.provider(keyring, random=self._random)
        usable = {version for version in self._place.versions(keyring) if version >= keyring.minimum}
        with self._keys.read() as conn:
            counts = count_versions(conn)
        total = before + sum(count for version, count in counts.items() if version != keyring.active)
        changed = 0
        after: object = None
        unreadable: list[str] = []
        while True:
            with self._keys.begin() as conn:
                rows = wrapped_otherwise(conn, keyring.active, after=after, limit=BATCH)
                fresh = _wrap_anew(provider, rows, usable)
                unreadable += [row.data_key_id for row in rows if row.data_key_id not in fresh]
                exchange(conn, rows, fresh)
            changed += len(fresh)
            if progress is not None:
                progress(before + changed + len(unreadable), total)
            if len(rows) < BATCH:
                return changed, tuple(unreadable)
            after = rows[-1].place

    def _finish(self, keyring: Keyring, unreadable: tuple[str, ...], *, retire: bool) -> Keyring | None:
        """Write that the rotation is done, and the new minimum; None if readable keys are left below it."""
        with self._keys.begin() as conn:
            take_turn(conn, alone=True)
            now = self._place.load()
            if now.active != keyring.active:
                return now  # another rotation has gone on from here
            left = sum(count for version, count in count_versions(conn).items() if version != now.active)
            if left > len(unreadable):
                return None
            ended = replace(now, rotating=False, minimum=now.active if retire else now.minimum)
            if ended != now:
                self._place.replace(ended)
            return ended

    def _note(self, conn: Connection, tenant: str, actor: str, **details: str | int) -> None:
        self._audit.append(conn, Event.KEY_ROTATED, tenant=tenant, account=None, actor=actor, details=details)


def _wrap_anew(
    provider: KeyringProvider, rows: Sequence[Row[tuple[object, ...]]], usable: Container[int]
) -> dict[str, bytes]:
    """Return the data keys wrapped anew, by their ids; those that do not open are left out."""
    items = [
        (row.data_key_id, row.wrapped, wrap_context(row.tenant, row.account, row.data_key_id, row.generation))
        for row in rows
        # Of another version, it could not be had; asked for it, a holder would refuse the whole batch.
        if int.from_bytes(row.wrapped[1:5], "big") in usable
    ]
    opened = provider.unwrap_many([(wrapped, context) for _, wrapped, context in items])
    good = [
        (name, key, context)
        for (name, _, context), key in zip(items, opened, strict=True)
        if isinstance(key, KeyBytes)
    ]
    try:
        wrapped = provider.wrap_many([(key, context) for _, key, context in good])
    finally:
        for _, key, _ in good:
            key.wipe()
    return {name: record for (name, _, _), record in zip(good, wrapped, strict=True)}
