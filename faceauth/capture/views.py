"""What a frame looks like in 1,024 bits, so that a recording that was compressed again is known (R16)."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.types import Image

BITS = 1024
SIDE = 32


def difference_hash(image: Image) -> NDArray[np.uint8]:
    """Return 128 bytes, one bit for each of 32×32 cells: whether it is brighter than the one at its right.

    Compression, a change of size or of brightness leaves nearly all of them; another picture changes half.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    # Halving is much cheaper than OpenCV's area average by an odd factor, and hardly moves a bit.
    while min(grey.shape) >= 4 * SIDE:
        grey = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    small = cv2.resize(grey, (SIDE + 1, SIDE), interpolation=cv2.INTER_AREA)
    return np.packbits(small[:, :-1] > small[:, 1:])


def distances(these: NDArray[np.uint8], those: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the share of bits that differ, shape (n, m), for hashes of shape (n, 128) and (m, 128)."""
    counts = np.bitwise_count(these.view(np.uint64)[:, None] ^ those.view(np.uint64)[None])
    return np.asarray(counts.sum(axis=2, dtype=np.int64) / BITS, np.float64)


def hashes(images: Sequence[Image]) -> NDArray[np.uint8]:
    """Return the hashes of some pictures, shape (n, 128)."""
    return np.stack([difference_hash(image) for image in images])
