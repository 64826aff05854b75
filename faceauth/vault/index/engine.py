"""What an engine is: a block of rows of one place, searched as a whole.

Blocks hold a fixed number of rows that never move, so that a removed vector is overwritten where it stands and no
copy of it is left behind. A remote index would implement the same protocol.
"""

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

EngineName = Literal["exact", "fp16", "int8", "codes"]
EngineChoice = Literal["auto", "exact", "fp16", "int8", "codes"]


class Engine(Protocol):
    """A block of `capacity` rows of dimension d. An empty row is never among the answers' best.

    Only one thread at a time changes a block; any number may search it meanwhile. A search beside a change may see
    the changed row before, after or in between: whoever uses its answer reads id and score again.
    """

    @property
    def name(self) -> EngineName:
        """What it is called in the settings."""
        ...

    @property
    def capacity(self) -> int:
        """How many rows there are."""
        ...

    @property
    def bytes_per_row(self) -> float:
        """Bytes that one row takes in memory, all that is kept of it together."""
        ...

    @property
    def bytes_scanned(self) -> float:
        """Bytes that one query reads of each row."""
        ...

    def put(self, row: int, vector: Floats) -> None:
        """Write the vector, shape (d,), into the row; no other copy of it is left."""
        ...

    def put_many(self, first_row: int, vectors: Floats) -> None:
        """Write vectors, shape (n, d), into n rows in a line; no other copy of them is left."""
        ...

    def clear(self, row: int) -> None:
        """Overwrite the row with what an empty one holds."""
        ...

    def read(self, row: int, into: Floats) -> None:
        """Write the row's vector, as exactly as it is kept, into `into`, shape (d,)."""
        ...

    def search(self, queries: Floats, k: int) -> Rows:
        """Return the rows of the k highest inner products of each query; it takes no lock.

        Args:
            queries: Shape (m, d), C-contiguous.
            k: How many rows are asked for.

        Returns:
            Shape (m, min(k, capacity)); -1 where there is no row. In no order.
        """
        ...

    def scores(self, rows: Rows, query: Floats) -> Floats:
        """Return the inner products of rows, as exactly as they are kept, with a query.

        Args:
            rows: Shape (n,), each of them below `capacity`.
            query: Shape (d,).

        Returns:
            Shape (n,). No copy of a row is left.
        """
        ...


def inner_products(rows: Floats, query: Floats) -> Floats:
    """Return the inner products of rows, shape (n, d), which are overwritten, with a query, shape (d,).

    No matrix product: BLAS would keep a copy of the rows in its buffers.
    """
    scores: Floats = np.vecdot(rows, query)
    rows.fill(0)
    return scores
