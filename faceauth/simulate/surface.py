"""What can stand in front of the simulated camera: a head, or a print of one."""

from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.errors import InvalidRequest
from faceauth.simulate.anatomy import Grid, HeadShape
from faceauth.types import Image, Points

TEXTURE_UNIT = 96
"""Texture pixels between the eyes: a little more than the camera shows, so that nothing is lost to sampling."""

GRID_UNIT = 64
"""Grid points between the eyes."""

CHEST = 3.4
"""How far below the eyes a print still shows the photograph."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A textured sheet in space, in distances between the eyes.

    `texture` is (H, W, 4), RGBA float32, 0 to 255 with alpha 0 to 1; `x`, `y` and `z` are the grid's points, shape
    (rows, columns); `u` and `v` say where in the texture each lies; `landmarks` are the five points, shape (5, 3);
    `pivot` is what the surface turns about; `emits` is true for a screen, which makes its own light.
    """

    texture: NDArray[np.float32] = field(repr=False)
    x: Grid = field(repr=False)
    y: Grid = field(repr=False)
    z: Grid = field(repr=False)
    u: Grid = field(repr=False)
    v: Grid = field(repr=False)
    landmarks: NDArray[np.float32] = field(repr=False)
    pivot: tuple[float, float, float]
    emits: bool = False


class Subject(Protocol):
    """Whatever stands in front of the camera."""

    def surface_at(self, t_ms: int) -> Surface:
        """Return what it looks like `t_ms` after the session's start."""
        ...


class Rectified:
    """A photograph with its five landmarks, rectified to the face's own coordinates."""

    def __init__(self, photo: Image, landmarks: Points, *, reach: tuple[float, float, float, float]) -> None:
        """Rectify `photo`, (H, W, 3) RGB, by its eyes; `reach` is (left, top, right, bottom) in eye distances."""
        points = np.asarray(landmarks, dtype=np.float64)
        if photo.ndim != 3 or photo.shape[2] != 3 or points.shape != (5, 2) or not np.isfinite(points).all():
            raise InvalidRequest("A photograph is (H, W, 3) RGB and comes with five landmarks, shape (5, 2).")
        along = points[1] - points[0]
        apart = float(np.hypot(*along))
        if apart < 8:
            raise InvalidRequest("The eyes in this photograph are less than 8 pixels apart; use a larger one.")
        # A face photographed from the side has its eyes too close together; then its height gives the scale
        # (facing the camera the mouth lies 1.0 to 1.2 eye distances below the eyes).
        below = points[3:].mean(axis=0) - points[:2].mean(axis=0)
        unit = max(apart, float(np.hypot(*below)) / 1.2)
        # Rows of the rotation that lays the eyes level and makes the unit 1.
        turn = np.array([[along[0], along[1]], [-along[1], along[0]]]) / (apart * unit)
        middle = (points[0] + points[1]) / 2
        self.points = ((points - middle) @ turn.T).astype(np.float32)
        left, top, right, bottom = reach
        self.origin = (left, top)
        size = (round((right - left) * TEXTURE_UNIT), round((bottom - top) * TEXTURE_UNIT))
        matrix = np.empty((2, 3))
        matrix[:, :2] = turn * TEXTURE_UNIT
        matrix[:, 2] = -matrix[:, :2] @ middle - np.array([left, top]) * TEXTURE_UNIT
        shrink = unit / TEXTURE_UNIT
        if shrink > 1.5:  # warpAffine does not average; without this a large photograph would alias
            photo = np.asarray(cv2.GaussianBlur(photo, (0, 0), 0.4 * shrink), dtype=np.uint8)
        self.pixels = np.asarray(
            cv2.warpAffine(photo, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE),
            dtype=np.uint8,
        )

    def grid(self, step: float = 1 / GRID_UNIT) -> tuple[Grid, Grid, Grid, Grid]:
        """Return x, y of a grid over the texture, and the texture's coordinates of its points."""
        high, wide = self.pixels.shape[:2]
        u = np.arange(0, wide - 1, step * TEXTURE_UNIT, dtype=np.float32)
        v = np.arange(0, high - 1, step * TEXTURE_UNIT, dtype=np.float32)
        us, vs = np.meshgrid(u, v)
        x = np.asarray(us / TEXTURE_UNIT + self.origin[0], dtype=np.float32)
        y = np.asarray(vs / TEXTURE_UNIT + self.origin[1], dtype=np.float32)
        return x, y, us, vs


