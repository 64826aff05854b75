"""Destroys an old version of the key-encryption key, once nothing is wrapped under it and two people agreed (R52).

Whoever has an older copy of the key database, with data keys wrapped under it, then has bytes that open no more.
"""

from dataclasses import replace
from typing import Protocol

from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.db.engine import Database
from faceauth.errors import InvalidRequest
from faceauth.vault.audited import Audit
from faceauth.vault.keyring import Keyring, bind_installation
from faceauth.vault.keyring_place import KeyringPlace
from faceauth.vault.wrapped import count_versions, take_turn


class Approved(Protocol):
    """What the destruction needs of the second person's approval."""

    def check(self, conn: Connection) -> None:
        """Return if this very act is approved now, or raise."""
        ...

    def use(self, conn: Connection) -> None:
        """Write that the act was done."""
        ...


class Destruction:
    """Destroys versions of one installation's key-encryption key, the oldest first."""

    def __init__(self, *, place: KeyringPlace, data: Database, keys: Database, audit: Audit) -> None:
        self._place = place
        self._data = data
        self._keys = keys
        self._audit = audit

    def check_possible(self, version: int) -> None:
        """Return if the version could be destroyed now.

        Raises:
            InvalidRequest: If it is not there, is in use, or has data keys wrapped under it.
            KeyUnavailable: If the keyring or the holder of the keys cannot be had.
        """
        with self._keys.read() as conn:
            self._check(conn, self._place.load(), version)

    def destroy(self, version: int, *, tenant: str, actor: str, approved: Approved) -> str:
        """Destroy the version and return what is left for the operator to do; interrupted, it can be run again.

        Raises:
            ApprovalRequired: If no second person has approved it.
            AuditUnavailable: If it cannot be audited; nothing was done.
            InvalidRequest, KeyUnavailable: As `check_possible`.
            StorageError: If keyring or database cannot be written.
        """
        with self._data.begin() as conn:
            bind_installation(conn, self._place.load())
            approved.check(conn)
            self._note(conn, tenant, actor, version=version, state="begun")
        with self._keys.begin() as conn:
            # Nobody wraps under it while it goes: makers of data keys and rotations wait for this turn.
            take_turn(conn, alone=True)
            keyring = self._place.load()
            if version not in keyring.destroyed:
                self._check(conn, keyring, version)
                kek = {number: key for number, key in keyring.kek.items() if number != version}
                gone = (*keyring.destroyed, version)
                minimum = max(keyring.minimum, version + 1)
                # First the keyring says that it is gone, then it goes: in between, nobody uses it.
                self._place.exchange_for_good(replace(keyring, kek=kek, destroyed=gone, minimum=minimum))
        told = self._place.destroy(version)
        with self._data.begin() as conn:
            approved.use(conn)
            self._note(conn, tenant, actor, version=version, state="finished")
        return told

    def _check(self, conn: Connection, keyring: Keyring, version: int) -> None:
        there = [number for number in self._place.versions(keyring) if number not in keyring.destroyed]
        if version in keyring.destroyed:
            raise InvalidRequest(f"Version {version} was destroyed already.")
        if version >= keyring.active or keyring.rotating:
            raise InvalidRequest(
                f"Version {version} is not an old one: make a new one and let it finish: faceauth keys rotate"
            )
        if version not in there:
            raise InvalidRequest(f"There is no version {version}. See: faceauth keys status")
        if version != min(there):
            raise InvalidRequest(f"Version {min(there)} is older: destroy it first.")
        left = count_versions(conn).get(version, 0)
        if left:
            raise InvalidRequest(
                f"{left:,} data keys are still wrapped under version {version}, and would be lost with it. Run: "
                "faceauth keys rotate"
            )

    def _note(self, conn: Connection, tenant: str, actor: str, **details: str | int) -> None:
        self._audit.append(conn, Event.KEY_DESTROYED, tenant=tenant, account=None, actor=actor, details=details)
