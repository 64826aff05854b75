"""The colour of the light on a face, part by part, against that on the wall behind it."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.liveness.colours import LINEAR
from faceauth.liveness.geometry import FaceFrame
from faceauth.types import AlignedFace, Image, Points

BLOCKS: Final = 8
"""The face is cut into so many blocks a side."""
BLOCK_PX: Final = 8
LEFT, TOP, SIDE = -1.0, -0.6, 2.0
"""The square that is cut out, in the face's frame: eye distances from between the eyes."""
STRIDE: Final = 8
"""Every so many pixels of the background are looked at."""
LEAST_BACKGROUND: Final = 60
"""Points of background from which on it tells anything; with fewer it is left out."""

Series = NDArray[np.float64]


def block_centres() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x and y of the blocks' middles in the face's frame, shape (BLOCKS²,) each."""
    along = (np.arange(BLOCKS) + 0.5) * SIDE / BLOCKS
    y, x = np.meshgrid(along + TOP, along + LEFT, indexing="ij")
    return x.ravel(), y.ravel()


def on_face(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which points lie on the face's oval, clear of hair and of the wall behind."""
    return np.asarray(np.hypot(x / 0.92, (y - 0.42) / 0.98) <= 1.0)


def colour_series(faces: Sequence[AlignedFace], landmarks: Sequence[Points]) -> tuple[Series, Series]:
    """Return how the light's colour went, as log R/G and log B/G of linear light.

    Args:
        faces: the frames.
        landmarks: each frame's, shape (5, 2), steadier than the detector's: where they tremble, an edge in the
            skin's own colour looks like light that changes.

    Returns:
        The face's blocks, shape (frames, BLOCKS², 2), and the background, shape (frames, 2), zeros where too
        little of it is seen.
    """
    blocks = np.stack([_blocks(face, points) for face, points in zip(faces, landmarks, strict=True)])
    behind = np.stack([_background(face) for face in faces])
    if np.isnan(behind).any():
        behind = np.zeros_like(behind)
    return blocks, behind


def _ratios(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log R/G and log B/G of linear light, shape (…, 3), as shape (…, 2)."""
    logs = np.log(np.maximum(light, 1e-5))
    return np.asarray(logs[..., [0, 2]] - logs[..., [1]])


def _blocks(face: AlignedFace, landmarks: Points) -> NDArray[np.float64]:
    frame = FaceFrame.of(landmarks)
    size = BLOCKS * BLOCK_PX
    # From the cut-out's pixels to the picture's: first into the face's frame, then out of it.
    inverse = np.linalg.inv(frame.matrix[:, :2])
    scale = SIDE / size
    shift = inverse @ (np.array([LEFT, TOP]) + 0.5 * scale - frame.matrix[:, 2])
    matrix = np.column_stack([inverse * scale, shift])
    part, matrix = _smaller(face.frame.pixels, matrix, size)
    cut = cv2.warpAffine(
        part, matrix, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    linear = cv2.LUT(cut, LINEAR)
    light = cv2.resize(linear, (BLOCKS, BLOCKS), interpolation=cv2.INTER_AREA)
    return _ratios(np.asarray(light, dtype=np.float64).reshape(-1, 3))


def _smaller(pixels: Image, matrix: NDArray[np.float64], size: int) -> tuple[Image, NDArray[np.float64]]:
    """Cut out what the warp will look at and shrink it, so that every pixel counts and none twice."""
    corners = matrix @ np.array([[0, size, 0, size], [0, 0, size, size], [1, 1, 1, 1]])
    low = np.maximum(np.floor(corners.min(axis=1)).astype(int) - 1, 0)
    high = np.ceil(corners.max(axis=1)).astype(int) + 2
    part = pixels[low[1] : high[1], low[0] : high[0]]
    if part.size == 0:
        raise ValueError("the face lies outside the picture")
    step = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if step > 1.0:
        wide, tall = max(round(part.shape[1] / step), 2), max(round(part.shape[0] / step), 2)
        ratio = np.array([wide / part.shape[1], tall / part.shape[0]])
        part = np.asarray(cv2.resize(part, (wide, tall), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    else:
        ratio = np.ones(2)
    matrix = matrix.copy()
    # A pixel's middle lies half a pixel from its corner, before shrinking and after.
    matrix[:, 2] = (matrix[:, 2] - low + 0.5) * ratio - 0.5
    matrix[:, :2] *= ratio[:, None]
    return part, matrix


def _background(face: AlignedFace) -> NDArray[np.float64]:
    """Return the colour beside the head, above the shoulders; no numbers where there is too little of it."""
    pixels = face.frame.pixels
    left, top, wide, high = face.face.box
    bottom = int(min(max(top + high, 0), pixels.shape[0]))
    low, far = int(max(left - 0.35 * wide, 0)), int(max(left + 1.35 * wide, 0))
    sides = [pixels[:bottom:STRIDE, :low:STRIDE], pixels[:bottom:STRIDE, far::STRIDE]]
    seen = np.concatenate([side.reshape(-1, 3) for side in sides])
    # What is burnt out or black has no colour.
    seen = seen[(seen.max(axis=1) < 250) & (seen.min(axis=1) > 4)]
    if len(seen) < LEAST_BACKGROUND:
        return np.full(2, np.nan)
    return _ratios(np.asarray(LINEAR[seen].mean(axis=0), dtype=np.float64))
