"""γ and the distance from a plane, on points whose motion is known exactly."""

import numpy as np
import pytest
from numpy.typing import NDArray

from faceauth.liveness.depth import face_depth
from faceauth.liveness.parallax import parallax
from faceauth.liveness.plane import off_plane

TIP = np.array([0.05, 0.65])
Grid = NDArray[np.float64]


def grid() -> Grid:
    x, y = np.meshgrid(np.linspace(-0.8, 0.8, 15), np.linspace(-0.4, 1.2, 15))
    return np.column_stack([x.ravel(), y.ravel()])


def turned(points: Grid, z: Grid, degrees: float, *, nod: bool = False) -> Grid:
    """Turn points about an axis behind the face, and see them from 8 eye distances away."""
    axis, angle = int(nod), np.radians(degrees)
    along, depth = points[:, axis], z + 1.2
    moved = points.copy()
    moved[:, axis] = np.cos(angle) * along + np.sin(angle) * depth
    nearer = np.cos(angle) * depth - np.sin(angle) * along - 1.2
    return np.asarray(moved * (8 / (8 - nearer))[:, None], np.float64)


@pytest.mark.parametrize("degrees", [12, 20, -20])
@pytest.mark.parametrize("nod", [False, True])
def test_a_head_shows_about_the_sine_of_its_angle(degrees: float, *, nod: bool) -> None:
    points = grid()
    gamma = parallax(
        points,
        turned(points, face_depth(points[:, 0], points[:, 1], TIP), degrees, nod=nod),
        axis=int(nod),
        tip=TIP,
    )
    # Perspective adds to it: the nose comes nearer to the camera.
    assert 0.9 < gamma / np.sin(np.radians(degrees)) < 1.6


@pytest.mark.parametrize("degrees", [10, 20, 30, -30])
@pytest.mark.parametrize("radius", [np.inf, 3.0, 1.6], ids=["flat", "19 cm", "10 cm"])
def test_a_sheet_shows_none(degrees: float, radius: float) -> None:
    points = grid()
    z = np.zeros(len(points)) if np.isinf(radius) else np.sqrt(radius**2 - points[:, 0] ** 2) - radius
    assert abs(parallax(points, turned(points, z, degrees), axis=0, tip=TIP)) < 0.03


def test_a_tenth_of_wrong_points_changes_little() -> None:
    rng = np.random.default_rng(1)
    points = grid()
    there = turned(points, face_depth(points[:, 0], points[:, 1], TIP), 20)
    clean = parallax(points, there, axis=0, tip=TIP)
    wrong = rng.choice(len(points), len(points) // 10, replace=False)
    there[wrong] += rng.uniform(-0.3, 0.3, (len(wrong), 2))
    assert parallax(points, there, axis=0, tip=TIP) == pytest.approx(clean, abs=0.06)


def test_only_a_head_leaves_the_plane() -> None:
    points = grid()
    assert off_plane(points, turned(points, np.zeros(len(points)), 25)) < 1e-6
    assert off_plane(points, turned(points, face_depth(points[:, 0], points[:, 1], TIP), 20)) > 0.018


@pytest.mark.parametrize("count", [0, 29])
def test_too_few_points_are_no_evidence(count: int) -> None:
    points = grid()[:count]
    with pytest.raises(ValueError, match="too few"):
        parallax(points, points, axis=0, tip=TIP)
    with pytest.raises(ValueError, match="too few"):
        off_plane(points, points)


def test_what_is_no_number_is_no_evidence() -> None:
    points = grid()
    there = points.copy()
    there[3] = np.nan
    with pytest.raises((ValueError, np.linalg.LinAlgError)):
        parallax(points, there, axis=0, tip=TIP)
    with pytest.raises((ValueError, np.linalg.LinAlgError)):
        off_plane(points, there)
