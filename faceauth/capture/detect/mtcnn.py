"""MTCNN: three networks that propose, refine and finish, over an image pyramid.

Source: Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks", IEEE
Signal Processing Letters 23(10), 2016. The graphs' inputs and outputs: ``faceauth.embed.convert.mtcnn``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.capture.detect.areas import Areas, Rectangles
from faceauth.capture.detect.boxes import Boxes, Scores, corrected, squared, suppress
from faceauth.types import DetectedFace, Image, ModelSession

CELL = 12
"""Pixels that one cell of pnet looks at; the smallest face it can see."""
STRIDE = 2
"""Pixels between two cells."""
SHRINK = 0.709
"""Each pyramid level has half the area of the one before (the authors' value)."""
MAX_CANDIDATES = 400
"""Boxes passed on to rnet, best first: a picture full of faces costs no more than this."""


@dataclass(frozen=True, slots=True)
class MtcnnProfile:
    """Thresholds on the three networks' probabilities, and shares for the suppression after each.

    The defaults are those of the package the weights come from.
    """

    pnet: float = 0.6
    rnet: float = 0.7
    onet: float = 0.8
    overlap_level: float = 0.5
    overlap: float = 0.7


class MtcnnDetector:
    """Finds faces and five landmarks.

    Args:
        pnet: the proposing network.
        rnet: the refining network.
        onet: the finishing network, which gives the landmarks.
        min_face: pixels; the pyramid does not look for faces whose box is smaller.
        profile: thresholds.
    """

    def __init__(
        self,
        pnet: ModelSession,
        rnet: ModelSession,
        onet: ModelSession,
        *,
        min_face: int = 80,
        profile: MtcnnProfile | None = None,
    ) -> None:
        self._pnet = pnet
        self._rnet = rnet
        self._onet = onet
        self._min_face = min_face
        self._profile = profile or MtcnnProfile()

    def detect(self, image: Image) -> Sequence[DetectedFace]:
        """Return every face found, the largest first."""
        cutter = _Cutter(image, many=True)
        boxes = self._proposed(cutter)
        if not len(boxes):
            return ()
        return self._finish(cutter, self._refined(cutter, squared(boxes)))

    def follow(self, image: Image, faces: Sequence[DetectedFace]) -> Sequence[DetectedFace]:
        """Look for faces only where they were in the frame before; faces that moved far are lost.

        Args:
            image: the next frame.
            faces: where they were.
        """
        if not faces:
            return ()
        corners = [(x, y, x + width, y + height) for x, y, width, height in (face.box for face in faces)]
        cutter = _Cutter(image, many=False)
        return self._finish(cutter, self._refined(cutter, squared(np.asarray(corners, np.float32))))

    def _proposed(self, cutter: "_Cutter") -> Boxes:
        """Return pnet's boxes over all levels of the pyramid."""
        found: list[tuple[Boxes, Scores]] = []
        height, width = cutter.image.shape[:2]
        for level in self._levels(cutter):
            answer = self._pnet.run({"image": level[None].astype(np.float32)})
            scores, corrections = answer["face"][0], answer["box"][0]
            rows, columns = np.nonzero(scores > self._profile.pnet)
            if not len(rows):
                continue
            corners = np.stack([columns, rows, columns, rows], axis=1).astype(np.float32) * STRIDE
            corners[:, 2:] += CELL
            scale = np.asarray([width / level.shape[1], height / level.shape[0]] * 2, np.float32)
            boxes, kept = corners * scale, scores[rows, columns]
            best = suppress(boxes, kept, self._profile.overlap_level)
            found.append((corrected(boxes, corrections[rows, columns])[best], kept[best]))
        if not found:
            return np.empty((0, 4), np.float32)
        all_boxes = np.concatenate([boxes for boxes, _ in found])
        best = suppress(all_boxes, np.concatenate([scores for _, scores in found]), self._profile.overlap)
        return all_boxes[best[:MAX_CANDIDATES]]

    def _levels(self, cutter: "_Cutter") -> Iterator[Image]:
        """Yield the picture shrunk so that faces of `min_face` and more fill a cell, level by level."""
        height, width = cutter.image.shape[:2]
        scale = CELL / self._min_face
        level: Image | None = None
        while min(height, width) * scale >= CELL:
            size = (round(width * scale), round(height * scale))
            # From the level before, not from the whole picture: the same to the eye and far cheaper.
            level = cutter.whole(size) if level is None else _resized(level, size)
            yield level
            scale *= SHRINK

    def _refined(self, cutter: "_Cutter", boxes: Boxes) -> Boxes:
        """Return the boxes that rnet takes for faces, corrected and squared."""
        answer = self._rnet.run({"image": cutter.cut(boxes, 24)})
        scores = answer["face"]
        faces = scores > self._profile.rnet
        if not faces.any():
            return np.empty((0, 4), np.float32)
        boxes, scores, corrections = boxes[faces], scores[faces], answer["box"][faces]
        best = suppress(boxes, scores, self._profile.overlap)
        return squared(corrected(boxes[best], corrections[best]))

    def _finish(self, cutter: "_Cutter", boxes: Boxes) -> Sequence[DetectedFace]:
        """Return the faces that onet confirms, with landmarks, the largest first."""
        if not len(boxes):
            return ()
        answer = self._onet.run({"image": cutter.cut(boxes, 48)})
        faces = answer["face"] > self._profile.onet
        boxes, scores = boxes[faces], answer["face"][faces]
        sides = (boxes[:, 2:] - boxes[:, :2])[:, None, :]
        landmarks = boxes[:, None, :2] + answer["points"][faces] * sides
        boxes = corrected(boxes, answer["box"][faces])
        best = suppress(boxes, scores, self._profile.overlap, over="smaller")
        found = [_face(boxes[index], landmarks[index], float(scores[index])) for index in best]
        return tuple(sorted(found, key=lambda face: -face.box[2] * face.box[3]))


class _Cutter:
    """Cuts parts out of one picture and shrinks them.

    Args:
        image: The picture.
        many: Whether there are many to cut: then each pixel is summed once instead of once a part.
    """

    def __init__(self, image: Image, *, many: bool) -> None:
        self.image = image
        self._height, self._width = image.shape[:2]
        self._areas = Areas(image) if many and Areas.can_sum(self._width, self._height) else None

    def whole(self, size: tuple[int, int]) -> Image:
        """Return the picture in that width and height."""
        if self._areas is None or size[0] >= self._width or size[1] >= self._height:
            return _resized(self.image, size)
        all_of_it: Rectangles = np.asarray([[0, 0, self._width, self._height]], np.int32)
        return np.asarray(self._areas.shrunk(all_of_it, *size)[0], np.uint8)

    def cut(self, boxes: Boxes, size: int) -> NDArray[np.float32]:
        """Return what is in the boxes, shape (n, size, size, 3); what lies outside the picture is black."""
        edges: Rectangles = np.rint(boxes).astype(np.int32)
        left, top, right, bottom = edges.T
        parts = np.zeros((len(boxes), size, size, 3), np.float32)
        seen = (right > np.maximum(left, 0)) & (bottom > np.maximum(top, 0))
        seen &= (left < self._width) & (top < self._height)
        if self._areas is not None:
            summed = seen & self._areas.can_shrink(edges, size, size)
            parts[summed] = self._areas.shrunk(edges[summed], size, size)
            seen &= ~summed
        for index in np.flatnonzero(seen):
            parts[index] = self._alone(edges[index].tolist(), size)
        return parts

    def _alone(self, edges: Sequence[int], size: int) -> Image:
        left, top, right, bottom = edges
        patch = self.image[max(top, 0) : bottom, max(left, 0) : right]
        margins = (max(-top, 0), max(bottom - self._height, 0), max(-left, 0), max(right - self._width, 0))
        if any(margins):
            patch = np.asarray(cv2.copyMakeBorder(patch, *margins, borderType=cv2.BORDER_CONSTANT), np.uint8)
        return _resized(patch, (size, size))


def _resized(image: Image, size: tuple[int, int]) -> Image:
    """Average areas when shrinking, interpolate when growing."""
    how = cv2.INTER_AREA if image.shape[1] > size[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)


def _face(box: NDArray[np.float32], landmarks: NDArray[np.float32], score: float) -> DetectedFace:
    left, top, right, bottom = (float(edge) for edge in box)
    return DetectedFace(box=(left, top, right - left, bottom - top), landmarks=landmarks, score=score)
