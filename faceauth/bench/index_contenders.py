"""Who takes part in `faceauth bench index`: our engines, and plain libraries beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Final, Protocol, runtime_checkable

import faiss
import numpy as np
from numpy.typing import NDArray

from faceauth.vault.index import EngineChoice, Place, ReferenceBatch, ReferenceIndex

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]

PLACE: Final = Place("bench", "bench", b"b" * 32)
_ADDED_AT_ONCE: Final = 10_000


class Contender(Protocol):
    """A way to find the nearest of many rows by inner product. Rows have unit length."""

    name: str

    def build(self, rows: Floats) -> None:
        """Take rows, shape (n, d), numbered from 0."""
        ...

    def search(self, queries: Floats, k: int) -> Numbers:
        """Return the numbers of the k nearest rows of each query, shape (m, k), best first; -1 for none."""
        ...

    def scanned(self) -> float | None:
        """Return the bytes that one query reads, where that is known."""
        ...


@runtime_checkable
class Growing(Contender, Protocol):
    """One that takes rows later, too."""

    def add(self, number: int, row: Floats) -> None:
        """Add one row, shape (d,)."""
        ...


@runtime_checkable
class Forgetting(Contender, Protocol):
    """One that gives rows up."""

    def delete(self, number: int) -> None:
        """Delete one row."""
        ...


class Ours:
    """The index of the service, through the calls that the service makes."""

    def __init__(self, engine: EngineChoice) -> None:
        self.name = f"faceauth {engine}"
        self._index = ReferenceIndex(engine)

    def build(self, rows: Floats) -> None:
        """Take the rows as the start does."""
        with self._index.adding() as adding:
            adding.expect(PLACE, rows.shape[1], len(rows))
            for start in range(0, len(rows), _ADDED_AT_ONCE):
                part = rows[start : start + _ADDED_AT_ONCE]
                names = [str(number) for number in range(start, start + len(part))]
                adding.add_many(ReferenceBatch(PLACE, names, names, part))

    def search(self, queries: Floats, k: int) -> Numbers:
        """Search as identification does, one query alone or several together."""
        found = self._index.search_many(*PLACE, queries, k)
        # Plainly, for this is no part of what the service does, and is timed with it.
        numbers = np.empty((len(queries), k), np.int64)
        for place, candidates in enumerate(found):
            told = [int(candidate.reference_id) for candidate in candidates]
            numbers[place] = told + [-1] * (k - len(told))
        return numbers

    def engines(self) -> dict[str, int]:
        """Return how many rows each engine holds."""
        held: dict[str, int] = {}
        for block in self._index._partitions[PLACE].blocks:  # noqa: SLF001  a measurement looks inside
            held[block.engine.name] = held.get(block.engine.name, 0) + block.used
        return held

    def scanned(self) -> float:
        """Return what the engines say that they read."""
        blocks = self._index._partitions[PLACE].blocks  # noqa: SLF001  a measurement looks inside
        return float(sum(block.engine.bytes_scanned * block.used for block in blocks))

    def add(self, number: int, row: Floats) -> None:
        """Add as an enrolment does; a number that is there is replaced."""
        name = (str(number),)
        with self._index.adding() as adding:
            adding.add_many(ReferenceBatch(PLACE, name, name, row[None]))

    def delete(self, number: int) -> None:
        """Remove as an erasure does."""
        self._index.remove(str(number))


@dataclass(slots=True)
class Faiss:
    """An index of FAISS, as its users make it. `scans_all` says that a query reads every row as float32."""

    name: str
    make: Callable[[int, int], Any]
    scans_all: bool = False
    _index: Any = field(default=None, init=False)

    def build(self, rows: Floats) -> None:
        """Train if need be, and add."""
        faiss.omp_set_num_threads(1)
        self._index = self.make(len(rows), rows.shape[1])
        if not self._index.is_trained:
            self._index.train(rows)
        self._index.add(rows)

    def search(self, queries: Floats, k: int) -> Numbers:
        """Search with one thread."""
        faiss.omp_set_num_threads(1)
        found: Numbers = self._index.search(queries, k)[1]
        return found

    def scanned(self) -> float | None:
        """Return the bytes of all rows, where all are compared."""
        return 4.0 * self._index.ntotal * self._index.d if self.scans_all else None

    def add(self, number: int, row: Floats) -> None:  # noqa: ARG002  the number is the next one
        """Add at the end."""
        self._index.add(row[None])


class FaissRemoving(Faiss):
    """One of those that can remove."""

    def delete(self, number: int) -> None:
        """Remove, which moves every row behind it."""
        self._index.remove_ids(np.array([number], np.int64))


class Numpy:
    """A matrix product and a partial sort. It takes no other rows without copying all."""

    name = "numpy float32"

    def build(self, rows: Floats) -> None:
        """Keep the rows."""
        self._rows = rows

    def search(self, queries: Floats, k: int) -> Numbers:
        """Compare with every row."""
        scores = queries @ self._rows.T if len(queries) > 1 else (self._rows @ queries[0])[None]
        nearest = np.argpartition(scores, -k, axis=1)[:, -k:]
        order = np.argsort(-np.take_along_axis(scores, nearest, axis=1), axis=1)
        return np.asarray(np.take_along_axis(nearest, order, axis=1), np.int64)

    def scanned(self) -> float:
        """Return the bytes of all rows."""
        return float(self._rows.nbytes)


class Usearch:
    """The graph of the package `usearch`, as it comes."""

    name = "usearch HNSW"

    def build(self, rows: Floats) -> None:
        """Add with one thread."""
        from usearch.index import Index  # noqa: PLC0415  an extra

        self._index: Any = Index(ndim=rows.shape[1], metric="ip", dtype="f32")
        self._index.add(np.arange(len(rows), dtype=np.uint64), rows, threads=1)

    def search(self, queries: Floats, k: int) -> Numbers:
        """Search with one thread."""
        found = np.asarray(self._index.search(queries, k, threads=1).keys, np.int64)
        return found.reshape(len(queries), -1)

    def scanned(self) -> None:
        """A graph is walked."""

    def add(self, number: int, row: Floats) -> None:
        """Add one."""
        self._index.add(number, row, threads=1)

    def delete(self, number: int) -> None:
        """Mark it as removed, which is what the package does."""
        self._index.remove(number)


def _hnsw(_rows: int, dimension: int) -> Any:
    index = faiss.IndexHNSWFlat(dimension, 32, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efSearch = 128
    return index


def _inverted(rows: int, dimension: int) -> Any:
    """Return lists as FAISS' guidelines have them: 4 √n, of which 32 are searched."""
    lists = max(int(4 * rows**0.5), 1)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dimension), dimension, lists, faiss.METRIC_INNER_PRODUCT)
    index.nprobe = 32
    index.cp.max_points_per_centroid = 64
    return index


