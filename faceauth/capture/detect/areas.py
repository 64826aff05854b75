"""Parts of a picture shrunk by averaging, many at the price of one look at each pixel.

The sum of a rectangle's pixels is four look-ups in a table of sums (Crow, "Summed-area tables for texture
mapping", SIGGRAPH 1984), and between pixels the table is linear along each axis. So a cell's average costs the
same however many pixels it covers, edges that cut through pixels included.

The averages are rounded as `cv2.INTER_AREA` rounds them, which adds in single precision. One more or less in one
pixel decides now and then which of two boxes a detector keeps, and every threshold was measured with OpenCV's.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.types import Image

Rectangles = NDArray[np.int32]
"""Left, top, right, bottom in whole pixels, shape (n, 4)."""

_LARGEST_PICTURE: Final = 2**21
"""Pixels, somewhat more than 1920×1080: the table takes 16 bytes each."""

_LARGEST_SUM: Final = 2**31 // 255
"""The sum of so many pixels fits 32 bits. What overflows on the way there does so in whole turns, which
differences take off again."""

_NEAR_A_HALF: Final = 5e-5
"""How near an average lies to where rounding turns if OpenCV's may lie beyond; 1.6e-5 was the most seen."""

_MOST_UNSURE: Final = 2048
"""How many averages so near a half are looked at pixel by pixel; of pictures of LFW there were 313 at most. Of a
picture made to have more, the others are rounded as they are."""

_LEAST_PART: Final = 1e-3
"""Of a pixel; OpenCV leaves out less as well."""


