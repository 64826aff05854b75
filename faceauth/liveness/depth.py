"""How far a face stands out towards the camera: one average face, with the nose where this person has it."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

TIP: Final = 0.72
"""Where the nose of the average face is highest, in eye distances below the eyes."""


class Relief:
    """The average face at given points, all but its nose worked out once: a search over noses asks for many.

    Args:
        x: along the eyes, in eye distances (IPD) of the face's frame.
        y: towards the mouth; of one shape with `x`.
    """

    def __init__(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
        self.x, self.y = x, y
        self._rounded = -0.30 * x**2 - 0.10 * (y - 0.35) ** 2
        self._sockets = -0.06 * sum(np.exp(-((x - eye) ** 2 + y**2) / 0.05) for eye in (-0.5, 0.5))
        self._lips = 0.05 * np.exp(-((x / 0.4) ** 2 + ((y - 1.12) / 0.15) ** 2))

    def depth(self, tips: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
        """Return `face_depth` at the points for each nose tip, shape (2,); equal heights share their work."""
        bridges: dict[float, tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]] = {}
        found = []
        for tip in tips:
            aside, low = float(np.clip(tip[0], -0.3, 0.3)), float(np.clip(tip[1], 0.4, 0.95))
            if low not in bridges:
                bridges[low] = self._bridge(low)
            rise, along, width = bridges[low]
            nose = 0.46 * rise * np.exp(-(((self.x - aside * along) / width) ** 2))
            found.append(np.asarray(self._rounded + nose + self._sockets + self._lips, dtype=np.float64))
        return found

    def _bridge(self, low: float) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return how high a nose that ends at `low` is, how far along it the points are, and how wide it is."""
        down = self.y * (TIP / low)
        fall = 1.0 + np.exp(np.clip((down - 0.86) / 0.05, -60.0, 60.0))
        rise = np.clip((down + 0.15) / 0.85, 0.0, 1.0) / fall
        along = np.clip((down + 0.15) / (TIP + 0.15), 0.0, 1.1)
        return rise, along, 0.13 + 0.10 * np.clip(down, 0.0, 1.0)


def face_depth(x: NDArray[np.float64], y: NDArray[np.float64], tip: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return z, towards the camera, at points of the face's frame; all in eye distances (IPD).

    The terms: the face's roundness across and along, the nose, the eye sockets, the lips. The coefficients are
    those of this project's preliminary study of solid heads against flat and bent pictures (docs/liveness.md);
    the fit needs the shape, not the scale. The nose ends at `tip`, which differs between people and with where the
    camera stands: on the average nose the fit missed those whose tip lies beside the middle (docs/liveness.md).

    Args:
        x: along the eyes.
        y: towards the mouth.
        tip: the nose tip (x, y) of this person, facing the camera.
    """
    return Relief(x, y).depth([tip])[0]
