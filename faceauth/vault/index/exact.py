"""The exact engine: float32 rows, every one of them compared. For small galleries, and to judge the others by."""

from typing import Final

import faiss
import numpy as np

from faceauth.vault.index.engine import EngineName, Floats, Rows, inner_products


class ExactRows:
    """A block of float32 rows. No FAISS index is behind it: a tenant of ten people costs its rows only."""

    name: Final[EngineName] = "exact"

    def __init__(self, capacity: int, dimension: int) -> None:
        self.capacity = capacity
        self.bytes_per_row = self.bytes_scanned = 4.0 * dimension
        # Untouched pages of zeros are no memory yet.
        self._rows: Floats = np.zeros((capacity, dimension), np.float32)
        self._high = 0

    def put(self, row: int, vector: Floats) -> None:
        """Write one row."""
        self._rows[row] = vector
        self._high = max(self._high, row + 1)

    def put_many(self, first_row: int, vectors: Floats) -> None:
        """Write rows in a line."""
        end = first_row + len(vectors)
        self._rows[first_row:end] = vectors
        self._high = max(self._high, end)

    def clear(self, row: int) -> None:
        """Overwrite with zeros: an inner product of 0."""
        self._rows[row] = 0

    def read(self, row: int, into: Floats) -> None:
        """Copy the row."""
        into[:] = self._rows[row]

    def search(self, queries: Floats, k: int) -> Rows:
        """Compare every row."""
        # Measured in DESIGN.md: a second OpenMP thread makes one query many times slower on busy cores. The
        # setting belongs to the calling thread.
        faiss.omp_set_num_threads(1)
        used = self._rows[: self._high]
        if not len(used):
            return np.empty((len(queries), 0), np.int64)
        _, rows = faiss.knn(queries, used, min(k, len(used)), metric=faiss.METRIC_INNER_PRODUCT)
        found: Rows = rows
        return found

    def scores(self, rows: Rows, query: Floats) -> Floats:
        """Return the inner products."""
        return inner_products(self._rows.take(rows, axis=0), query)
