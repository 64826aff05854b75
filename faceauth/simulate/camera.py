"""A pinhole camera that sees one surface before a background: projection, occlusion, light, noise, JPEG."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.simulate.anatomy import Grid
from faceauth.simulate.light import Light, Placement, glare, rotation_of, shade
from faceauth.simulate.surface import Surface
from faceauth.types import Image, Points, Pose

MAP_STEP = 2
"""Pixels between two points of the map from picture to texture; between them it is interpolated."""


class Camera:
    """A camera of `size` (width, height): from `distance` it sees the eyes `eye_distance` pixels apart."""

    def __init__(
        self, *, size: tuple[int, int] = (640, 480), eye_distance: float = 84.0, distance: float = 8.0
    ) -> None:
        """Place the camera; `distance` is in eye distances, of which 8 are half a metre, an arm's length."""
        self.size = size
        self.distance = distance
        self.focal = eye_distance * distance
        # The face's middle is 0.55 eye distances below the eyes; it goes to the picture's middle.
        self.centre = (size[0] / 2, size[1] / 2 - 0.55 * eye_distance)

    def project(self, points: NDArray[np.float32], surface: Surface, at: Placement) -> Points:
        """Return where points of the surface, shape (n, 3), are seen, shape (n, 2)."""
        u, v = self._project(points[:, 0], points[:, 1], points[:, 2], surface, at)
        return np.stack([u, v], axis=1).astype(np.float32)

    def draw(self, surface: Surface, at: Placement, light: Light, canvas: NDArray[np.float32]) -> None:
        """Draw the surface over `canvas`, (H, W, 3) float32, in place."""
        u, v = self._project(surface.x, surface.y, surface.z, surface, at)
        solid = surface.texture[surface.v.astype(np.intp), surface.u.astype(np.intp), 3] > 0
        found = _invert(u, v, solid, self.size, at.pose)
        if found is None:
            return
        (left, top, right, bottom), columns, rows, cover = found
        full = (right - left, bottom - top)
        texture_u = _stretch(_sample(surface.u, columns, rows), full)
        texture_v = _stretch(_sample(surface.v, columns, rows), full)
        seen = cv2.remap(surface.texture, texture_u, texture_v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        *planes, alpha = cv2.split(seen)
        colours = np.asarray(cv2.merge(planes), dtype=np.float32)
        if not surface.emits:
            bright = _stretch(_sample(shade(surface, at, light, self.distance), columns, rows), full)
            colours *= bright if bright.ndim == 3 else _three(bright)
        elif light.coloured:
            colours = glare(colours, light)
        part = canvas[top:bottom, left:right]
        colours -= part
        colours *= _three(alpha * _stretch(cover, full))
        part += colours

    def _project(self, x: Grid, y: Grid, z: Grid, surface: Surface, at: Placement) -> tuple[Grid, Grid]:
        rotation = rotation_of(at.pose).astype(np.float32)
        px, py, pz = (np.float32(value) for value in surface.pivot)
        x, y, z = x - px, y - py, z - pz
        right, down, near = (np.float32(value) for value in at.shift)
        sx = rotation[0, 0] * x + rotation[0, 1] * y + rotation[0, 2] * z + (px + right)
        sy = rotation[1, 0] * x + rotation[1, 1] * y + rotation[1, 2] * z + (py + down)
        sz = rotation[2, 0] * x + rotation[2, 1] * y + rotation[2, 2] * z + (pz + near)
        scale = np.float32(self.focal) / (np.float32(self.distance) - sz)
        return sx * scale + np.float32(self.centre[0]), sy * scale + np.float32(self.centre[1])


def _invert(
    u: Grid, v: Grid, solid: NDArray[np.bool_], size: tuple[int, int], pose: Pose
) -> tuple[tuple[int, int, int, int], Grid, Grid, Grid] | None:
    """Turn "where is this grid point seen" into "which grid point is seen here", nearest surface first.

    Grid points are written into the map from the far side to the near side, so that the nearer one stays
    (McMillan's occlusion-compatible order: for a height field turned by a small angle it is an order of rows and
    columns, and no depths need comparing). One Newton step then removes the rounding to whole map points.

    Points that are not `solid`, beside the head's outline, are left out.

    Returns the part of the picture (left, top, right, bottom), the grid's columns and rows on the map, and a
    cover of 0 or 1; None when nothing is in the picture.
    """
    left, top = max(int(u.min()) - 8, 0), max(int(v.min()) - 8, 0)
    right, bottom = min(int(u.max()) + 9, size[0]), min(int(v.max()) + 9, size[1])
    wide, high = (right - left) // MAP_STEP, (bottom - top) // MAP_STEP
    if wide < 8 or high < 8:
        return None
    right, bottom = left + wide * MAP_STEP, top + high * MAP_STEP
    # cv2.resize aligns pixel areas: map point i stands for the middle of pixels MAP_STEP·i ….
    offset = (MAP_STEP - 1) / 2
    map_u = np.asarray((u - (left + offset)) / MAP_STEP, dtype=np.float32)
    map_v = np.asarray((v - (top + offset)) / MAP_STEP, dtype=np.float32)
    column, row = np.rint(map_u).astype(np.int32), np.rint(map_v).astype(np.int32)
    inside = solid & (column >= 0) & (column < wide) & (row >= 0) & (row < high)
    cell = np.where(inside, row * wide + column, wide * high)
    order_x = -1 if pose.yaw > 0 else 1
    order_y = -1 if pose.pitch < 0 else 1
    source = np.arange(u.size, dtype=np.int32).reshape(u.shape)
    nearest = np.full(wide * high + 1, -1, dtype=np.int32)
    # The axis of the larger turn goes outermost: along it near and far change the most.
    along: Literal["F", "C"] = "F" if abs(pose.yaw) >= abs(pose.pitch) else "C"
    nearest[cell[::order_y, ::order_x].ravel(along)] = source[::order_y, ::order_x].ravel(along)
    nearest = nearest[:-1]
    hit = np.flatnonzero(nearest >= 0)
    index = nearest[hit]
    rows, columns = np.divmod(index, u.shape[1])
    columns_map, rows_map = _newton(map_u, map_v, index, hit, wide)
    plane = np.zeros((3, wide * high), dtype=np.float32)
    plane[0, hit], plane[1, hit], plane[2, hit] = columns + columns_map, rows + rows_map, 1.0
    gx, gy, known = plane.reshape(3, high, wide)
    return (left, top, right, bottom), *_fill(gx, gy, known)


def _newton(
    map_u: Grid, map_v: Grid, index: NDArray[np.int32], hit: NDArray[np.intp], wide: int
) -> tuple[Grid, Grid]:
    """Return by how many columns and rows each map point lies beside its nearest grid point."""
    u_row, u_col = (part.ravel()[index] for part in np.gradient(map_u))
    v_row, v_col = (part.ravel()[index] for part in np.gradient(map_v))
    target_v, target_u = np.divmod(hit, wide)
    du, dv = target_u - map_u.ravel()[index], target_v - map_v.ravel()[index]
    determinant = u_col * v_row - u_row * v_col
    # Where the surface is seen from its edge the step would be huge; the nearest grid point is good enough there.
    safe = np.where(determinant > 0.05, determinant, np.inf)
    columns = np.clip((v_row * du - u_row * dv) / safe, -2, 2)
    rows = np.clip((u_col * dv - v_col * du) / safe, -2, 2)
    return columns.astype(np.float32), rows.astype(np.float32)


def _fill(columns: Grid, rows: Grid, known: Grid) -> tuple[Grid, Grid, Grid]:
    """Close single missing map points and continue the map a little past its edge, for interpolation."""
    cover = np.asarray(cv2.morphologyEx(known, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), dtype=np.float32)
    weight = np.asarray(cv2.boxFilter(known, -1, (5, 5), normalize=False), dtype=np.float32)
    usable = np.maximum(weight, 1.0)
    filled = [
        np.where(known > 0, part, np.asarray(cv2.boxFilter(part, -1, (5, 5), normalize=False)) / usable)
        for part in (columns, rows)
    ]
    cover[weight == 0] = 0.0
    soft = np.asarray(cv2.blur(cover, (3, 3)), dtype=np.float32)  # an outline of whole map points would be ragged
    return filled[0].astype(np.float32), filled[1].astype(np.float32), np.minimum(cover, soft)


def _three(values: Grid) -> NDArray[np.float32]:
    """Repeat values for red, green and blue: NumPy is slow at arithmetic along so short an axis."""
    return np.asarray(cv2.merge([values, values, values]), dtype=np.float32)


def _sample(values: Grid, columns: Grid, rows: Grid) -> Grid:
    seen = cv2.remap(values, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, dtype=np.float32)


def _stretch(values: Grid, size: tuple[int, int]) -> Grid:
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR), dtype=np.float32)


class Sensor:
    """What a camera's sensor and encoder add: noise, and JPEG at `quality`."""

    def __init__(
        self, rng: np.random.Generator, *, size: tuple[int, int], sigma: float = 2.0, quality: int = 90
    ) -> None:
        """Make noise of `sigma` grey levels once; each frame is given another part of it."""
        self._rng = rng
        self._noise = rng.normal(0.0, sigma, (size[1] + 64, size[0] + 64, 3)).astype(np.float32)
        self._quality = quality

    def expose(self, canvas: NDArray[np.float32]) -> bytes:
        """Return the JPEG of a picture, (H, W, 3) float32 RGB."""
        high, wide = canvas.shape[:2]
        down, right = self._rng.integers(0, 64, 2)
        add = np.add if self._rng.choice((-1.0, 1.0)) > 0 else np.subtract
        noisy = add(canvas, self._noise[down : down + high, right : right + wide])
        noisy += np.float32(0.5)
        pixels = np.clip(noisy, 0, 255, out=noisy).astype(np.uint8)
        return encode(pixels, quality=self._quality)


def encode(pixels: Image, *, quality: int = 90) -> bytes:
    """Return `pixels`, (H, W, 3) RGB, as a JPEG."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()