class Areas:
    """The sums of one picture, RGB."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self._height, self._width = image.shape[:2]
        # A fourth channel makes four sums 16 bytes, which NumPy gathers at once as if they were one number.
        sums = cv2.integral(cv2.cvtColor(image, cv2.COLOR_RGB2RGBA), sdepth=cv2.CV_32S)
        self._sums = np.asarray(sums, np.int32).view(np.complex128).ravel()

    @staticmethod
    def can_sum(width: int, height: int) -> bool:
        """Say whether a picture is small enough for its table to be worth the memory."""
        return 0 < width * height <= _LARGEST_PICTURE

    @staticmethod
    def can_shrink(rectangles: Rectangles, columns: int, rows: int) -> NDArray[np.bool_]:
        """Say which rectangles are more than halved along both axes, and are small enough, shape (n,).

        For those that are just halved OpenCV has a rule of its own.
        """
        width, height = (rectangles[:, 2:] - rectangles[:, :2]).astype(np.int64).T
        fits = width * height <= _LARGEST_SUM
        return np.asarray((width > 2 * columns) & (height > 2 * rows) & fits, np.bool_)

    def shrunk(self, rectangles: Rectangles, columns: int, rows: int) -> NDArray[np.uint8]:
        """Return the average of each of `rows` × `columns` cells, shape (n, rows, columns, 3).

        What lies outside the picture is black.
        """
        left, top, right, bottom = rectangles.T
        width, height = right - left, bottom - top
        sums = self._sums_of(rectangles, columns, rows)
        averages = sums / (width * height)[:, None, None, None]
        whole = (width % columns == 0) & (height % rows == 0)
        if whole.any():
            # Here OpenCV adds integers and multiplies once.
            once = np.float32(1) / ((width // columns) * (height // rows))[whole].astype(np.float32)
            exact = (sums[whole] // (rows * columns)).astype(np.float32)
            averages[whole] = exact * once[:, None, None, None]
        rounded = np.rint(averages)
        averages -= rounded
        unsure = np.abs(averages, out=averages) > 0.5 - _NEAR_A_HALF
        unsure[whole] = False
        unsure[..., 3] = False
        which, row, column, channel = np.unravel_index(np.flatnonzero(unsure)[:_MOST_UNSURE], unsure.shape)
        if len(which):
            across = _Cells.along(left[which], right[which], columns, column)
            down = _Cells.along(top[which], bottom[which], rows, row)
            rounded[which, row, column, channel] = np.rint(self._as_opencv(across, down, channel))
        return np.asarray(rounded.astype(np.uint8)[..., :3])

    def _sums_of(self, rectangles: Rectangles, columns: int, rows: int) -> NDArray[np.int32]:
        """Return each cell's sum times `rows` × `columns`, shape (n, rows, columns, 4); the last says nothing."""
        left, top, right, bottom = rectangles.T
        above, below, down = _edges(top, bottom - top, rows, self._height)
        before, after, across = _edges(left, right - left, columns, self._width)
        # Each number four times, once a channel: NumPy is slow where the last axis is spread out.
        across = across.repeat(4, axis=1).reshape(len(across), 1, columns + 1, 4)

        def strip(line: NDArray[np.int32]) -> NDArray[np.int32]:
            """Sums over all above a line, times `columns`, from each column's edge to the next."""
            at = line[:, :, None] * (self._width + 1)
            sums, further = self._take(at + before[:, None, :]), self._take(at + after[:, None, :])
            further -= sums
            further *= across
            sums *= columns
            sums += further
            return sums[:, :, 1:] - sums[:, :, :-1]

        upper = strip(above)
        lower = strip(below)
        lower -= upper
        lower *= down[:, :, None, None]
        upper *= rows
        upper += lower
        return upper[:, 1:] - upper[:, :-1]

    def _take(self, places: NDArray[np.int32]) -> NDArray[np.int32]:
        return self._sums.take(places).view(np.int32).reshape(*places.shape, 4)

    def _as_opencv(self, across: "_Cells", down: "_Cells", channel: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return averages of cells as `cv2.INTER_AREA` adds them up: in single precision, pixel by pixel."""
        there = down.inside(self._height)[:, :, None] & across.inside(self._width)[:, None, :]
        lines = np.clip(down.pixels, 0, self._height - 1)[:, :, None]
        columns = np.clip(across.pixels, 0, self._width - 1)[:, None, :]
        pixels = np.where(there, self._image[lines, columns, channel[:, None, None]], 0).astype(np.float32)
        along_lines = np.cumsum(pixels * across.shares[:, None, :], axis=2)[:, :, -1]
        return np.cumsum(along_lines * down.shares, axis=1)[:, -1]


def _edges(
    start: NDArray[np.int32], length: NDArray[np.int32], cells: int, end: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Return the lines before and after each cell's edge, and how far it lies between them, in `cells` parts.

    Outside of 0 to `end` there is nothing to sum, so edges there count as those.
    """
    whole, part = np.divmod(np.arange(cells + 1, dtype=np.int32) * length[:, None], cells)
    whole += start[:, None]
    return np.clip(whole, 0, end), np.clip(whole + 1, 0, end), part


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Which pixels some cells cover along one axis; m is what the widest needs.

    Attributes:
        pixels: Those it may cover, shape (n, m); in the picture or out of it.
        shares: What share of the cell each is, shape (n, m).
    """

    pixels: NDArray[np.intp]
    shares: NDArray[np.float32]

    @classmethod
    def along(
        cls, start: NDArray[np.int32], end: NDArray[np.int32], cells: int, number: NDArray[np.intp]
    ) -> "_Cells":
        """Take the `number`th of the cells into which each stretch from `start` to `end` is cut."""
        side = (end - start) / cells
        low, high = number * side, (number + 1) * side
        first = np.floor(low).astype(np.intp)
        pixels = first[:, None] + np.arange(int(side.max()) + 2)
        covered = np.minimum(pixels + 1, high[:, None]) - np.maximum(pixels, low[:, None])
        # Edges lie on parts of `cells`; what is less of a pixel than that is an error of the arithmetic.
        covered[covered < _LEAST_PART] = 0
        shares = np.asarray(covered / side[:, None], np.float32)
        return cls(pixels + start[:, None], shares)

    def inside(self, end: int) -> NDArray[np.bool_]:
        """Say which pixels lie between 0 and `end`."""
        return np.asarray((self.pixels >= 0) & (self.pixels < end), np.bool_)
