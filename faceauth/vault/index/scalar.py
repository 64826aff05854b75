"""Engines that keep a smaller number for each component and compare every row: half floats, or 8-bit integers."""

from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray

from faceauth.vault.index.engine import EngineName, Floats, Rows, inner_products

INT8_RANGE: Final = 6.0
"""8-bit rows cover components up to ± this / √d; the largest of 7,700 LFW pictures is 4.6 (open), 5.0 (retail)."""


class HalfRows:
    """A block of float16 rows: half the bytes of the exact engine, and a score within 2e-4 of its."""

    name: EngineName = "fp16"
    kind: int = faiss.ScalarQuantizer.QT_fp16
    empty: int = 0

    def __init__(self, capacity: int, dimension: int) -> None:
        self.capacity = capacity
        self.dimension = dimension
        self.faiss_index: Any = faiss.IndexScalarQuantizer(dimension, self.kind, faiss.METRIC_INNER_PRODUCT)
        size = capacity * self.faiss_index.code_size
        self.faiss_index.codes.resize(size)
        # A view of FAISS's own memory; it stays valid because it is never resized again.
        self._bytes: NDArray[np.uint8] = faiss.rev_swig_ptr(self.faiss_index.codes.data(), size)
        self._bytes[:] = self.empty
        self.bytes_per_row = self.bytes_scanned = float(self.faiss_index.code_size)
        self.rows: NDArray[Any] = self._view(self._bytes)

    def _view(self, raw: NDArray[np.uint8]) -> NDArray[Any]:
        return raw.view(np.float16).reshape(self.capacity, self.dimension)

    def _write(self, first: int, end: int, vectors: Floats) -> None:
        self.rows[first:end] = vectors

    def put(self, row: int, vector: Floats) -> None:
        """Write one row."""
        self.put_many(row, vector[None])

    def put_many(self, first_row: int, vectors: Floats) -> None:
        """Write rows in a line."""
        end = first_row + len(vectors)
        self._write(first_row, end, vectors)
        # How many rows FAISS looks at.
        self.faiss_index.ntotal = max(self.faiss_index.ntotal, end)

    def clear(self, row: int) -> None:
        """Overwrite with what stands for zeros: an inner product of 0."""
        size = self.faiss_index.code_size
        self._bytes[row * size : (row + 1) * size] = self.empty

    def read(self, row: int, into: Floats) -> None:
        """Widen the row."""
        into[:] = self.rows[row]

    def search(self, queries: Floats, k: int) -> Rows:
        """Compare every row."""
        # The setting belongs to the calling thread; a second thread makes a query slower on busy cores.
        faiss.omp_set_num_threads(1)
        used = self.faiss_index.ntotal
        if not used:
            return np.empty((len(queries), 0), np.int64)
        _, rows = self.faiss_index.search(queries, min(k, used))
        found: Rows = rows
        return found

    def scores(self, rows: Rows, query: Floats) -> Floats:
        """Return the inner products with the rows as they are kept."""
        kept = self.rows.take(rows, axis=0)
        scores = inner_products(self._widen(kept), query)
        kept.fill(0)
        return scores

    def _widen(self, kept: NDArray[Any]) -> Floats:
        """Return rows as float32."""
        return kept.astype(np.float32)


class Int8Rows(HalfRows):
    """A block of 8-bit rows: a quarter of the exact engine's bytes. Scores are off by a few thousandths."""

    name: EngineName = "int8"
    kind: int = faiss.ScalarQuantizer.QT_8bit_direct_signed
    # FAISS stores a component as itself + 128.
    empty: int = 128

    def __init__(self, capacity: int, dimension: int) -> None:
        self._scale = np.float32(127 * np.sqrt(dimension) / INT8_RANGE)
        super().__init__(capacity, dimension)

    def _view(self, raw: NDArray[np.uint8]) -> NDArray[Any]:
        return raw.reshape(self.capacity, self.dimension)

    def _write(self, first: int, end: int, vectors: Floats) -> None:
        scaled = np.multiply(vectors, self._scale, dtype=np.float32)
        np.rint(scaled, out=scaled)
        np.clip(scaled, -127, 127, out=scaled)
        np.add(scaled, self.empty, out=self.rows[first:end], casting="unsafe")
        scaled[:] = 0

    def search(self, queries: Floats, k: int) -> Rows:
        """Compare every row with the query in the same numbers."""
        # FAISS turns the query into integers too, and those of a unit vector would all be 0.
        return super().search(np.clip(np.rint(queries * self._scale), -127, 127), k)

    def read(self, row: int, into: Floats) -> None:
        """Widen the row and scale it back."""
        np.subtract(self.rows[row], np.float32(self.empty), out=into)
        into /= self._scale

    def _widen(self, kept: NDArray[Any]) -> Floats:
        """Return rows as float32, scaled back."""
        wide: Floats = np.subtract(kept, self.empty, dtype=np.float32)
        wide /= self._scale
        return wide
