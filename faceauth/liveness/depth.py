"""How far a face stands out towards the camera: one average face, as a formula."""

import numpy as np
from numpy.typing import NDArray


def face_depth(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return z, towards the camera, at points of the face's frame; all in eye distances (IPD).

    The terms: the face's roundness across and along, the nose (0.46 IPD at its tip, ending under it at 0.86), the
    eye sockets, the lips. The coefficients are those of this project's own preliminary study of solid heads
    against flat and bent pictures (its table: docs/liveness.md). The fit needs the shape only, not the scale.
    """
    low = np.clip(y, 0.0, 1.0)
    rounded = -0.30 * x**2 - 0.10 * (y - 0.35) ** 2
    ridge = np.clip((y + 0.15) / 0.85, 0.0, 1.0) / (1.0 + np.exp(np.clip((y - 0.86) / 0.05, -60.0, 60.0)))
    nose = 0.46 * ridge * np.exp(-((x / (0.13 + 0.10 * low)) ** 2))
    sockets = -0.06 * sum(np.exp(-((x - eye) ** 2 + y**2) / 0.05) for eye in (-0.5, 0.5))
    lips = 0.05 * np.exp(-((x / 0.4) ** 2 + ((y - 1.12) / 0.15) ** 2))
    return np.asarray(rounded + nose + sockets + lips, dtype=np.float64)
