"""Five landmarks as a frame of reference, and where the nose stands in it.

Units are eye distances (IPD). The face's own frame has its origin between the eyes, x along them to the picture's
right, y towards the mouth, whose middle lies at `MOUTH`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from faceauth.types import Points

MOUTH: Final = 1.12
"""How far the mouth's middle lies below the eyes, in IPD, as the depth of ``faceauth.liveness.depth`` has it."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceFrame:
    """The map from picture to face, shape (2, 3), and the eye distance in pixels."""

    matrix: NDArray[np.float64]
    eye_distance: float

    @classmethod
    def of(cls, landmarks: Points) -> "FaceFrame":
        """Fit the frame to the middle of the mouth and both eyes, three points and so exactly.

        Raises:
            ValueError: the points lie on one line or are not finite.
        """
        left, right, mouth = _three(landmarks)
        along, down = right - left, mouth - (left + right) / 2
        basis = np.column_stack([along, down / MOUTH])
        distance = float(np.hypot(*along))
        if not np.isfinite(basis).all() or abs(np.linalg.det(basis)) < 0.05 * max(distance, 1.0) ** 2:
            raise ValueError("the landmarks have no shape")
        inverse = np.linalg.inv(basis)
        return cls(np.column_stack([inverse, -inverse @ ((left + right) / 2)]), distance)

    def into(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return picture points, shape (n, 2), in the face's frame."""
        return np.asarray(points @ self.matrix[:, :2].T + self.matrix[:, 2], dtype=np.float64)

    def out_of(self, points: NDArray[np.float64]) -> Points:
        """Return points of the face's frame, shape (n, 2), in the picture."""
        moved = (points - self.matrix[:, 2]) @ np.linalg.inv(self.matrix[:, :2]).T
        return np.asarray(moved, dtype=np.float32)


def nose(landmarks: Points) -> NDArray[np.float64]:
    """Return the nose tip (x, y) in the face's frame.

    An affine frame goes with a flat picture however it is turned, so on a flat picture the nose stays where it is;
    on a head it moves along with the turn, because it stands out.

    Raises:
        ValueError: the landmarks have no shape.
    """
    return np.asarray(FaceFrame.of(landmarks).into(landmarks[2:3])[0])


def eye_distance(landmarks: Points) -> float:
    """Return the pixels between the eyes."""
    return float(np.hypot(*(landmarks[1] - landmarks[0])))


def _three(landmarks: Points) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    points = np.asarray(landmarks, dtype=np.float64)
    if points.shape != (5, 2) or not np.isfinite(points).all():
        raise ValueError("a face has five finite landmarks")
    return points[0], points[1], points[3:].mean(axis=0)