class Head:
    """A solid head that wears the photograph.

    Attributes:
        surface: the head in front of the camera.
        skin: mean colour of the cheeks, RGB.
        clothes: mean colour under the chin, RGB.
    """

    def __init__(self, photo: Image, landmarks: Points, *, seed: int = 0) -> None:
        """Fit a head to `photo`, (H, W, 3) RGB, with `landmarks` as in `DetectedFace`; `seed` varies its shape."""
        subject = Rectified(photo, landmarks, reach=(-1.6, -1.95, 1.6, 2.2))
        nose = np.clip(subject.points[2], (-0.25, 0.45), (0.25, 0.85))
        mouth = np.clip(subject.points[3:].mean(axis=0), (-0.25, 0.85), (0.25, 1.4))
        shape = HeadShape.of(
            nose_tip=(float(nose[0]), float(nose[1])),
            mouth=(float(mouth[0]), float(mouth[1])),
            rng=np.random.default_rng(seed),
        )
        x, y, u, v = subject.grid()
        high, wide = subject.pixels.shape[:2]
        row, column = np.mgrid[0:high, 0:wide].astype(np.float32)
        out = shape.outline(column / TEXTURE_UNIT - 1.6, row / TEXTURE_UNIT - 1.95)
        texture = np.empty((high, wide, 4), dtype=np.float32)
        texture[..., :3] = subject.pixels
        texture[..., 3] = np.clip((1.0 - out) / 0.04, 0.0, 1.0)
        px, py = subject.points[:, 0], subject.points[:, 1]
        points = np.stack([px, py, shape.height(px, py)], axis=1)
        # People turn about the neck's axis, behind the face and below the eyes.
        self.surface = Surface(texture, x, y, shape.height(x, y), u, v, points, pivot=(0.0, 0.7, -1.2))
        self.skin = _colour(subject, (-0.75, 0.5, 0.75, 0.8))
        self.clothes = _colour(subject, (-0.9, 1.95, 0.9, 2.2))

    def surface_at(self, t_ms: int) -> Surface:  # noqa: ARG002  a head looks the same at any time
        """Return the head."""
        return self.surface


class Print:
    """The photograph on a sheet of paper, flat or bent round an upright axis."""

    def __init__(self, photo: Image, landmarks: Points, *, radius: float = np.inf, emits: bool = False) -> None:
        """Print `photo`; `radius` of the bend is in eye distances (63 mm), infinite when flat."""
        subject = Rectified(photo, landmarks, reach=(-1.9, -2.1, 1.9, CHEST))
        x, y, u, v = subject.grid(1 / 48)
        texture = opaque(subject.pixels)
        flat_x = subject.points[:, 0].copy()
        bent_x, z = _bend(x, radius)
        px, pz = _bend(flat_x, radius)
        points = np.stack([px, subject.points[:, 1], pz], axis=1)
        self.surface = Surface(texture, bent_x, y, z, u, v, points, pivot=(0.0, 0.6, 0.0), emits=emits)

    def surface_at(self, t_ms: int) -> Surface:  # noqa: ARG002  a sheet looks the same at any time
        """Return the sheet."""
        return self.surface


def opaque(pixels: Image) -> NDArray[np.float32]:
    """Return `pixels`, (H, W, 3) RGB, as a texture without holes."""
    planes = [plane.astype(np.float32) for plane in cv2.split(pixels)]
    return np.asarray(cv2.merge([*planes, np.ones_like(planes[0])]), dtype=np.float32)


def _bend(x: Grid, radius: float) -> tuple[Grid, Grid]:
    """Roll a flat sheet round an upright axis behind it, without stretching the paper."""
    if not np.isfinite(radius):
        return x, np.zeros_like(x)
    angle = np.clip(x / radius, -1.5, 1.5)
    return (radius * np.sin(angle)).astype(np.float32), (radius * (np.cos(angle) - 1.0)).astype(np.float32)


def _colour(subject: Rectified, box: tuple[float, float, float, float]) -> tuple[float, float, float]:
    left, top, right, bottom = (
        round((value - subject.origin[axis % 2]) * TEXTURE_UNIT) for axis, value in enumerate(box)
    )
    red, green, blue = np.median(subject.pixels[top:bottom, left:right].reshape(-1, 3), axis=0)
    return float(red), float(green), float(blue)
