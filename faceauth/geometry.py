"""The plane geometry that several rooms need: no room owns it, and it knows none of them."""

import numpy as np
from numpy.typing import NDArray


def similarity(source: NDArray[np.floating], target: NDArray[np.floating]) -> NDArray[np.float64] | None:
    """Return the turn, scale and shift that takes points nearest to others in squares; mirrors are never made.

    In the plane the least-squares solution of Umeyama (IEEE PAMI 13(4), 1991) is one complex quotient.

    Args:
        source: Shape (n, 2).
        target: Where they are to come to lie, shape (n, 2).

    Returns:
        Shape (2, 3), or None if the points lie in one place, are not finite, or have no shape in common with the
        target: then no turn is better than another.
    """
    moved = np.asarray(source, np.float64)
    fixed = np.asarray(target, np.float64)
    a = (moved[:, 0] - moved[:, 0].mean()) + 1j * (moved[:, 1] - moved[:, 1].mean())
    b = (fixed[:, 0] - fixed[:, 0].mean()) + 1j * (fixed[:, 1] - fixed[:, 1].mean())
    spread = float(np.vdot(a, a).real)
    if not np.isfinite(spread) or spread < 1e-6:
        return None
    turn = np.vdot(a, b) / spread
    # Written so that a NaN has no shape either.
    if not abs(turn) >= 1e-9:
        return None
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    shift = fixed.mean(axis=0) - linear @ moved.mean(axis=0)
    return np.column_stack([linear, shift])
