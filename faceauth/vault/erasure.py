"""Erases, in R40's order, and can be interrupted anywhere.

Tombstone → journal → survivors re-sealed → data keys destroyed → rows → index → write-ahead log → looked for →
receipt. From the tombstone's commit on, the gate and the database's triggers deny; every step may be done twice;
`resume` goes on where a crash stopped. docs/erasure.md draws it.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from threading import Lock
from typing import Any

import structlog
from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.clock import Clock
from faceauth.db.engine import Database
from faceauth.errors import FaceauthError, InvalidRequest, KeyDestroyed, StorageError
from faceauth.signing import DELETION_RECEIPT, Signer
from faceauth.vault import tombstones
from faceauth.vault.audited import Audit
from faceauth.vault.index import ReferenceIndex
from faceauth.vault.journal import Journal, Noted, noted_of
from faceauth.vault.keystore import DataKeys
from faceauth.vault.receipts import DeletionReceipt, claims_of, iso, receipt_of
from faceauth.vault.references import ReferenceStore
from faceauth.vault.scope import ErasureReason, ErasureState, Scope
from faceauth.vault.tombstones import Tombstone


class Erasure:
    """Runs erasures, one at a time in this process; other processes may run beside it."""

    def __init__(
        self,
        *,
        data: Database,
        keys: DataKeys,
        index: ReferenceIndex,
        journal: Journal,
        signer: Signer,
        audit: Audit,
        clock: Clock,
        new_id: Callable[[str], str],
    ) -> None:
        self._data = data
        self._keys = keys
        self._index = index
        self._journal = journal
        self._signer = signer
        self._audit = audit
        self._clock = clock
        self._new_id = new_id
        self._references = ReferenceStore(keys, clock, new_id)
        self._turn = Lock()
        self._steps: Mapping[ErasureState, Callable[[Tombstone], None]] = {
            ErasureState.RECORDED: self._reseal_survivors,
            ErasureState.RESEALED: self._destroy_keys,
            ErasureState.KEYS_DESTROYED: self._delete_rows,
            ErasureState.ROWS_DELETED: self._clear_index,
            ErasureState.INDEX_CLEARED: self._truncate,
            ErasureState.WAL_TRUNCATED: self._verify,
            ErasureState.VERIFIED: self._finish,
        }

    def request(
        self,
        conn: Connection,
        *,
        tenant: str,
        account: str,
        reason: ErasureReason | str,
        scenario: str | None = None,
        reference_id: str | None = None,
        actor: str = "system",
    ) -> str:
        """Record the erasure in the caller's transaction and return its id; `run` it after the commit.

        Without scenario and reference the whole account goes. An unfinished erasure of the same scope is answered
        instead of a second one.

        Raises:
            InvalidRequest: If the reason is none of `ErasureReason`, or scenario and reference are both given.
            AuditUnavailable: If it cannot be audited.
        """
        if scenario is not None and reference_id is not None:
            raise InvalidRequest("An erasure reaches a scenario or a reference, not both.")
        try:
            why = ErasureReason(reason)
        except ValueError:
            raise InvalidRequest(f"{reason!r} is no reason for an erasure.") from None
        scope = Scope(tenant, account, scenario, reference_id)
        earlier = tombstones.latest(conn, scope, unfinished=True)
        if earlier is not None:
            return earlier
        tombstone_id, now = self._new_id("tombstone"), self._clock()
        doomed = {
            "references": list(tombstones.references_in(conn, scope)),
            "steps": {ErasureState.RECORDED.value: iso(now)},
        }
        tombstones.insert_tombstone(conn, tombstone_id, scope, reason=why, at=now, doomed=doomed)
        self._record(
            conn, Event.ERASURE_REQUESTED, scope, actor=actor, reason=why.value, tombstone_id=tombstone_id
        )
        return tombstone_id

    def replay(self, conn: Connection, noted: Noted) -> None:
        """Record, under its old id, an erasure that a restored copy of the data does not know; `run` it after.

        Raises:
            AuditUnavailable: If it cannot be audited.
        """
        doomed = {
            "references": list(tombstones.references_in(conn, noted.scope)),
            "steps": {ErasureState.RECORDED.value: iso(self._clock())},
        }
        tombstones.insert_tombstone(
            conn, noted.tombstone_id, noted.scope, reason=noted.reason, at=noted.requested_at, doomed=doomed
        )
        about = {"reason": noted.reason.value, "tombstone_id": noted.tombstone_id}
        self._record(conn, Event.ERASURE_REQUESTED, noted.scope, actor="restore", **about)

    def last(
        self,
        conn: Connection,
        *,
        tenant: str,
        account: str,
        scenario: str | None = None,
        since: datetime | None = None,
    ) -> str | None:
        """Return the id of the newest erasure of the scenario, or of the whole account, finished or not.

        `since` leaves out what was asked for before: another person may have had the account's name.
        """
        return tombstones.latest(conn, Scope(tenant, account, scenario), since=since)

    def receipts(self, conn: Connection, *, tenant: str, account: str, since: datetime) -> tuple[str, ...]:
        """Return the signed receipts of an account's erasures, the oldest first.

        `since` is when the account was made: before, another person may have had its name.
        """
        return tombstones.receipts(conn, tenant, account, since=since)

    def unfinished(self) -> tuple[str, ...]:
        """Return the ids of the erasures that are not done, oldest first."""
        with self._data.read() as conn:
            return tombstones.unfinished(conn)

    def run(self, tombstone_id: str) -> DeletionReceipt:
        """Do what is left of the erasure and return its receipt; for one that is done, the receipt it has.

        Raises:
            InvalidRequest: If there is no such erasure.
            KeyUnavailable, StorageError, AuditUnavailable: If a step failed. It stays unfinished, the gate stays
                shut for its scope, and `run` or `resume` goes on.
        """
        with self._turn:
            while True:
                stone = self._load(tombstone_id)
                if stone.state is ErasureState.DONE:
                    return receipt_of(stone)
                with suppress(_Overtaken):
                    self._steps[stone.state](stone)

    def resume(self) -> list[DeletionReceipt]:
        """Go on with every unfinished erasure; return the receipts of those that got done.

        One that fails again is logged and stays unfinished: it must not keep the others from their end, and the
        gate stays shut for its scope.
        """
        receipts = []
        for tombstone_id in self.unfinished():
            try:
                receipts.append(self.run(tombstone_id))
            except FaceauthError as error:
                structlog.get_logger(__name__).error(
                    "erasure_unfinished", tombstone_id=tombstone_id, code=error.code
                )
        return receipts

    # --- the steps, each from one state to the next -----------------------------------------------------------

    def _reseal_survivors(self, stone: Tombstone) -> None:
        """Move what stays of the account to a new key, and write down the old ones, which can then go."""
        # Before anything is touched: if this database is lost and an older copy restored, it is erased there too.
        self._journal.note(noted_of(stone))
        tenant, account = stone.scope.tenant, stone.scope.account
        if stone.scope.whole_account:
            with self._data.begin() as conn:
                found = {"data_keys": self._keys.ids(tenant, account), "resealed": 0, "unreadable": ()}
                self._advance(conn, stone, ErasureState.RESEALED, found)
            return
        # The new key comes before the lock: an enrolment that holds the lock was checked against an older key and
        # is found below; one that gets it later is checked against this key and refused.
        self._keys.replace(tenant, account)
        with self._data.begin() as conn:
            tombstones.lock_account(conn, stone.scope)
            # Another erasure of this account may have made a newer key since; it will do as well.
            newest = self._keys.current(tenant, account)
            moved, broken = self._references.reseal(conn, key=newest)
            old = self._keys.ids(tenant, account, before=newest.generation)
            found = {"data_keys": old, "resealed": len(moved), "unreadable": broken}
            self._advance(conn, stone, ErasureState.RESEALED, found)

    def _destroy_keys(self, stone: Tombstone) -> None:
        scope, names = stone.scope, set(stone.doomed["data_keys"])
        if scope.whole_account:
            # One made since by an enrolment that was then refused; it sealed nothing.
            names.update(self._keys.ids(scope.tenant, scope.account))
        # Once more with the keys: an older copy of the key database may bring them back.
        self._journal.note(noted_of(stone, names))
        for name in sorted(names):
            self._keys.destroy(name)
        with self._data.begin() as conn:
            for name in sorted(names):
                self._record(conn, Event.DATA_KEY_DESTROYED, scope, key_id=name, tombstone_id=stone.tombstone_id)
            self._advance(conn, stone, ErasureState.KEYS_DESTROYED, {"data_keys": sorted(names)})

    def _delete_rows(self, stone: Tombstone) -> None:
        with self._data.begin() as conn:
            tombstones.lock_account(conn, stone.scope)
            references = {*stone.doomed["references"], *tombstones.references_in(conn, stone.scope)}
            counts = tombstones.delete_rows(conn, stone.scope)
            found = {"references": sorted(references), "rows": counts}
            self._advance(conn, stone, ErasureState.ROWS_DELETED, found)

    def _clear_index(self, stone: Tombstone) -> None:
        for reference_id in stone.doomed["references"]:
            self._index.remove(reference_id)
        with self._data.begin() as conn:
            self._advance(conn, stone, ErasureState.INDEX_CLEARED)

    def _truncate(self, stone: Tombstone) -> None:
        self._data.truncate_wal()
        with self._data.begin() as conn:
            self._advance(conn, stone, ErasureState.WAL_TRUNCATED)

    def _verify(self, stone: Tombstone) -> None:
        opened = self._keys.open_many(stone.doomed["data_keys"]).values()
        keys = sum(not isinstance(key, KeyDestroyed) for key in opened)
        indexed = sum(reference_id in self._index for reference_id in stone.doomed["references"])
        with self._data.begin() as conn:
            left = tombstones.remaining(conn, stone.scope) + keys + indexed
            # What is found again is erased again, from the start: a receipt is never written over it.
            self._advance(conn, stone, ErasureState.RECORDED if left else ErasureState.VERIFIED)
        if left:
            raise StorageError(
                f"The erasure {stone.tombstone_id} found {left} things left. It starts again later."
            )

    def _finish(self, stone: Tombstone) -> None:
        now = self._clock()
        token = self._signer.sign(claims_of(stone, now, storage=self._data.dialect), typ=DELETION_RECEIPT)
        with self._data.begin() as conn:
            self._advance(conn, stone, ErasureState.DONE, finished_at=now, token=token)
            self._record(
                conn,
                Event.ERASURE_FINISHED,
                stone.scope,
                count=len(stone.doomed["references"]),
                reason=stone.reason.value,
                tombstone_id=stone.tombstone_id,
            )

    # --- the record -------------------------------------------------------------------------------------------

    def _load(self, tombstone_id: str) -> Tombstone:
        with self._data.read() as conn:
            stone = tombstones.load(conn, tombstone_id)
        if stone is None:
            raise InvalidRequest(f"There is no erasure {tombstone_id}.")
        return stone

    def _advance(
        self,
        conn: Connection,
        stone: Tombstone,
        to: ErasureState,
        found: Mapping[str, Any] | None = None,
        *,
        finished_at: datetime | None = None,
        token: str | None = None,
    ) -> None:
        """Write the next state; if another process was faster, roll this step back and look again."""
        steps = {**stone.doomed["steps"], to.value: iso(self._clock())}
        doomed = {**stone.doomed, **(found or {}), "steps": steps}
        if not tombstones.advance(conn, stone, to, doomed=doomed, finished_at=finished_at, token=token):
            raise _Overtaken

    def _record(
        self, conn: Connection, event: Event, scope: Scope, *, actor: str = "system", **details: str | int
    ) -> None:
        if scope.scenario is not None:
            details["scenario"] = scope.scenario
        self._audit.append(conn, event, tenant=scope.tenant, account=scope.account, actor=actor, details=details)


class _Overtaken(Exception):
    """Another process moved this erasure on."""
