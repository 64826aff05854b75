"""Gate `plane` (G3b): the texture of a turn leaves every plane, which that of a flat picture never does."""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.errors import LivenessDenied
from faceauth.liveness.parallax import LEAST_POINTS
from faceauth.liveness.profiles import Profile

GATE: Final = "plane"


def check_plane(residual: float, profile: Profile) -> None:
    """Check what a turn left of the best homography.

    Raises:
        LivenessDenied: gate `plane`.
    """
    # Written so that a value that is no number is denied.
    if not residual >= profile.off_plane:
        raise LivenessDenied(GATE, "The face moved like a plane.")


def off_plane(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """Return the median distance, in IPD, that the best homography leaves: what no flat picture can show.

    Raises:
        ValueError: too few points, or no homography.
    """
    if len(before) < LEAST_POINTS:
        raise ValueError("too few points to fit")
    # None where the points allow no homography, which the package's own types do not say.
    matrix: NDArray[Any] | None = cv2.findHomography(before, after, 0)[0]
    if matrix is None or not np.isfinite(matrix).all():
        raise ValueError("there is no homography")
    mapped = cv2.perspectiveTransform(before[:, None], matrix)[:, 0]
    left = float(np.median(np.hypot(*(after - mapped).T)))
    if not np.isfinite(left):
        raise ValueError("the distance is no number")
    return left
