"""The engine for large galleries: short codes nominate, half-float rows decide.

FAISS's fast scan reads every row's code; of the best of them, the rows themselves are compared. Nobody is lost in
a list that was not looked at, as with inverted files and graphs. How far the codes were off in the rows compared
tells how far they may be off in the others: where a better row may be among those, more are compared, and in the
end all.
"""

import math
from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray

from faceauth.vault.index.codebook import Codebook
from faceauth.vault.index.engine import EngineName, Floats, Rows
from faceauth.vault.index.scalar import HalfRows

FIRST_DEPTH: Final = 200
"""How many rows the codes nominate at first; measured in docs/index-engines.md."""

DEPTH: Final = 4_000
"""How many they nominate where the first do not settle it; measured there too."""

SURE: Final = 4.0
"""Root mean square errors by which the best row must lead those that were not compared; measured there too."""

_ENOUGH: Final = 50
"""Compared rows from which the codes' error is told."""

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
        """Let the codes nominate and compare the rows of those, as many as it takes to be sure of the best."""
        faiss.omp_set_num_threads(1)
        used = self._nominate.ntotal
        k = min(k, used)
        best = np.full((len(queries), k), -1, np.int64)
        unsure = list(range(len(queries))) if k else []
        for depth in (min(max(depth, k), used) for depth in (FIRST_DEPTH, self._depth)):
            if not unsure:
                return best
            scores, rows = self._nominate.search(queries[unsure], depth)
            unsure = [
                query
                for at, query in enumerate(unsure)
                if not self._settle(queries[query], scores[at], rows[at], best[query]) and depth < used
            ]
        if unsure:
            best[unsure] = self._half.search(queries[unsure], k)
        return best

    def _settle(self, query: Floats, scores: Floats, nominated: Rows, best: Rows) -> bool:
        """Compare nominated rows, write the best of them into `best`, and say whether no other row can be better.

        Args:
            query: Shape (d,).
            scores: What the codes make of the nominated rows, shape (n,): inner products without the mean's.
            nominated: The rows, shape (n,); -1 where there is none.
            best: Overwritten with the best of them, shape (k,).
        """
        if nominated.min() < 0:
            scores, nominated = scores[nominated >= 0], nominated[nominated >= 0]
        exact = self._compare(nominated, query)
        if exact.min() <= 0:
            # Empty rows score 0, whatever their code says; no answer does.
            there = exact > 0
            exact, scores, nominated = exact[there], scores[there], nominated[there]
        answers = min(len(best), len(exact))
        if answers:
            best[:answers] = nominated[exact.argpartition(-answers)[-answers:]]
        if len(exact) < _ENOUGH:
            return False
        scores = scores + self._book.mean @ query
        off = exact - scores
        error = math.sqrt(off @ off / len(off))
        # By the codes, no other row scores more than the last of the nominated.
        return bool(exact.max() - scores.min() > SURE * error)

    def _compare(self, rows: Rows, query: Floats) -> Floats:
        """Return the inner products with the float16 rows, shape (n,)."""
        kept = self._half.rows[rows]
        wide = kept.astype(np.float32)
        # No matrix product: BLAS would keep a copy of the rows in its buffers.
        scores: Floats = np.einsum("nd,d->n", wide, query)
        kept.fill(0)
        wide.fill(0)
        return scores

    def score(self, row: int, query: Floats) -> float:
        """Return the inner product with the float16 row."""
        return self._half.score(row, query)

    def _show(self, rows: int) -> None:
        """Let FAISS look at so many rows, or at more if it did before."""
        if rows <= self._nominate.ntotal:
            return
        self._codes.ntotal2 = -(-rows // _LOOK_AT_ONCE) * _LOOK_AT_ONCE
        for index in (self._codes, self._nominate):
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
