"""YuNet: one network over three grids, decoded here.

Source: Wu, Peng, Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 20, 2023; the
layout of the outputs was read from the graph. Each grid has cells of 8, 16 or 32 pixels, and a cell answers
whether a face's centre lies in it, where its box is, and where its five landmarks are.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.capture.detect.boxes import suppress
from faceauth.types import DetectedFace, Image, ModelSession

SIDE = 640
"""Pixels along one side of the square that the network looks at as it is published."""
STRIDES = (8, 16, 32)
COARSEST = 32
"""The network halves its input five times: height and width must be multiples of this."""
SCORE = 0.7
"""The least score of a face. OpenCV's sample program asks for 0.9, which loses turned heads."""
OVERLAP = 0.3
"""Share of overlap above which the weaker of two boxes goes; OpenCV's default for this network."""

Floats = NDArray[np.float32]


class YunetDetector:
    """Finds faces and five landmarks.

    Args:
        session: the network; input `input`, (1, 3, height, width), BGR, 0 to 255.
        score: the least score of a face.
        side: pixels; the picture's longer side is brought to it. The network must be opened for any size
            (``faceauth.embed.convert.any_size``). Left out, the picture is put into a square of 640 pixels, the
            only size that the network takes as it is published.
    """

    def __init__(self, session: ModelSession, *, score: float = SCORE, side: int | None = None) -> None:
        self._session = session
        self._score = score
        self._side = side

    def detect(self, image: Image) -> Sequence[DetectedFace]:
        """Return every face found, the largest first."""
        height, width = image.shape[:2]
        scale = (self._side or SIDE) / max(height, width)
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        canvas = self._canvas(size)
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        canvas[: size[1], : size[0]] = cv2.resize(image, size, interpolation=interpolation)
        feed = np.ascontiguousarray(canvas[..., ::-1].transpose(2, 0, 1)[None], np.float32)
        boxes, landmarks, scores = _decoded(
            self._session.run({"input": feed}), self._score, columns=canvas.shape[1]
        )
        if not len(boxes):
            return ()
        kept = suppress(boxes, scores, OVERLAP)
        found = [_face(boxes[row] / scale, landmarks[row] / scale, float(scores[row])) for row in kept]
        return tuple(sorted(found, key=lambda face: -face.box[2] * face.box[3]))

    def _canvas(self, size: tuple[int, int]) -> Image:
        """Return the black picture that one of `size` (width, height) is put into, at its upper left corner."""
        if self._side is None:
            return np.zeros((SIDE, SIDE, 3), np.uint8)
        columns, rows = (-(-edge // COARSEST) * COARSEST for edge in size)
        return np.zeros((rows, columns, 3), np.uint8)


def _decoded(answer: Mapping[str, Floats], least: float, *, columns: int) -> tuple[Floats, Floats, Floats]:
    """Return boxes (n, 4) as corners, landmarks (n, 5, 2) and scores (n,) of the cells that hold a face.

    `columns` is the width, in pixels, of what the network looked at.
    """
    boxes, landmarks, scores = [], [], []
    for stride in STRIDES:
        # The score is the geometric mean of "a face is here" and "this cell answers for it".
        face = np.clip(answer[f"cls_{stride}"][0, :, 0], 0, 1) * np.clip(answer[f"obj_{stride}"][0, :, 0], 0, 1)
        score = np.sqrt(face)
        (cells,) = np.nonzero(score >= least)
        row, column = np.divmod(cells, columns // stride)
        at = np.stack([column, row], axis=1).astype(np.float32)
        offset = answer[f"bbox_{stride}"][0, cells]
        centre, half = (at + offset[:, :2]) * stride, np.exp(offset[:, 2:]) * stride / 2
        boxes.append(np.concatenate([centre - half, centre + half], axis=1))
        points = answer[f"kps_{stride}"][0, cells].reshape(-1, 5, 2)
        landmarks.append((points + at[:, None]) * stride)
        scores.append(score[cells])
    return (
        np.concatenate(boxes).astype(np.float32),
        np.concatenate(landmarks).astype(np.float32),
        np.concatenate(scores).astype(np.float32),
    )


def _face(corners: Floats, landmarks: Floats, score: float) -> DetectedFace:
    left, top, right, bottom = (float(edge) for edge in corners)
    return DetectedFace(box=(left, top, right - left, bottom - top), landmarks=landmarks, score=score)
