"""An exact index of opened references, in memory only: it is never written to a disk (R47).

Rows live in shards of fixed capacity that never grow or move, so that a removed vector is overwritten where it
stands and no copy of it is left behind. An empty row is all zeros; it scores 0 and is never a candidate.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray

from faceauth.errors import InvalidRequest
from faceauth.types import Reference, Vector

LARGEST_SHARD: Final = 65_536
SMALLEST_SHARD: Final = 64
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


class Place(NamedTuple):
    """What shares a search: references of another tenant, scenario or model are never compared (R23)."""

    tenant: str
    scenario: str
    model_digest: bytes


class _Shard:
    """A block of rows with FAISS's exact inner-product search over it."""

    def __init__(self, capacity: int, dimension: int) -> None:
        self.index: Any = faiss.IndexFlatIP(dimension)
        self.index.add(np.zeros((capacity, dimension), np.float32))
        # A view of FAISS's own memory; it stays valid because nothing is ever added again.
        self.rows: NDArray[np.float32] = faiss.rev_swig_ptr(self.index.get_xb(), capacity * dimension).reshape(
            capacity, dimension
        )
        self.ids: list[str | None] = [None] * capacity
        self.free = list(range(capacity - 1, -1, -1))

    def search(self, query: NDArray[np.float32], k: int) -> NDArray[np.int64]:
        """Return the rows of the k highest scores; it takes no lock and no thread but its own."""
        # Measured in DESIGN.md: a second OpenMP thread makes one query many times slower on busy cores. The
        # setting belongs to the calling thread.
        faiss.omp_set_num_threads(1)
        _, rows = self.index.search(query[None], min(k, len(self.ids)))
        found: NDArray[np.int64] = rows[0]
        return found


@dataclass(slots=True)
class _Partition:
    dimension: int
    shards: list[_Shard] = field(default_factory=list)
    where: dict[str, tuple[_Shard, int, str]] = field(default_factory=dict)
    people: Counter[str] = field(default_factory=Counter)

    def free_row(self) -> tuple[_Shard, int]:
        """Take an empty row; a new shard is as large as all before it, so small tenants stay small."""
        shard = next((shard for shard in reversed(self.shards) if shard.free), None)
        if shard is None:
            capacity = sum(len(shard.ids) for shard in self.shards)
            shard = _Shard(min(max(capacity, SMALLEST_SHARD), LARGEST_SHARD), self.dimension)
            self.shards.append(shard)
        return shard, shard.free.pop()


class ReferenceIndex:
    """References by tenant, scenario and model. Threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._partitions: dict[Place, _Partition] = {}
        self._places: dict[str, Place] = {}
        self._removed: set[str] = set()

    def __len__(self) -> int:
        with self._lock:
            return len(self._places)

    def count(self, tenant: str, scenario: str, model_digest: bytes) -> int:
        """Return how many references a search there compares with."""
        with self._lock:
            partition = self._partitions.get(Place(tenant, scenario, model_digest))
            return 0 if partition is None else len(partition.where)

    def people(self, tenant: str, scenario: str, model_digest: bytes) -> int:
        """Return how many accounts a search there compares with: the size of the gallery (R8)."""
        with self._lock:
            partition = self._partitions.get(Place(tenant, scenario, model_digest))
            return 0 if partition is None else len(partition.people)

    def add(self, reference: Reference) -> bool:
        """Make the reference findable; return whether it is.

        One that was removed before is not taken back: ids are never used twice, so it is a late copy that lost
        against its erasure.

        Raises:
            InvalidRequest: If its dimension is not that of the others of its model, or it is no finite vector.
        """
        vector = reference.vector
        if vector.ndim != 1 or not vector.size or not np.isfinite(vector).all():
            raise InvalidRequest("Only one finite embedding can be indexed.")
        place = Place(reference.tenant, reference.scenario, reference.model_digest)
        with self._lock:
            if reference.reference_id in self._removed:
                return False
            partition = self._partitions.setdefault(place, _Partition(vector.size))
            if vector.size != partition.dimension:
                raise InvalidRequest("The embedding's dimension is not its model's.")
            if reference.reference_id in self._places:
                self._take_out(reference.reference_id)
            shard, row = partition.free_row()
            shard.rows[row] = vector
            shard.ids[row] = reference.reference_id
            partition.where[reference.reference_id] = (shard, row, reference.account)
            partition.people[reference.account] += 1
            self._places[reference.reference_id] = place
        return True

    def remove(self, reference_id: str) -> None:
        """Overwrite the reference's row; from then on no search finds it and no late `add` brings it back."""
        with self._lock:
            self._removed.add(reference_id)
            self._take_out(reference_id)

    def search(self, tenant: str, scenario: str, model_digest: bytes, vector: Vector, k: int) -> list[Candidate]:
        """Return up to k references of highest inner product with `vector`, best first, all above 0.

        A reference added or removed while the search runs may or may not be seen; an id and a score always belong
        together.

        Raises:
            InvalidRequest: If `vector` is no finite vector of the model's dimension, or k is not positive.
        """
        if k < 1 or vector.ndim != 1 or not np.isfinite(vector).all():
            raise InvalidRequest("A search takes one finite embedding and asks for at least one candidate.")
        with self._lock:
            partition = self._partitions.get(Place(tenant, scenario, model_digest))
            shards = [] if partition is None else list(partition.shards)
        if partition is None:
            return []
        if vector.size != partition.dimension:
            raise InvalidRequest("The embedding's dimension is not its model's.")
        query = np.ascontiguousarray(vector, np.float32)
        found = [(shard, shard.search(query, k)) for shard in shards]
        with self._lock:
            # Rows may have changed hands since FAISS read them, so id and score are read again, together.
            candidates = [
                Candidate(reference_id, float(shard.rows[row] @ query))
                for shard, rows in found
                for row in rows.tolist()
                if row >= 0 and (reference_id := shard.ids[row]) is not None
            ]
        candidates.sort(key=lambda candidate: (-candidate.score, candidate.reference_id))
        return [candidate for candidate in candidates[:k] if candidate.score > 0]

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

    def __contains__(self, reference_id: str) -> bool:
        with self._lock:
            return reference_id in self._places

    def _take_out(self, reference_id: str) -> None:
        place = self._places.pop(reference_id, None)
        if place is None:
            return
        partition = self._partitions[place]
        shard, row, account = partition.where.pop(reference_id)
        partition.people[account] -= 1
        if not partition.people[account]:
            del partition.people[account]
        shard.rows[row] = 0
        shard.ids[row] = None
        shard.free.append(row)
