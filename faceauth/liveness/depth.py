"""How far a face stands out towards the camera: one average face, with the nose where this person has it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

TIP: Final = 0.72
"""Where the nose of the average face is highest, in eye distances below the eyes."""


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
    aside, low = float(np.clip(tip[0], -0.3, 0.3)), float(np.clip(tip[1], 0.4, 0.95))
    rounded = -0.30 * x**2 - 0.10 * (y - 0.35) ** 2
    down = y * (TIP / low)
    rise = np.clip((down + 0.15) / 0.85, 0.0, 1.0) / (1.0 + np.exp(np.clip((down - 0.86) / 0.05, -60.0, 60.0)))
    along = np.clip((down + 0.15) / (TIP + 0.15), 0.0, 1.1)
    width = 0.13 + 0.10 * np.clip(down, 0.0, 1.0)
    nose = 0.46 * rise * np.exp(-(((x - aside * along) / width) ** 2))
    sockets = -0.06 * sum(np.exp(-((x - eye) ** 2 + y**2) / 0.05) for eye in (-0.5, 0.5))
    lips = 0.05 * np.exp(-((x / 0.4) ** 2 + ((y - 1.12) / 0.15) ** 2))
    return np.asarray(rounded + nose + sockets + lips, dtype=np.float64)
