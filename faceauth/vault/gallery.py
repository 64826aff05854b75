"""Reads and opens the references that searches compare with, all of them, for the start.

Every batch is read in a transaction of its own: one that stayed open for the whole gallery would hold back the
truncation of the write-ahead log, and with it every erasure (R40).
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, func, select, tuple_

from faceauth.db.engine import Database
from faceauth.db.order import reading_order
from faceauth.db.schema import biometric_references as table
from faceauth.errors import KeyDestroyed, SealBroken
from faceauth.vault.index import Place
from faceauth.vault.keys import DataKey
from faceauth.vault.keystore import DataKeys
from faceauth.vault.opening import Keys, Opener, SealedRow, dimension_of, open_row
from faceauth.vault.quarantine import Quarantine, not_marked
from faceauth.vault.references import Report, log_broken
from faceauth.vault.scope import ERASING

ROWS_AT_ONCE: Final = 10_000
"""Rows of a batch; docs/index-engines.md has what other sizes cost."""

_COLUMNS: Final = tuple(table.c[name] for name in SealedRow._fields)

Scenarios = Collection[tuple[str, str]]
"""Tenants with a scenario of theirs."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenedRows:
    """References of one place: `rows` of n and `vectors`, shape (n, d), which the next batch overwrites."""

    place: Place
    rows: Sequence[SealedRow]
    vectors: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Batch:
    rows: Sequence[SealedRow]
    keys: Keys
    after: object


class Gallery:
    """The references of some scenarios, made by some models.

    Args:
        data: The data database.
        keys: The data keys.
        scenarios: Whose references are wanted.
        models: The digests of the models that made them; what other models made is left closed (R23).
        report: Told of each reference that does not open; it is skipped and left in place (R48).
        quarantine: Where damaged ones are marked; those marked before are left closed.
        rows_at_once: How many are read and opened together; `ROWS_AT_ONCE` if not given.
    """

    def __init__(
        self,
        data: Database,
        keys: DataKeys,
        *,
        scenarios: Scenarios,
        models: Collection[bytes],
        report: Report = log_broken,
        quarantine: Quarantine | None = None,
        rows_at_once: int | None = None,
    ) -> None:
        self._data = data
        self._keys = keys
        self._scenarios = tuple(scenarios)
        self._models = tuple(models)
        self._report = report
        self._quarantine = quarantine
        self._rows_at_once = rows_at_once or ROWS_AT_ONCE
        self._openers: dict[int, Opener] = {}

    def count(self) -> dict[tuple[str, str], int]:
        """Count the references of each scenario, whatever model made them; more may come, and some may go."""
        with self._data.read() as conn:
            return {
                (tenant, scenario): conn.scalar(
                    select(func.count()).where(table.c.tenant == tenant, table.c.scenario == scenario)
                )
                or 0
                for tenant, scenario in self._scenarios
            }

    def __iter__(self) -> Iterator[OpenedRows]:
        """Open them all, place by place within each batch; the next batch is read meanwhile.

        A reference stored meanwhile may be there or not. One erased meanwhile may still be given: whoever takes
        it must know of erasures that happened since it began, as `ReferenceIndex.adding` does.

        Raises:
            KeyUnavailable: If no key can be had.
            StorageError: If the databases fail.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="gallery") as ahead:
            coming = ahead.submit(self._read, None)
            try:
                while (batch := coming.result()).rows:
                    coming = ahead.submit(self._read, batch.after)
                    yield from self._open(batch)
            finally:
                for opener in self._openers.values():
                    opener.wipe()

    def _read(self, after: object) -> _Batch:
        """Read the rows behind `after`, and their keys."""
        with self._data.read() as conn:
            order = reading_order(conn, table.c.reference_id)
            query = select(order.label("place_in_order"), *_COLUMNS).where(*self._wanted())
            if after is not None:
                query = query.where(order > after)
            found = conn.execute(query.order_by(order).limit(self._rows_at_once)).all()
        rows = [SealedRow._make(row[1:]) for row in found]
        keys = self._keys.open_many(row.data_key_id for row in rows)
        return _Batch(rows, keys, found[-1][0] if found else None)

    def _wanted(self) -> tuple[ColumnElement[bool], ...]:
        # Not the bare columns: SQLite would go by the index over them, and then sort by place in the file.
        here = tuple_(table.c.tenant + "", table.c.scenario + "").in_(self._scenarios)
        return here, table.c.model_digest.in_(self._models), not_marked(table.c.reference_id), ~ERASING

    def _open(self, batch: _Batch) -> Iterator[OpenedRows]:
        by_place: dict[tuple[str, str, bytes, int], list[SealedRow]] = defaultdict(list)
        for row in batch.rows:
            by_place[row.tenant, row.scenario, row.model_digest, len(row.sealed)].append(row)
        failed: list[SealedRow] = []
        for (tenant, scenario, model, _), rows in by_place.items():
            dimension = dimension_of(rows[0].sealed)
            if not dimension:
                failed += rows
                continue
            vectors, opened, left = self._opener(dimension).open(rows, batch.keys)
            failed += left
            if opened:
                yield OpenedRows(Place(tenant, scenario, model), opened, vectors)
        for key in batch.keys.values():
            if isinstance(key, DataKey):
                key.wipe()
        for row in failed:
            yield from self._look_again(row)

    def _opener(self, dimension: int) -> Opener:
        if dimension not in self._openers:
            self._openers[dimension] = Opener(self._rows_at_once, dimension)
        return self._openers[dimension]

    def _look_again(self, row: SealedRow) -> Iterator[OpenedRows]:
        """Open one that did not: since it was read it may have been erased or sealed anew, and all is well.

        An erasure of one scenario seals the account's other references under a new key and destroys the old one.
        """
        while (current := self._read_one(row.reference_id)) is not None:
            key = self._keys.open_many([current.data_key_id])[current.data_key_id]
            try:
                vector = open_row(current, key)
            except (KeyDestroyed, SealBroken) as error:
                if current == row:
                    self._report(row.reference_id, error)
                    # A key that is gone is an erasure's doing, or an old key database's: no damage.
                    if self._quarantine is not None and isinstance(error, SealBroken):
                        self._quarantine.mark(row.reference_id, error)
                    return
                row = current
            else:
                yield OpenedRows(
                    Place(current.tenant, current.scenario, current.model_digest), [current], vector[None]
                )
                return

    def _read_one(self, reference_id: str) -> SealedRow | None:
        with self._data.read() as conn:
            query = select(*_COLUMNS).where(table.c.reference_id == reference_id, *self._wanted())
            found = conn.execute(query).one_or_none()
        return None if found is None else SealedRow._make(found)
