"""Gate `parallax` (G3): each motion shows the depth of a solid head, and all together show enough."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from faceauth.errors import LivenessDenied, LivenessInconclusive
from faceauth.liveness.depth import face_depth
from faceauth.liveness.profiles import Profile

GATE: Final = "parallax"

ROUNDS: Final = 12
"""Of the robust fit."""
LEAST_POINTS: Final = 30
"""Points that a fit or a homography needs: four times the unknowns, so that the rest can contradict."""


def check_each(gamma: float, profile: Profile) -> None:
    """Check one motion's γ, positive to the commanded side.

    Raises:
        LivenessDenied: gate `parallax`.
    """
    # Written so that a value that is no number is denied, here and below.
    if not gamma >= profile.parallax_each:
        raise LivenessDenied(GATE, "The face moved like something flat, or to the wrong side.")


def check_parallax(gamma: float, profile: Profile) -> None:
    """Check the mean γ of all motions; that each has its own least is seen to by `check_each`.

    Raises:
        LivenessInconclusive: the motions together show too little of a solid head.
    """
    if not gamma >= profile.parallax:
        raise LivenessInconclusive(GATE, "motion", "The face moved too little like a solid head.")


def parallax(
    before: NDArray[np.float64], after: NDArray[np.float64], *, axis: int, tip: NDArray[np.float64]
) -> float:
    """Fit the displacement along `axis` (0 along the eyes, 1 across them) and return γ.

    Δ = quadratic(1, x, y, x², xy, y²) + γ·z(x, y). The quadratic takes up all that a plane, its perspective and a
    gently bent sheet can do; what is left for γ is the shape of a face, above all the nose. The fit is an
    iteratively re-weighted least squares with Huber's weights (Huber, 1964), which lessen a point that does not
    fit but never drop it: with weights that do, the fit could drop the nose, which is a small part of the face.

    Args:
        before: points of the start frame, in the face's frame, shape (n, 2).
        after: the same points later, in the same frame.
        axis: which displacement.
        tip: the nose tip in that frame, facing the camera.

    Raises:
        ValueError: too few points, or a fit that is no number.
    """
    x, y = before[:, 0], before[:, 1]
    moved = (after - before)[:, axis]
    design = np.column_stack([np.ones_like(x), x, y, x * x, x * y, y * y, face_depth(x, y, tip)])
    if len(x) < LEAST_POINTS:
        raise ValueError("too few points to fit")
    if not (np.isfinite(design).all() and np.isfinite(moved).all()):
        # LAPACK would print a line of its own before it fails.
        raise ValueError("a point is no number")
    weight = np.ones(len(x))
    gamma = 0.0
    for _ in range(ROUNDS):
        root = np.sqrt(weight)
        solution = np.linalg.lstsq(design * root[:, None], moved * root, rcond=None)[0]
        gamma = float(solution[-1])
        residual = moved - design @ solution
        spread = max(1.4826 * float(np.median(np.abs(residual))), 1e-4)
        weight = np.minimum(1.0, 1.345 * spread / np.maximum(np.abs(residual), 1e-9))
    if not np.isfinite(gamma):
        raise ValueError("the fit is no number")
    return gamma
