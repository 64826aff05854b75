"""Light on what stands before the simulated camera: a lamp, and the coloured light of the device's own screen.

Lambert's law: a matt surface is as bright as the cosine between its normal and the way to the light; of a lamp
close by the light also falls off with the square of the distance. Colours mix in linear light, of which a
photograph holds about the 1/2.2th power.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.simulate.anatomy import Grid
from faceauth.simulate.surface import Surface
from faceauth.types import Challenge, Colour, Pose

GAMMA = 2.2
GLASS = 0.03
"""What a screen's glass throws back of the light that falls on it; the rest goes in and stays there."""

BEHIND = 0.08
"""How much of the screen's light reaches the wall behind a person, as a share of what reaches the face: a wall
3.5 times as far away."""

Bright = NDArray[np.float32]
"""By what a point's colour is multiplied: shape (rows, columns), or (rows, columns, 3) in coloured light."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the surface is: angles as in `Pose`, and a shift (right, down, nearer) in eye distances."""

    pose: Pose
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Light:
    """One lamp, the light from everywhere, and the screen.

    `direction` points to the lamp; `ambient` is the share of light that has no direction; `screen` is what the
    device's screen adds, RGB, in linear light and as a share of all the other light.
    """

    direction: tuple[float, float, float] = (0.3, -0.5, 0.8)
    ambient: float = 0.7
    screen: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def coloured(self) -> bool:
        """Whether the screen adds anything."""
        return any(self.screen)


def shade(surface: Surface, at: Placement, light: Light, distance: float) -> Bright:
    """Return by how much the light on each grid point differs from the light it was photographed in.

    The photograph holds the light of the facing pose already, so only the change by turning is applied, and what
    the screen adds from where the camera is, `distance` eye distances away.
    """
    if surface.emits:
        return np.ones_like(surface.x)
    normal = _normals(surface)
    lamp = np.array(light.direction) / np.linalg.norm(light.direction)
    turned = rotation_of(at.pose).T @ lamp
    before, after = (np.clip(_along(normal, to), 0, None) for to in (lamp, turned))
    diffuse = 1.0 - light.ambient
    now = light.ambient + diffuse * after
    ratio = np.asarray(now / (light.ambient + diffuse * before), dtype=np.float32)
    if not light.coloured:
        return ratio
    more = np.asarray(_reach(surface, normal, at, distance) / now, dtype=np.float32)
    lit = [ratio * (1 + more * np.float32(one)) ** np.float32(1 / GAMMA) for one in light.screen]
    return np.asarray(cv2.merge(lit), dtype=np.float32)


def _along(normal: NDArray[np.float32], to: NDArray[np.float64]) -> Grid:
    x, y, z = to.astype(np.float32)
    return np.asarray(x * normal[0] + y * normal[1] + z * normal[2], dtype=np.float32)


@lru_cache(maxsize=4)  # a surface is the same in every frame, but for a screen's, which has no use for them
def _normals(surface: Surface) -> NDArray[np.float32]:
    step_x, step_y = np.gradient(surface.x[0]), np.gradient(surface.y[:, :1], axis=0)
    smooth = np.asarray(cv2.GaussianBlur(surface.z, (0, 0), 5), dtype=np.float32)
    slope_y, slope_x = np.gradient(smooth)
    step_x = np.maximum(step_x, 1e-4)  # where a bent sheet is seen from its edge
    normal = np.stack([-slope_x / step_x, -slope_y / step_y, np.ones_like(smooth)]).astype(np.float32)
    return np.asarray(normal / np.sqrt((normal**2).sum(axis=0)), dtype=np.float32)


def _reach(surface: Surface, normal: NDArray[np.float32], at: Placement, distance: float) -> Grid:
    """Return how much of the screen's light each point gets; 1 for a point between the eyes of a facing head."""
    pivot = np.array(surface.pivot)
    # The screen as the surface sees it: the camera's place, turned back.
    screen = rotation_of(at.pose).T @ (np.array([0.0, 0.0, distance]) - pivot - np.array(at.shift)) + pivot
    x, y, z = screen.astype(np.float32)
    x, y, z = x - surface.x, y - surface.y, z - surface.z
    far = x * x + y * y + z * z
    facing = np.clip(x * normal[0] + y * normal[1] + z * normal[2], 0, None)
    return np.asarray(facing / (far * np.sqrt(far)) * np.float32(distance**2), dtype=np.float32)


def glare(seen: NDArray[np.float32], light: Light) -> NDArray[np.float32]:
    """Return what a screen shows, (H, W, 3), with the coloured light that its glass throws back."""
    powers = (np.clip(seen, 0, 255) / 255) ** np.float32(GAMMA)
    powers += GLASS * np.array(light.screen, dtype=np.float32)
    return np.asarray(powers ** np.float32(1 / GAMMA) * 255, dtype=np.float32)


def wall(light: Light) -> NDArray[np.float32]:
    """Return by what the coloured light multiplies the picture behind the person, shape (3,)."""
    return np.asarray((1.0 + BEHIND * np.array(light.screen)) ** (1 / GAMMA), dtype=np.float32)


def rotation_of(pose: Pose) -> NDArray[np.float64]:
    """Return the rotation of a head pose in x right, y down, z towards the camera, shape (3, 3)."""
    yaw, pitch, roll = np.deg2rad([pose.yaw, pose.pitch, pose.roll])
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    nod = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    tilt = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return np.asarray(tilt @ nod @ turn, dtype=np.float64)


class ScreenShow:
    """The colours that a device shows during the flash steps of a challenge.

    Args:
        challenge: whose colours are shown.
        power: the light of one colour at full, as a share of all other light on the face.
        lag_ms: how long after a step's begin its first colour is seen: the display's and the camera's delay.
    """

    def __init__(self, challenge: Challenge, *, power: float, lag_ms: float) -> None:
        self._colours = {step.id: step.colours for step in challenge.steps}
        self._power = power
        self._lag_ms = lag_ms

    def light(self, step: str, since_ms: float) -> tuple[float, float, float]:
        """Return what the screen adds `since_ms` after the step's begin, RGB, as in `Light`."""
        colour = _shown(self._colours.get(step, ()), since_ms - self._lag_ms)
        if colour is None:
            return 0.0, 0.0, 0.0
        red, green, blue = (int(colour.rgb[at : at + 2], 16) / 255 for at in (1, 3, 5))
        return self._power * red**GAMMA, self._power * green**GAMMA, self._power * blue**GAMMA


def _shown(colours: Sequence[Colour], since_ms: float) -> Colour | None:
    for colour in colours:
        if 0 <= since_ms < colour.ms:
            return colour
        since_ms -= colour.ms
    return None
