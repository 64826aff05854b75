"""A second look at the face: landmarks found once more on the chip, and a second chip cut by them.

A detector places landmarks on the whole picture. MTCNN's last network sees little but the face and places them
again: cut by the mean of what it says of the chip and of its mirror image, faces lie more alike. Both cuts are
embedded, and the mean averages out what either does badly (docs/accuracy.md, "retail-fine").
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.embed.manifest import EmbedderSpec, RecutSpec
from faceauth.errors import ModelError
from faceauth.geometry import similarity
from faceauth.types import ModelSession

Chips = NDArray[np.uint8]
Floats = NDArray[np.float32]
Points = NDArray[np.float64]
"""Landmarks of many faces, shape (n, 5, 2), pixels."""

_SIDE: Final = 48
"""Pixels along one side of what the network sees."""

_SURE: Final = 0.5
"""The network's least probability of a face; below, or if its points lie far off, the first cut is taken twice."""

_ASTRAY: Final = 0.35
"""How far from their places, in distances between the eyes, landmarks may lie in the mean to be believed."""

_SWAPPED: Final = (1, 0, 2, 4, 3)
"""Left and right change places in a mirror."""


class Recut:
    """Cuts a chip with a margin twice: as it was aligned, and by landmarks of its own."""

    def __init__(self, session: ModelSession, embedder: EmbedderSpec) -> None:
        """Take MTCNN's last network (``faceauth.embed.convert.mtcnn``), and how the pack is fed.

        Raises:
            ModelError: The pack cuts once only.
        """
        if embedder.recut is None:
            raise ModelError("The manifest says nothing of a second cut.")
        self._session = session
        self._spec: RecutSpec = embedder.recut
        self._size = embedder.size
        self._aligned = embedder.chip_template
        self._target = np.asarray(embedder.recut.template, np.float64)

    def cuts(self, chips: Chips) -> Chips:
        """Return both cuts of each chip.

        Args:
            chips: RGB, shape (n, chip, chip, 3).

        Returns:
            RGB, shape (n, 2, size, size, 3): the middle of the chip, and the face cut anew.

        Raises:
            ModelError: The network failed.
        """
        margin, size = self._spec.margin, (self._size, self._size)
        made = np.empty((len(chips), 2, *size, 3), np.uint8)
        for number, (chip, matrix) in enumerate(zip(chips, self._matrices(chips), strict=True)):
            inner = chip[margin:-margin, margin:-margin]
            made[number, 0] = cv2.resize(inner, size, interpolation=cv2.INTER_AREA)
            made[number, 1] = made[number, 0] if matrix is None else cv2.warpAffine(chip, matrix, size)
        return made

    def landmarks(self, chips: Chips) -> tuple[Points, NDArray[np.bool_]]:
        """Return where the landmarks lie in each chip, (n, 5, 2), and whether a face is surely there, (n,)."""
        points, face = self._seen(chips)
        turned, also = self._seen(np.ascontiguousarray(chips[:, :, ::-1]))
        turned = turned[:, _SWAPPED]
        turned[..., 0] = self._aligned.size - 1 - turned[..., 0]
        return (points + turned) / 2, np.minimum(face, also) >= _SURE

    def _matrices(self, chips: Chips) -> list[NDArray[np.float64] | None]:
        """Return what takes each chip to its second cut, (2, 3), or None where its landmarks are not believed."""
        points, sure = self.landmarks(chips)
        eyes = float(np.linalg.norm(self._aligned.points[1] - self._aligned.points[0]))
        astray = np.linalg.norm(points - self._aligned.points, axis=2).mean(axis=1) / eyes
        # Written so that a NaN is not believed.
        believed = sure & (astray <= _ASTRAY)
        return [
            similarity(one, self._target) if good else None for one, good in zip(points, believed, strict=True)
        ]

    def _seen(self, chips: Chips) -> tuple[Points, NDArray[np.float64]]:
        """Look where the face should be, then where the network says that it is."""
        boxes = np.tile(np.asarray(self._spec.box, np.float64), (len(chips), 1))
        first = self._run(chips, boxes)
        sides = (boxes[:, 2:] - boxes[:, :2])[:, [0, 1, 0, 1]]
        boxes = _squared(boxes + first["box"] * sides)
        second = self._run(chips, boxes)
        sides = (boxes[:, 2:] - boxes[:, :2])[:, None]
        points = boxes[:, None, :2] + second["points"].astype(np.float64) * sides
        return points, np.asarray(second["face"], np.float64)

    def _run(self, chips: Chips, boxes: NDArray[np.float64]) -> dict[str, Floats]:
        crops = np.stack([_crop(chip, box) for chip, box in zip(chips, boxes, strict=True)])
        answer = dict(self._session.run({"image": crops.astype(np.float32)}))
        if answer["points"].shape != (len(chips), 5, 2) or answer["box"].shape != (len(chips), 4):
            raise ModelError("The network for landmarks answers in another shape than MTCNN's does.")
        return answer


def _crop(chip: Chips, box: NDArray[np.float64]) -> Chips:
    """Cut a box, (4,), out and bring it to the network's side; what lies outside the chip is black."""
    edge = chip.shape[0]
    # A box from a network may be anything: it is kept near the chip, and at least a pixel wide.
    left, top, right, bottom = np.rint(np.clip(np.nan_to_num(box), -edge, 2 * edge)).astype(int)
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    part = np.zeros((bottom - top, right - left, 3), np.uint8)
    inside = chip[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    down, across = max(-top, 0), max(-left, 0)
    part[down : down + inside.shape[0], across : across + inside.shape[1]] = inside
    shrinks = part.shape[0] > _SIDE
    return np.asarray(
        cv2.resize(part, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.uint8
    )


def _squared(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the smallest squares about the boxes' middles, (n, 4), that are as long as their longer sides."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([middle - half, middle + half], axis=1)
