"""The engine for large galleries: short codes nominate, half-float rows decide.

FAISS's fast scan reads every row's code; of the best of them, the rows themselves are compared. Nobody is lost in
a list that was not looked at, as with inverted files and graphs.
"""

from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray

from faceauth.vault.index.codebook import Codebook
from faceauth.vault.index.engine import EngineName, Floats, Rows
from faceauth.vault.index.scalar import HalfRows

DEPTH: Final = 1_000
"""How many rows the codes nominate for an exact comparison; measured in docs/index-engines.md."""

_LOOK_AT_ONCE: Final = 64
"""Rows that FAISS's kernel scores together; 64 rather than 32 take 12 to 15 % off a single query."""

_RESERVOIR: Final = 15
"""FAISS's name for the kernel that does so and collects many answers."""

_PLACES: Final = np.array([0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15])
"""Which of 16 rows each of 16 bytes holds, in FAISS's packed codes; a test compares with what FAISS packs."""


class CodedRows:
    """A block of codes, with a float16 row for each."""

    name: Final[EngineName] = "codes"

    def __init__(self, capacity: int, dimension: int, codebook: Codebook, *, depth: int = DEPTH) -> None:
        blocks = -(-capacity // _LOOK_AT_ONCE)
        self.capacity = capacity
        self._book = codebook
        self._depth = depth
        self._half = HalfRows(capacity, dimension)
        self._codes: Any = faiss.IndexPQFastScan(
            len(codebook.turn), codebook.groups, 4, faiss.METRIC_INNER_PRODUCT, _LOOK_AT_ONCE
        )
        faiss.copy_array_to_vector(codebook.centroids.ravel(), self._codes.pq.centroids)
        self._codes.is_trained = True
        self._codes.implem = _RESERVOIR
        size = blocks * _LOOK_AT_ONCE * codebook.groups // 2
        self._codes.codes.resize(size)
        packed: NDArray[np.uint8] = faiss.rev_swig_ptr(self._codes.codes.get(), size)
        packed[:] = 0
        # 64 rows; a pair of groups; the first or last 32 of the rows; which group; a byte for row and row + 16.
        self._packed = packed.reshape(blocks, codebook.groups // 2, 2, 2, 16)
        self._ask: Any = faiss.LinearTransform(dimension, len(codebook.ask))
        faiss.copy_array_to_vector(codebook.ask.ravel(), self._ask.A)
        self._ask.is_trained = True
        self._nominate: Any = faiss.IndexPreTransform(self._codes)
        self._nominate.prepend_transform(self._ask)
        self._decide: Any = faiss.IndexRefine(self._nominate, self._half.faiss_index)
        self.bytes_scanned = codebook.groups / 2
        self.bytes_per_row = self.bytes_scanned + self._half.bytes_per_row

    def put(self, row: int, vector: Floats) -> None:
        """Write one row and its code."""
        self._half.put(row, vector)
        codes = self._book.encode(vector[None])
        self._pack(row, codes[0])
        codes[:] = 0
        self._show(row + 1)

    def put_many(self, first_row: int, vectors: Floats) -> None:
        """Write rows in a line and their codes."""
        end = first_row + len(vectors)
        self._half.put_many(first_row, vectors)
        codes = self._book.encode(vectors)
        first_whole = min(-(-first_row // _LOOK_AT_ONCE) * _LOOK_AT_ONCE, end)
        end_whole = max(end // _LOOK_AT_ONCE * _LOOK_AT_ONCE, first_whole)
        for row in (*range(first_row, first_whole), *range(end_whole, end)):
            self._pack(row, codes[row - first_row])
        if end_whole > first_whole:
            self._pack_blocks(first_whole // _LOOK_AT_ONCE, codes[first_whole - first_row : end_whole - first_row])
        codes[:] = 0
        self._show(end)

    def clear(self, row: int) -> None:
        """Overwrite row and code: the origin's, which is as far from every query as the mean of all."""
        self._half.clear(row)
        self._pack(row, np.zeros(self._book.groups // 2, np.uint8))

    def read(self, row: int, into: Floats) -> None:
        """Widen the row."""
        self._half.read(row, into)

    def search(self, queries: Floats, k: int) -> Rows:
        """Let the codes nominate and compare the rows of those."""
        faiss.omp_set_num_threads(1)
        used = self._decide.ntotal
        k = min(k, used)
        if not k:
            return np.empty((len(queries), 0), np.int64)
        depth = min(max(self._depth, k), used)
        # Half more, for FAISS multiplies and cuts off.
        parameters: Any = faiss.IndexRefineSearchParameters
        _, rows = self._decide.search(queries, k, params=parameters(k_factor=(depth + 0.5) / k))
        found: Rows = rows
        return found

    def score(self, row: int, query: Floats) -> float:
        """Return the inner product with the float16 row."""
        return self._half.score(row, query)

    def _show(self, rows: int) -> None:
        """Let FAISS look at so many rows, or at more if it did before."""
        if rows <= self._decide.ntotal:
            return
        self._codes.ntotal2 = -(-rows // _LOOK_AT_ONCE) * _LOOK_AT_ONCE
        for index in (self._codes, self._nominate, self._decide):
            index.ntotal = rows

    def _pack(self, row: int, code: NDArray[np.uint8]) -> None:
        block, inside = divmod(row, _LOOK_AT_ONCE)
        half, inside = divmod(inside, 32)
        upper, inside = divmod(inside, 16)
        place = 2 * inside if inside < 8 else 2 * inside - 15
        cell = self._packed[block, :, half, :, place]
        # Two rows share each byte, so each is written with the other's half as it was.
        shift, kept = (4, 0x0F) if upper else (0, 0xF0)
        cell[:, 0] = cell[:, 0] & kept | (code & 0x0F) << shift
        cell[:, 1] = cell[:, 1] & kept | code >> 4 << shift

    def _pack_blocks(self, first_block: int, codes: NDArray[np.uint8]) -> None:
        """Pack the codes of whole blocks."""
        blocks = len(codes) // _LOOK_AT_ONCE
        # Block, half, upper or lower sixteen, place, pair of groups.
        apart = codes.reshape(blocks, 2, 2, 16, -1)[:, :, :, _PLACES]
        lower, upper = apart[:, :, 0], apart[:, :, 1]
        target = self._packed[first_block : first_block + blocks]
        first = (lower & 0x0F) | (upper & 0x0F) << 4
        second = lower >> 4 | upper & 0xF0
        target[:, :, :, 0] = first.transpose(0, 3, 1, 2)
        target[:, :, :, 1] = second.transpose(0, 3, 1, 2)
        for copy in (apart, first, second):
            copy[:] = 0
