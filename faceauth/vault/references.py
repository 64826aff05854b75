"""Stores sealed references and opens them again. Every row leans on a live consent, held by the database (R27)."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import structlog
from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from faceauth.clock import Clock
from faceauth.db.schema import biometric_references as table
from faceauth.errors import (
    FaceauthError,
    KeyDestroyed,
    KeyUnavailable,
    Mismatch,
    SealBroken,
    UnknownReference,
)
from faceauth.types import ConsentGrant, Probe, Reference
from faceauth.vault.keyring import Random
from faceauth.vault.keys import DataKey
from faceauth.vault.keystore import DataKeys
from faceauth.vault.quarantine import Quarantine, marked, may_mark
from faceauth.vault.scope import ERASING, Scope
from faceauth.vault.sealing import SealContext, open_sealed, seal

_BATCH: Final = 500
_UNIT_TOLERANCE: Final = 1e-3
"""How far from 1 a float32 embedding's length may be; rounding alone stays far below, raw outputs far above."""

Report = Callable[[str, FaceauthError], None]
"""Told the id of a reference that does not open, and why."""


@dataclass(frozen=True, slots=True)
class ReferenceInfo:
    """What a person may see of a reference: never a vector. `model_digest` is in hexadecimal."""

    reference_id: str
    scenario: str
    model_digest: str
    created_at: datetime


def log_broken(reference_id: str, error: FaceauthError) -> None:
    """Write the broken reference to the log; it stays where it is, for a restore (R48)."""
    structlog.get_logger(__name__).error("reference_broken", reference_id=reference_id, code=error.code)


