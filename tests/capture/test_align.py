"""Alignment: the least-squares similarity, and chips cut with it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceauth.capture.align import align, similarity
from faceauth.errors import InvalidImage
from faceauth.types import ChipTemplate
from tests.capture.conftest import TEMPLATE


@given(
    angle=st.floats(-3.1, 3.1),
    scale=st.floats(0.05, 20),
    x=st.floats(-500, 500),
    y=st.floats(-500, 500),
)
def test_a_similarity_is_found_exactly(angle: float, scale: float, x: float, y: float) -> None:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (TEMPLATE.points @ turn.T + np.array([x, y])).astype(np.float32)
    back = similarity(moved, TEMPLATE.points)
    assert moved @ back[:, :2].T + back[:, 2] == pytest.approx(TEMPLATE.points, abs=2e-2)


def test_no_mirror_is_ever_made() -> None:
    """A similarity keeps handedness, even when a mirror would fit the points better."""
    mirrored = TEMPLATE.points * np.array([-1, 1], np.float32)
    matrix = similarity(mirrored, TEMPLATE.points)
    assert np.linalg.det(matrix[:, :2]) > 0


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.full((5, 2), np.nan), np.full((5, 2), np.inf)])
def test_landmarks_without_shape_are_refused(points: np.ndarray) -> None:
    with pytest.raises(InvalidImage), np.errstate(invalid="ignore"):
        similarity(points.astype(np.float32), TEMPLATE.points)


@pytest.mark.parametrize("scale", [1.0, 3.0, 7.0])
def test_landmarks_come_to_lie_on_the_template(scale: float) -> None:
    """A dot painted at each landmark is found at the template's point, also when the face is much larger."""
    side = round(100 * scale) + 40
    image = np.zeros((side, side, 3), np.uint8)
    landmarks = (TEMPLATE.points * scale + 20).astype(np.float32)
    radius = max(round(2 * scale), 2)
    for x, y in np.rint(landmarks).astype(int):
        image[y - radius : y + radius + 1, x - radius : x + radius + 1] = 255
    chip = align(image, landmarks, TEMPLATE).astype(float).mean(axis=2)
    assert chip.shape == (100, 100)
    for x, y in TEMPLATE.points.astype(int):
        patch = chip[y - 5 : y + 6, x - 5 : x + 6]
        rows, columns = np.mgrid[-5:6, -5:6]
        centre = (float((patch * columns).sum() / patch.sum()), float((patch * rows).sum() / patch.sum()))
        assert centre == pytest.approx((0, 0), abs=0.6)


def test_shrinking_averages_instead_of_aliasing() -> None:
    """A fine chessboard shrunk eight times is grey, not a pattern."""
    rows, columns = np.mgrid[0:900, 0:900]
    board = np.repeat(((rows + columns) % 2 * 255).astype(np.uint8)[..., None], 3, axis=2)
    chip = align(board, (TEMPLATE.points * 8 + 30).astype(np.float32), ChipTemplate(100, TEMPLATE.points))
    assert chip[20:80, 20:80].std() < 6
