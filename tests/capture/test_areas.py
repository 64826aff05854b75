"""Averages of parts of a picture: against the arithmetic written out, and against OpenCV's."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from faceauth.capture.detect.areas import Areas
from faceauth.types import Image


def noise(height: int, width: int) -> Image:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


def averages(image: Image, edges: tuple[int, int, int, int], rows: int, columns: int) -> list[list[Fraction]]:
    """Return the average of red in each cell; what is outside of the picture is black."""
    left, top, right, bottom = edges
    down = shares(top, Fraction(bottom - top, rows), rows, image.shape[0])
    across = shares(left, Fraction(right - left, columns), columns, image.shape[1])
    red = image[:, :, 0].tolist()
    return [
        [sum((y * x * red[at][to] for at, y in tall for to, x in wide), Fraction(0)) for wide in across]
        for tall in down
    ]


def shares(start: int, length: Fraction, cells: int, end: int) -> list[list[tuple[int, Fraction]]]:
    """Return for each cell along an axis which pixels it covers, and what share of the cell each is."""
    edges = [(start + number * length, start + (number + 1) * length) for number in range(cells)]
    return [
        [
            (pixel, (min(Fraction(pixel + 1), high) - max(Fraction(pixel), low)) / length)
            for pixel in range(end)
            if pixel < high and pixel + 1 > low
        ]
        for low, high in edges
    ]


@pytest.mark.parametrize(
    "edges", [(0, 0, 20, 16), (3, 2, 14, 12), (-4, -3, 9, 8), (12, 9, 31, 25), (-5, -5, 40, 40)]
)
def test_each_cell_has_its_average(edges: tuple[int, int, int, int]) -> None:
    image = noise(16, 20)
    half = Fraction(1, 2) + Fraction(1, 10_000)  # single precision may round what is all but a half the other way
    (shrunk,) = Areas(image).shrunk(np.asarray([edges], np.int32), 4, 3)
    for row, exact in enumerate(averages(image, edges, 3, 4)):
        assert all(abs(one - int(found)) <= half for one, found in zip(exact, shrunk[row, :, 0], strict=True))


@pytest.mark.parametrize("size", [24, 48])
def test_they_are_those_of_opencv(size: int) -> None:
    """So a detector finds what it found when OpenCV shrunk each box; sides of whole cells are among them."""
    image = np.asarray(cv2.GaussianBlur(noise(480, 640), (0, 0), 2), np.uint8)
    around = cv2.copyMakeBorder(image, 100, 100, 100, 100, cv2.BORDER_CONSTANT)
    chance = np.random.default_rng(size)
    sides = np.concatenate([chance.integers(2 * size + 1, 460, 60), np.arange(3, 8) * size])
    left, top = chance.integers(-100, 740 - sides), chance.integers(-100, 580 - sides)
    boxes = np.stack([left, top, left + sides, top + sides], axis=1).astype(np.int32)
    assert Areas.can_shrink(boxes, size, size).all()
    ours = Areas(image).shrunk(boxes, size, size)
    theirs = [
        cv2.resize(
            np.ascontiguousarray(around[y + 100 : y + 100 + side, x + 100 : x + 100 + side]),
            (size, size),
            interpolation=cv2.INTER_AREA,
        )
        for x, y, side in zip(left, top, sides, strict=True)
    ]
    assert (ours != np.asarray(theirs)).mean() < 1e-6


def test_a_picture_made_of_halves_costs_no_more_than_others() -> None:
    """An average in a hundred of these boxes is just a half: more than are looked at pixel by pixel."""
    image = noise(480, 640)
    boxes = np.asarray(
        [[7 * n % 560, 3 * n % 400, 7 * n % 560 + 80, 3 * n % 400 + 80] for n in range(400)], np.int32
    )
    ours = Areas(image).shrunk(boxes, 24, 24).astype(int)
    theirs = [
        cv2.resize(image[top:bottom, left:right], (24, 24), interpolation=cv2.INTER_AREA)
        for left, top, right, bottom in boxes
    ]
    apart = np.abs(ours - np.asarray(theirs, int))
    assert apart.max() == 1
    assert 0 < (apart > 0).mean() < 0.01


def test_a_whole_picture_is_shrunk_as_opencv_does_it() -> None:
    image = noise(480, 640)
    boxes = np.asarray([[0, 0, 640, 480]], np.int32)
    for columns, rows in ((96, 72), (160, 120), (53, 40)):
        theirs = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA)
        assert (Areas(image).shrunk(boxes, columns, rows)[0] != theirs).mean() < 1e-6


def test_a_white_picture_as_large_as_may_be_stays_white() -> None:
    """Its sums need all 32 bits, and overflow on the way."""
    image = np.full((1080, 1920, 3), 255, np.uint8)
    assert Areas.can_sum(1920, 1080)
    boxes = np.asarray([[0, 0, 1920, 1080], [100, 0, 1900, 1079]], np.int32)
    assert (Areas(image).shrunk(boxes, 288, 162) == 255).all()


def test_what_is_too_large_or_hardly_shrinks_is_left_to_others() -> None:
    assert not Areas.can_sum(4000, 3000)
    assert not Areas.can_sum(0, 480)
    boxes = np.asarray(
        [[0, 0, 49, 49], [0, 0, 48, 49], [0, 0, 49, 48], [99, 99, 1, 1], [0, 0, 3000, 3000]], np.int32
    )
    assert Areas.can_shrink(boxes, 24, 24).tolist() == [True, False, False, False, False]
