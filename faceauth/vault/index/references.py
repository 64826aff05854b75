"""The index of opened references, in memory only: it is never written to a disk (R47)."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, NamedTuple

import numpy as np

from faceauth.errors import InvalidRequest, Starting
from faceauth.types import Reference, Vector
from faceauth.vault.index.blocks import Block, Sizes
from faceauth.vault.index.engine import EngineChoice, Floats, Rows
from faceauth.vault.index.partition import Directory, Partition, Place

_LOCKED_AT_ONCE: Final = 1_024
"""Rows of a batch that are added before searches get the lock again."""

_PROGRESS_EVERY: Final = 1_000

Progress = Callable[[int, int], None]
"""Told how many references are in the index, and of how many."""


class Candidate(NamedTuple):
    """A reference the index nominates. It counts for nothing until the database confirmed it."""

    reference_id: str
    score: float

    def __repr__(self) -> str:
        # Scores stay out of logs (R24).
        return f"Candidate({self.reference_id!r})"


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceBatch:
    """Opened references of one place: `ids` and `accounts` of n, `vectors` of shape (n, d)."""

    place: Place
    ids: Sequence[str]
    accounts: Sequence[str]
    vectors: Floats = field(repr=False)


class ReferenceIndex:
    """References by tenant, scenario and model. Threads may share it.

    Args:
        engine: Which engine blocks beyond a few rows use; `auto` chooses by size.
        sizes: From how many rows on, and how large blocks are.
    """

    def __init__(self, engine: EngineChoice = "auto", *, sizes: Sizes | None = None) -> None:
        self._choice = engine
        self._sizes = sizes or Sizes()
        self._lock = Lock()
        self._partitions: dict[Place, Partition] = {}
        self._directory = Directory()
        self._removals = _Removals()
        self._held = False

    @property
    def held(self) -> bool:
        """Whether searches are refused for now."""
        return self._held

    def hold(self) -> None:
        """Refuse searches until `release`: in an index half full the best candidate may be missing."""
        self._held = True

    def release(self) -> None:
        """Let searches in: everybody is there."""
        self._held = False

    def __len__(self) -> int:
        with self._lock:
            return len(self._directory.slots)

    def __contains__(self, reference_id: str) -> bool:
        with self._lock:
            return reference_id in self._directory.slots

    def count(self, tenant: str, scenario: str, model_digest: bytes) -> int:
        """Return how many references a search there compares with."""
        with self._lock:
            partition = self._partitions.get(Place(tenant, scenario, model_digest))
            return 0 if partition is None else partition.count

    def people(self, tenant: str, scenario: str, model_digest: bytes) -> int:
        """Return how many accounts a search there compares with: the size of the gallery (R8)."""
        with self._lock:
            partition = self._partitions.get(Place(tenant, scenario, model_digest))
            return 0 if partition is None else len(partition.people)

    @contextmanager
    def adding(self) -> Iterator["Adding"]:
        """Open before references are read from the database, and add through it what was read.

        What is removed while it is open is not taken back by it: the reader may hold a copy that is older than the
        erasure. What was removed before is gone from the database as well (`Erasure` deletes rows first), so
        nothing needs to be remembered for longer.
        """
        with self._lock:
            ticket = self._removals.begin()
        try:
            yield Adding(self)
        finally:
            with self._lock:
                self._removals.end(ticket)

    def remove(self, reference_id: str) -> None:
        """Overwrite the reference's row; from then on no search finds it and no addition brings it back.

        Its row must be gone from the database, or be denied there, before.
        """
        with self._lock:
            self._removals.note(reference_id)
            self._take_out(reference_id)

    def search(self, tenant: str, scenario: str, model_digest: bytes, vector: Vector, k: int) -> list[Candidate]:
        """Return up to k references of highest inner product with `vector`, best first, all above 0.

        A reference added, replaced or removed while the search runs may or may not be seen; an id and a score
        always belong together.

        Raises:
            InvalidRequest: If `vector` is no finite vector of the model's dimension, or k is not positive.
            Starting: If the index is being filled.
        """
        if vector.ndim != 1:
            raise InvalidRequest("A search takes one finite embedding and asks for at least one candidate.")
        return self.search_many(tenant, scenario, model_digest, vector[None], k)[0]

    def search_many(
        self, tenant: str, scenario: str, model_digest: bytes, vectors: Floats, k: int
    ) -> list[list[Candidate]]:
        """Search for each of the vectors, shape (m, d), reading the rows once for several; see `search`."""
        if self._held:
            raise Starting
        if k < 1 or vectors.ndim != 2 or not _finite(vectors):
            raise InvalidRequest("A search takes one finite embedding and asks for at least one candidate.")
        with self._lock:
            partition = self._partitions.get(Place(tenant, scenario, model_digest))
        if partition is None:
            return [[] for _ in vectors]
        if vectors.shape[1] != partition.dimension:
            raise InvalidRequest("The embedding's dimension is not its model's.")
        queries = np.ascontiguousarray(vectors, np.float32)
        found = self._look(partition, queries, k)
        return [
            self._rank(query, [(block, rows[number]) for block, rows in found], k)
            for number, query in enumerate(queries)
        ]

    def _look(self, partition: Partition, queries: Floats, k: int) -> list[tuple[Block, Rows]]:
        """Search the blocks in the order they were made, those too that are made meanwhile; see `move_on`."""
        found: list[tuple[Block, Rows]] = []
        seen = 0
        while True:
            with self._lock:
                fresh = [block for block in partition.blocks if block.number > seen]
            if not fresh:
                return found
            for block in fresh:
                found.append((block, block.engine.search(queries, k)))
                seen = block.number

    def _rank(self, query: Floats, found: list[tuple[Block, Rows]], k: int) -> list[Candidate]:
        scores: dict[str, float] = {}
        with self._lock:
            # Rows may have changed hands or moved since they were read, so id and score are read again, together.
            for block, rows in found:
                here, moved = block.whose_now(rows.tolist())
                if here:
                    scores.update(
                        zip(here.values(), block.engine.scores(np.array([*here]), query).tolist(), strict=True)
                    )
                for reference_id in moved:
                    if (place := self._directory.find(reference_id)) is not None:
                        scores[reference_id] = float(place[1].engine.scores(np.array([place[2]]), query)[0])
        candidates = [Candidate(*item) for item in scores.items() if item[1] > 0]
        candidates.sort(key=lambda candidate: (-candidate.score, candidate.reference_id))
        return candidates[:k]

    def _add(self, batch: ReferenceBatch) -> int:
        """Add a batch, some rows at a time."""
        vectors = batch.vectors
        if vectors.ndim != 2 or not vectors.shape[1] or not np.isfinite(vectors).all():
            raise InvalidRequest("Only finite embeddings can be indexed.")
        if not len(batch.ids) == len(batch.accounts) == len(vectors) == len(set(batch.ids)):
            raise InvalidRequest("A batch has one account and one embedding for each id, and no id twice.")
        added = 0
        for start in range(0, len(vectors), _LOCKED_AT_ONCE):
            part = slice(start, start + _LOCKED_AT_ONCE)
            self._prepare(batch.place, len(vectors[part]))
            with self._lock:
                added += self._add_part(batch.place, batch.ids[part], batch.accounts[part], vectors[part])
        return added

    def _add_part(self, place: Place, ids: Sequence[str], accounts: Sequence[str], vectors: Floats) -> int:
        partition = self._partition(place, vectors.shape[1])
        welcome = [number for number, one in enumerate(ids) if one not in self._removals]
        for number in welcome:
            self._take_out(ids[number])
        # Taking out its last reference drops a partition, so it is looked for again.
        partition = self._partition(place, vectors.shape[1])
        if len(welcome) == 1:
            partition.put(ids[welcome[0]], accounts[welcome[0]], vectors[welcome[0]])
        elif len(welcome) == len(ids):
            partition.put_many(ids, accounts, vectors)
        else:
            for number in welcome:
                partition.put(ids[number], accounts[number], vectors[number])
        self._drop_if_empty(place, partition)
        return len(welcome)

    def _prepare(self, place: Place, coming: int) -> None:
        """Make what the rows to come will need before the lock is taken, so that no search waits for it."""
        while True:
            with self._lock:
                partition = self._partitions.get(place)
                due = None if partition is None else partition.due(coming)
            if partition is None or due is None:
                return
            made = due()
            with self._lock:
                partition.accept(made)

    def _partition(self, place: Place, dimension: int) -> Partition:
        partition = self._partitions.get(place)
        if partition is None:
            partition = self._partitions[place] = Partition(
                place, dimension, self._directory, self._sizes, self._choice
            )
        if dimension != partition.dimension:
            raise InvalidRequest("The embedding's dimension is not its model's.")
        return partition

    def _expect(self, place: Place, dimension: int, count: int) -> None:
        with self._lock:
            self._partition(place, dimension).expect(count)

    def _take_out(self, reference_id: str) -> None:
        found = self._directory.find(reference_id)
        if found is not None:
            partition, block, row = found
            partition.take_out(reference_id, block, row)
            self._drop_if_empty(partition.place, partition)

    def _drop_if_empty(self, place: Place, partition: Partition) -> None:
        if not partition.count:
            partition.close()
            del self._partitions[place]


def _finite(vectors: Floats) -> bool:
    """Return whether all numbers are: then their sum of squares is too, unless it is too large for a float."""
    return math.isfinite(np.vdot(vectors, vectors)) or bool(np.isfinite(vectors).all())


class Adding:
    """The way in for references that are being read from the database; see `ReferenceIndex.adding`."""

    def __init__(self, index: ReferenceIndex) -> None:
        self._index = index

    def add(self, reference: Reference) -> bool:
        """Make the reference findable; return whether it is. One removed meanwhile is not.

        Raises:
            InvalidRequest: If its dimension is not that of the others of its model, or it is no finite vector.
        """
        if reference.vector.ndim != 1:
            raise InvalidRequest("Only finite embeddings can be indexed.")
        place = Place(reference.tenant, reference.scenario, reference.model_digest)
        batch = ReferenceBatch(place, (reference.reference_id,), (reference.account,), reference.vector[None])
        return self.add_many(batch) == 1

    def add_many(self, batch: ReferenceBatch) -> int:
        """Make the references findable and return how many are; those removed meanwhile are not.

        Raises:
            InvalidRequest: As `add`; also if ids, accounts and vectors are not as many, or an id comes twice.
        """
        return self._index._add(batch)  # noqa: SLF001  the index's own way in

    def expect(self, place: Place, dimension: int, count: int) -> None:
        """Make room for `count` references more of one place, by the engine that suits them all together.

        Raises:
            InvalidRequest: If the place has another dimension.
        """
        self._index._expect(place, dimension, count)  # noqa: SLF001  the same

    def fill(self, references: Iterable[Reference], progress: Progress | None = None, *, total: int = 0) -> int:
        """Add every reference and return how many.

        `progress` is told now and then, and at the end, how many are in, of `total`.
        """
        count = 0
        for reference in references:
            count += self.add(reference)
            if progress is not None and count % _PROGRESS_EVERY == 0:
                progress(count, total)
        if progress is not None:
            progress(count, total)
        return count


class _Removals:
    """What was removed since the oldest addition still under way began. Whoever calls holds the index's lock."""

    def __init__(self) -> None:
        self._clock = 0
        self._open: set[int] = set()
        self._removed: dict[str, int] = {}

    def __contains__(self, reference_id: str) -> bool:
        return reference_id in self._removed

    def __len__(self) -> int:
        return len(self._removed)

    def begin(self) -> int:
        """Remember removals from now on; return what `end` takes."""
        self._clock += 1
        self._open.add(self._clock)
        return self._clock

    def end(self, ticket: int) -> None:
        """Forget what no addition that is left can bring back."""
        self._open.remove(ticket)
        oldest = min(self._open, default=self._clock + 1)
        while self._removed:
            first = next(iter(self._removed))
            if self._removed[first] >= oldest:
                break
            del self._removed[first]

    def note(self, reference_id: str) -> None:
        """Remember a removal, last in line even if it is told twice."""
        if self._open:
            self._removed.pop(reference_id, None)
            self._removed[reference_id] = self._clock