def contenders(rows: int, *, graphs_up_to: int, wanted: Sequence[str] = ()) -> tuple[list[Contender], list[str]]:
    """Return who takes part at this size, and a line for each who does not.

    Args:
        rows: How many are searched.
        graphs_up_to: The largest gallery that graphs are built of.
        wanted: Words of which a name must have one; everybody takes part if there are none. The exact float32
            search, which the others are compared with, is first and always takes part.
    """
    ours: Sequence[EngineChoice] = ("exact", "fp16", "int8", "codes", "auto")
    others: list[Contender] = [
        *(Ours(engine) for engine in ours),
        Numpy(),
        FaissRemoving("FAISS IVF, 32 lists", _inverted),
    ]
    missing: list[str] = []
    if rows > graphs_up_to:
        missing.append(f"Graphs take no part beyond {graphs_up_to:,} rows: building them takes too long.")
    else:
        others.append(Faiss("FAISS HNSW32, ef 128", _hnsw))
        if find_spec("usearch") is None:
            missing.append("usearch takes no part: pip install 'faceauth[bench]'.")
        else:
            others.append(Usearch())
    first = FaissRemoving("FAISS Flat float32", lambda _, width: faiss.IndexFlatIP(width), scans_all=True)
    return [first, *(one for one in others if not wanted or any(word in one.name for word in wanted))], missing