class ReferenceStore:
    """The repository of `biometric_references`. Transactions are the caller's.

    Args:
        keys: The data keys.
        clock: The time now.
        new_id: Makes an id that starts with the given word.
        random: The source of nonces.
        report: Told of each reference that does not open; it is skipped and left in place.
        quarantine: Where it is marked, so that it stays out of use.
    """

    def __init__(
        self,
        keys: DataKeys,
        clock: Clock,
        new_id: Callable[[str], str],
        *,
        random: Random = os.urandom,
        report: Report = log_broken,
        quarantine: Quarantine | None = None,
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._new_id = new_id
        self._random = random
        self._report = report
        self._quarantine = quarantine

    def add(
        self, conn: Connection, grant: ConsentGrant, probe: Probe, *, key: DataKey, count: int = 3
    ) -> tuple[str, ...]:
        """Seal the best `count` parts of a probe as references of their own and return their ids, best first.

        They take the place of the account's references of the same scenario and model.

        Raises:
            KeyUnavailable: If `key` is no longer the account's newest, for then it may be destroyed any moment.
            sqlalchemy.exc.IntegrityError: If there is no such live consent, or an erasure of it is under way.
            ValueError: If the parts are no unit vectors.
        """
        parts = probe.parts[:count]
        _require_unit(parts)
        old = self.ids(
            conn,
            tenant=grant.tenant,
            account=grant.account,
            scenario=grant.scenario,
            model_digest=probe.model_digest,
        )
        ids = tuple(self._new_id("reference") for _ in parts)
        for reference_id, part in zip(ids, parts, strict=True):
            context = SealContext(
                tenant=grant.tenant,
                account=grant.account,
                reference=reference_id,
                scenario=grant.scenario,
                consent=grant.consent_id,
                model_digest=probe.model_digest,
            )
            conn.execute(
                insert(table).values(
                    reference_id=reference_id,
                    tenant=grant.tenant,
                    account=grant.account,
                    scenario=grant.scenario,
                    consent_id=grant.consent_id,
                    model_digest=probe.model_digest,
                    data_key_id=key.data_key_id,
                    sealed=seal(part, key, context, random=self._random),
                    created_at=self._clock(),
                )
            )
        # After the new rows, whose trigger locks the consent: an erasure takes that lock before it touches rows,
        # and two that take locks in opposite orders would wait for each other.
        conn.execute(delete(table).where(table.c.reference_id.in_(old)))
        # After the rows: they hold the locks that an erasure re-keying this account waits for. It made its new key
        # before it waits, so either it finds these rows, or this look finds the new key.
        if not self._keys.is_current(key):
            raise KeyUnavailable("The account's key was just replaced, so nothing was stored. Try again.")
        return ids

    def ids(
        self, conn: Connection, *, tenant: str, account: str, scenario: str, model_digest: bytes | None = None
    ) -> tuple[str, ...]:
        """Return the ids of the account's references of one scenario, and of one model if given."""
        query = select(table.c.reference_id).where(Scope(tenant, account, scenario).covers())
        if model_digest is not None:
            query = query.where(table.c.model_digest == model_digest)
        return tuple(conn.scalars(query.order_by(table.c.reference_id)))

    def open_account(
        self, conn: Connection, *, tenant: str, account: str, scenario: str, model_digest: bytes
    ) -> tuple[Reference, ...]:
        """Open the account's references of one scenario and one model (R23); others are left alone.

        A reference that does not open is reported, put into quarantine and skipped; so is one that is there.

        Raises:
            KeyUnavailable: If no key can be had.
            SealBroken: If there are references and not one of them opens.
        """
        covers = Scope(tenant, account, scenario).covers()
        query = _openable().where(covers, table.c.model_digest == model_digest).order_by(table.c.reference_id)
        rows = conn.execute(query).all()
        shut = marked(conn, [row.reference_id for row in rows]) if rows else frozenset()
        opened = tuple(self._open_rows([row for row in rows if row.reference_id not in shut], conn))
        if rows and not opened:
            raise SealBroken("None of the account's references opens; restore them from a backup.")
        return opened

    def open_one(self, conn: Connection, reference_id: str, *, expected_tenant: str) -> Reference:
        """Open one reference, to confirm a hit of the index.

        Raises:
            UnknownReference: If it is not there, is being erased, or is another tenant's.
            KeyUnavailable: If its key cannot be had.
            SealBroken: If it does not open.
        """
        query = _openable().where(table.c.reference_id == reference_id, table.c.tenant == expected_tenant)
        row = conn.execute(query).one_or_none()
        if row is None:
            raise UnknownReference(f"There is no reference {reference_id}.")
        if marked(conn, [reference_id]):
            raise SealBroken(f"The reference {reference_id} is in quarantine. See: faceauth doctor")
        try:
            with closing_key(self._keys.open(row.data_key_id)) as key:
                return _open(row, key)
        except (KeyDestroyed, SealBroken) as error:
            self._broken(conn, reference_id, error)
            raise

    def still_there(self, conn: Connection, reference_id: str) -> None:
        """Check, inside the transaction that accepts, that the reference was not erased meanwhile.

        Raises:
            Mismatch: If it was, or is being erased.
        """
        query = _openable().where(table.c.reference_id == reference_id).with_for_update(read=True)
        if conn.execute(query).one_or_none() is None:
            raise Mismatch("The reference that matched was erased meanwhile.")

    def count(self, conn: Connection, *, tenant: str, scenario: str) -> int:
        """Return how many references `open_scenario` will go through."""
        here = (table.c.tenant == tenant, table.c.scenario == scenario)
        return conn.scalar(select(func.count()).select_from(table).where(*here, ~ERASING)) or 0

    def open_scenario(self, conn: Connection, *, tenant: str, scenario: str) -> Iterator[Reference]:
        """Open every reference of a scenario, to fill the index; those that do not open are reported and skipped.

        Raises:
            KeyUnavailable: If no key can be had.
        """
        for rows in self.sealed_rows(conn, tenant=tenant, scenario=scenario):
            yield from self._open_rows(rows)

    def sealed_rows(
        self, conn: Connection, *, tenant: str | None = None, scenario: str | None = None
    ) -> Iterator[Sequence[Row[tuple[object, ...]]]]:
        """Return batches of rows that are not being erased, without opening them."""
        query = _openable().order_by(table.c.reference_id)
        if tenant is not None:
            query = query.where(table.c.tenant == tenant)
        if scenario is not None:
            query = query.where(table.c.scenario == scenario)
        yield from conn.execute(query.execution_options(yield_per=_BATCH)).partitions()

    def describe(self, conn: Connection, *, tenant: str, account: str) -> list[ReferenceInfo]:
        """Return what the account has, oldest first."""
        query = (
            _openable().where(Scope(tenant, account).covers()).order_by(table.c.created_at, table.c.reference_id)
        )
        return [
            ReferenceInfo(row.reference_id, row.scenario, row.model_digest.hex(), row.created_at)
            for row in conn.execute(query)
        ]

    def reseal(self, conn: Connection, *, key: DataKey) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Seal the account's references under `key`, but for those being erased.

        Returns:
            The ids that are now under `key`, and the ids of those that did not open and were left as they are.

        Raises:
            KeyUnavailable: If an old key cannot be had for now.
        """
        query = _openable().where(Scope(key.tenant, key.account).covers()).order_by(table.c.reference_id)
        rows = conn.execute(query.where(table.c.data_key_id != key.data_key_id)).all()
        opened = {reference.reference_id: reference for reference in self._open_rows(rows)}
        for reference in opened.values():
            record = seal(reference.vector, key, _context(reference), random=self._random)
            conn.execute(
                update(table)
                .where(table.c.reference_id == reference.reference_id)
                .values(sealed=record, data_key_id=key.data_key_id)
            )
        return tuple(opened), tuple(row.reference_id for row in rows if row.reference_id not in opened)

    def _open_rows(
        self, rows: Sequence[Row[tuple[object, ...]]], conn: Connection | None = None
    ) -> Iterator[Reference]:
        """Open rows; those that do not are reported, and marked where the caller's `conn` is given."""
        keys = self._keys.open_many(row.data_key_id for row in rows)
        try:
            for row in rows:
                key = keys[row.data_key_id]
                if not isinstance(key, DataKey):
                    self._broken(conn, row.reference_id, key)
                    continue
                try:
                    reference = _open(row, key)
                except SealBroken as error:
                    self._broken(conn, row.reference_id, error)
                else:
                    yield reference
        finally:
            for key in keys.values():
                if isinstance(key, DataKey):
                    key.wipe()

    def _broken(self, conn: Connection | None, reference_id: str, error: SealBroken | KeyDestroyed) -> None:
        """Report; and mark what is damaged. A key that is gone is an erasure's doing, or an old key database's."""
        self._report(reference_id, error)
        if self._quarantine is not None and conn is not None and isinstance(error, SealBroken) and may_mark(conn):
            self._quarantine.mark(reference_id, error)


@contextmanager
def closing_key(key: DataKey) -> Iterator[DataKey]:
    """Overwrite the key when the block ends."""
    try:
        yield key
    finally:
        key.wipe()


def _openable() -> Select[tuple[object, ...]]:
    return select(table).where(~ERASING)


def _open(row: Row[tuple[object, ...]], key: DataKey) -> Reference:
    context = SealContext(
        tenant=row.tenant,
        account=row.account,
        reference=row.reference_id,
        scenario=row.scenario,
        consent=row.consent_id,
        model_digest=row.model_digest,
    )
    return Reference(
        reference_id=row.reference_id,
        tenant=row.tenant,
        account=row.account,
        scenario=row.scenario,
        consent_id=row.consent_id,
        model_digest=row.model_digest,
        vector=open_sealed(row.sealed, key, context),
    )


def _context(reference: Reference) -> SealContext:
    return SealContext(
        tenant=reference.tenant,
        account=reference.account,
        reference=reference.reference_id,
        scenario=reference.scenario,
        consent=reference.consent_id,
        model_digest=reference.model_digest,
    )


def _require_unit(parts: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> None:
    if parts.ndim != 2 or not len(parts):
        raise ValueError("There is nothing to store.")
    lengths = np.linalg.norm(parts.astype(np.float64), axis=1)
    if not (np.abs(lengths - 1) <= _UNIT_TOLERANCE).all():
        raise ValueError("Only embeddings of unit length can be stored.")
