"""The shape of a head, as a height over the photograph.

Coordinates are the face's own: the origin lies between the eyes, x runs along them to the picture's right, y down,
z towards the camera, and the unit is the distance between the eyes (about 63 mm in adults). The shape is a skull,
half an ellipsoid, with a nose and a few shallow features on it; its proportions vary with the seed so that a test
does not see the same head twice. It is written independently of the depth that liveness fits
(``faceauth.liveness.depth``): they agree on what every face has, a nose, and on little else.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Grid = NDArray[np.float32]
"""One value a grid point, shape (rows, columns)."""


@dataclass(frozen=True, slots=True)
class HeadShape:
    """Proportions of one head, in distances between the eyes.

    `half_width`, `half_height` and `depth` are the skull's half axes and `middle` its height below the eyes;
    `nose` is how far the nose tip stands out; `nose_tip` and `mouth` are (x, y) in the photograph.
    """

    nose_tip: tuple[float, float]
    mouth: tuple[float, float]
    half_width: float = 1.28
    half_height: float = 1.78
    middle: float = 0.12
    depth: float = 1.05
    nose: float = 0.46
    brow: float = 0.04
    lips: float = 0.06
    chin: float = 0.07

    @classmethod
    def of(
        cls, *, nose_tip: tuple[float, float], mouth: tuple[float, float], rng: np.random.Generator
    ) -> "HeadShape":
        """Draw a head whose nose and mouth lie where the photograph shows them."""
        return cls(
            nose_tip=nose_tip,
            mouth=mouth,
            half_width=float(rng.uniform(1.22, 1.34)),
            half_height=float(rng.uniform(1.72, 1.84)),
            depth=float(rng.uniform(0.95, 1.2)),
            nose=float(rng.uniform(0.40, 0.52)),  # LIVENESS puts an average nose at 0.46
            brow=float(rng.uniform(0.02, 0.06)),
            lips=float(rng.uniform(0.04, 0.08)),
            chin=float(rng.uniform(0.04, 0.09)),
        )

    def outline(self, x: Grid, y: Grid) -> Grid:
        """Return how far out a point lies: 0 in the middle of the head, 1 on its outline, more outside."""
        out = np.hypot(x / self.half_width, (y - self.middle) / self.half_height)
        return np.asarray(out, dtype=np.float32)

    def height(self, x: Grid, y: Grid) -> Grid:
        """Return z, 0 at the height of the eyes' surroundings, growing towards the camera."""
        out = np.minimum(self.outline(x, y), 0.995)
        z = self.depth * (np.sqrt(1.0 - out * out) - 1.0)
        z = z + self._nose(x, y)
        z = z - 0.06 * (_bump(x - 0.5, y, 0.20, 0.14) + _bump(x + 0.5, y, 0.20, 0.14))
        z = z + self.brow * _bump(x, y + 0.30, 0.75, 0.12)
        mouth_x, mouth_y = self.mouth
        z = z + self.lips * _bump(x - mouth_x, y - mouth_y, 0.36, 0.13)
        z = z + self.chin * _bump(x - mouth_x, y - mouth_y - 0.50, 0.34, 0.18)
        return np.asarray(z, dtype=np.float32)

    def _nose(self, x: Grid, y: Grid) -> Grid:
        """Rise from between the eyes to the tip, fall away below it, wider at the wings."""
        tip_x, tip_y = self.nose_tip
        along = np.clip((y + 0.12) / (tip_y + 0.12), 0.0, None)
        ridge = (
            np.minimum(along, 1.0) ** 1.15 * 0.5 * (1.0 + np.cos(np.pi * np.clip((along - 1.0) / 0.28, 0.0, 1.0)))
        )
        width = 0.13 + 0.09 * np.clip(along, 0.0, 1.0)
        across = x - tip_x * np.clip(along, 0.0, 1.0)
        return np.asarray(self.nose * ridge * np.exp(-((across / width) ** 2)), dtype=np.float32)


def _bump(x: Grid, y: Grid, wide: float, high: float) -> Grid:
    return np.asarray(np.exp(-((x / wide) ** 2) - (y / high) ** 2), dtype=np.float32)
