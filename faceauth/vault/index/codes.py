"""The engine for large galleries: short codes nominate, half-float rows decide.

FAISS's fast scan reads every row's code; of the best of them, the rows themselves are compared. Nobody is lost in
a list that was not looked at, as with inverted files and graphs. How far the codes were off in the rows compared
tells how far they may be off in the others: where a better row may be among those, more are compared, and in the
end all.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray

from faceauth.vault.index.codebook import Codebook
from faceauth.vault.index.engine import EngineName, Floats, Rows
from faceauth.vault.index.pages import ask_for_large_pages
from faceauth.vault.index.scalar import HalfRows

GLANCE: Final = 64
"""How many rows are compared at first, of those nominated; measured in docs/index-engines.md."""

FIRST_DEPTH: Final = 200
"""How many rows the codes nominate at first; measured there too."""

DEPTH: Final = 4_000
"""How many they nominate where the first do not settle it; measured there too."""

SURE: Final = 4.5
"""Root mean square errors by which the best row must lead those that were not compared; measured there too."""

CLEAR: Final = 5.0
"""The same where only `GLANCE` rows were compared: whoever is within an error of the best is still among them."""

SURE_DEEP: Final = 6.0
"""The same where more than `FIRST_DEPTH` were: whoever is missed by so many is further off than the others are."""

_ENOUGH: Final = 50
"""Compared rows from which the codes' error is told."""

_LOOK_AT_ONCE: Final = 96
"""Rows that FAISS's kernel scores together; of 32, 64, 96 and 128 the fastest for a single query."""

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
        ask_for_large_pages(packed)
        packed[:] = 0
        # 96 rows; a pair of groups; which 32 of the rows; which group; a byte for row and row + 16.
        self._packed = packed.reshape(blocks, codebook.groups // 2, _LOOK_AT_ONCE // 32, 2, 16)
        # What the mean adds to every score comes with the query's own numbers, in one product.
        self._ask: Floats = np.vstack([codebook.ask, codebook.mean])
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
        used = self._codes.ntotal
        k = min(k, used)
        best = np.empty((len(queries), k), np.int64)
        best.fill(-1)
        unsure: Sequence[int] = range(len(queries)) if k else ()
        for least, lead in ((FIRST_DEPTH, SURE), (self._depth, SURE_DEEP)):
            if not unsure:
                return best
            depth = min(max(least, k), used)
            scores, rows = self._nominate(queries if len(unsure) == len(queries) else queries[unsure], depth)
            unsure = [
                query
                for at, query in enumerate(unsure)
                if not self._settle(queries[query], scores[at], rows[at], best[query], lead) and depth < used
            ]
        if unsure:
            best[unsure] = self._half.search(queries[unsure], k)
        return best

    def _nominate(self, queries: Floats, depth: int) -> tuple[Floats, Rows]:
        """Return what the codes make of their best rows, shape (m, depth), best first, and which; -1 for none."""
        # In this order the maps' rows are read where they lie: `queries @ maps.T` takes twice as long for one.
        asked = np.dot(self._ask, queries.T).T
        scores = np.empty((len(queries), depth), np.float32)
        rows = np.empty((len(queries), depth), np.int64)
        for number in range(len(queries)):
            one = slice(number, number + 1)
            # One at a time: FAISS takes longer for each of several, and the codes stay in the cache.
            self._codes.search(asked[one, :-1], depth, D=scores[one], I=rows[one])
        scores += asked[:, -1:]
        return scores, rows

    def _settle(self, query: Floats, scores: Floats, nominated: Rows, best: Rows, lead: float) -> bool:
        """Compare nominated rows, write the best of them into `best`, and say whether no other row can be better.

        Args:
            query: Shape (d,).
            scores: What the codes make of the nominated rows, shape (n,), highest first.
            nominated: The rows, shape (n,); -1 at the end where there is none.
            best: Overwritten with the best of them, shape (k,).
            lead: By how many errors the best must lead where all of them were compared.
        """
        if nominated[-1] < 0:
            scores, nominated = scores[nominated >= 0], nominated[nominated >= 0]
        glance = max(GLANCE, len(best))
        if len(nominated) <= glance:
            return _judge(self.scores(nominated, query), scores, nominated, best, lead)
        exact = self.scores(nominated[:glance], query)
        if _judge(exact, scores[:glance], nominated[:glance], best, CLEAR):
            return True
        exact = np.concatenate((exact, self.scores(nominated[glance:], query)))
        return _judge(exact, scores, nominated, best, lead)

    def scores(self, rows: Rows, query: Floats) -> Floats:
        """Return the inner products with the float16 rows."""
        return self._half.scores(rows, query)

    def _show(self, rows: int) -> None:
        """Let FAISS look at so many rows, or at more if it did before."""
        if rows <= self._codes.ntotal:
            return
        self._codes.ntotal2 = -(-rows // _LOOK_AT_ONCE) * _LOOK_AT_ONCE
        self._codes.ntotal = rows

    def _pack(self, row: int, code: NDArray[np.uint8]) -> None:
        block, inside = divmod(row, _LOOK_AT_ONCE)
        part, inside = divmod(inside, 32)
        upper, inside = divmod(inside, 16)
        place = 2 * inside if inside < 8 else 2 * inside - 15
        cell = self._packed[block, :, part, :, place]
        # Two rows share each byte, so each is written with the other's half as it was.
        shift, kept = (4, 0x0F) if upper else (0, 0xF0)
        cell[:, 0] = cell[:, 0] & kept | (code & 0x0F) << shift
        cell[:, 1] = cell[:, 1] & kept | code >> 4 << shift

    def _pack_blocks(self, first_block: int, codes: NDArray[np.uint8]) -> None:
        """Pack the codes of whole blocks."""
        blocks = len(codes) // _LOOK_AT_ONCE
        # Block, 32 of its rows, upper or lower sixteen, place, pair of groups.
        apart = codes.reshape(blocks, _LOOK_AT_ONCE // 32, 2, 16, -1)[:, :, :, _PLACES]
        lower, upper = apart[:, :, 0], apart[:, :, 1]
        target = self._packed[first_block : first_block + blocks]
        first = (lower & 0x0F) | (upper & 0x0F) << 4
        second = lower >> 4 | upper & 0xF0
        target[:, :, :, 0] = first.transpose(0, 3, 1, 2)
        target[:, :, :, 1] = second.transpose(0, 3, 1, 2)
        for copy in (apart, first, second):
            copy[:] = 0


def _judge(exact: Floats, scores: Floats, rows: Rows, best: Rows, lead: float) -> bool:
    """Write the rows of the highest exact scores into `best`, and say whether no row not compared can be better.

    Args:
        exact: The exact scores of the rows compared, shape (n,).
        scores: What their codes make of them, shape (n,), highest first.
        rows: Which they are, shape (n,).
        best: Overwritten, shape (k,); in no order.
        lead: By how many root mean square errors of the codes the best row must lead the others.
    """
    order = exact.argsort()
    if len(order) and exact[order[0]] <= 0:
        # Empty rows score 0, whatever their code says; no answer does.
        there = exact > 0
        exact, scores, rows = exact[there], scores[there], rows[there]
        order = exact.argsort()
    answers = min(len(best), len(order))
    if answers:
        best[:answers] = rows[order[-answers:]]
    if len(order) < _ENOUGH:
        return False
    off = exact - scores
    error = math.sqrt(off.dot(off) / len(off))
    # By the codes, no other row scores more than the last of those compared.
    return bool(exact[order[-1]] - scores[-1] > lead * error)
