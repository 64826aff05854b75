"""The passive networks: what each is shown of a face, and their mean (G2).

What a network sees decides what it says: with red and blue exchanged, a picture that MiniFASNet catches may pass
for a person (docs/passive.md). So cut, colour order and scale come from the manifest, and the networks are shown
nothing but faces that a detector found: random noise looks living to them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.errors import ModelError
from faceauth.types import AlignedFace, DetectedFace, Image, ModelSession, Points

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PassiveNetwork:
    """One network and how it is fed: (pixel − mean) · scale, planes of `size` × `size` pixels.

    Attributes:
        session: the loaded network.
        input: the name of its input.
        output: the name of its output: probabilities, shape (n, classes), or (n,) without `live`.
        size: pixels of the square it sees.
        colour: the order of its channels.
        mean: what is taken off each channel, in that order.
        scale: what the rest is multiplied with.
        batch: whether it takes any number of pictures at once, or one.
        box: how many times as large as the detector's box is what it sees, or None with `template`.
        template: where the five landmarks come to lie in the square, shape (5, 2), or None with `box`.
        outside: the share of the square that may lie beyond the picture, with `template`.
        live: the number of the class that is a living person; None where the output is its probability.
    """

    session: ModelSession = field(repr=False)
    input: str
    output: str
    size: int
    colour: Literal["rgb", "bgr"]
    mean: tuple[float, float, float]
    scale: float
    batch: Literal["any", "one"]
    box: float | None = None
    template: Points | None = field(default=None, repr=False)
    outside: float = 0.0
    live: int | None = None

    def scores(self, faces: Sequence[AlignedFace]) -> Floats:
        """Return how living each face looks to this network, 0 to 1, shape (n,).

        Raises:
            ModelError: a face lies too far beyond its picture, or the network failed or gave no probability.
        """
        cuts = np.stack([self.cut(face.frame.pixels, face.face) for face in faces])
        planes = self.planes(cuts)
        batches = [planes] if self.batch == "any" else [one[None] for one in planes]
        answers = [self.session.run({self.input: batch}) for batch in batches]
        if any(self.output not in answer for answer in answers):
            raise ModelError(f"A passive network has no output {self.output!r}; the manifest and it do not agree.")
        found = np.concatenate([answer[self.output] for answer in answers])
        if self.live is not None:
            if found.ndim != 2 or found.shape[1] <= self.live:
                raise ModelError("A passive network's output has another shape than the manifest says.")
            found = found[:, self.live]
        # Written so that a value that is no number is refused.
        if found.shape != (len(faces),) or not ((found >= -1e-6) & (found <= 1 + 1e-6)).all():
            raise ModelError("A passive network gave something that is no probability; refused.")
        return np.asarray(np.clip(found, 0.0, 1.0), dtype=np.float32)

    def cut(self, image: Image, face: DetectedFace) -> Image:
        """Return what the network sees of a face: shape (size, size, 3), RGB."""
        if self.box is not None:
            left, top, right, bottom = widened(face.box, image.shape[1], image.shape[0], self.box)
            part = image[top : bottom + 1, left : right + 1]
            return np.asarray(cv2.resize(part, (self.size, self.size), interpolation=cv2.INTER_LINEAR), np.uint8)
        return self._aligned(image, face.landmarks)

    def planes(self, cuts: NDArray[np.uint8]) -> Floats:
        """Return cuts, shape (n, size, size, 3), RGB, as the network takes them: (n, 3, size, size)."""
        ordered = cuts if self.colour == "rgb" else cuts[..., ::-1]
        planes = np.ascontiguousarray(ordered.transpose(0, 3, 1, 2), dtype=np.float32)
        if any(self.mean):
            planes -= np.asarray(self.mean, dtype=np.float32)[:, None, None]
        return planes * np.float32(self.scale) if self.scale != 1.0 else planes

    def _aligned(self, image: Image, landmarks: Points) -> Image:
        if self.template is None:
            raise ModelError("A passive network is told neither a box nor a template; see the manifest.")
        matrix = _similarity(landmarks, self.template)
        size = (self.size, self.size)
        inside = cv2.warpAffine(np.ones(image.shape[:2], np.float32), matrix, size, flags=cv2.INTER_LINEAR)
        if not 1.0 - float(np.mean(inside)) <= self.outside:
            raise ModelError("A face lies too near the picture's edge for a passive network.")
        edge = cv2.BORDER_REPLICATE
        return np.asarray(cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=edge), np.uint8)


class PassiveNetworks:
    """Several networks that are asked together; a `faceauth.types.PassiveModels`."""

    def __init__(self, networks: Sequence[PassiveNetwork]) -> None:
        """Take the networks of one pack.

        Raises:
            ModelError: there are none: nothing would stand behind a score.
        """
        if not networks:
            raise ModelError("A passive pack has no network.")
        self._networks = tuple(networks)

    def live_scores(self, faces: Sequence[AlignedFace]) -> Floats:
        """Return how living each face looks, 0 to 1, shape (n,): the mean over the networks.

        Raises:
            ModelError: a network failed.
        """
        if not faces:
            return np.empty(0, dtype=np.float32)
        return np.asarray(np.mean([one.scores(faces) for one in self._networks], axis=0), dtype=np.float32)


def widened(
    box: tuple[float, float, float, float], width: int, height: int, times: float
) -> tuple[int, int, int, int]:
    """Return a box grown about its centre and shifted into the picture: left, top, right, bottom, all inclusive.

    It grows by `times` or as far as the picture allows. As Silent-Face-Anti-Spoofing feeds its networks
    (``src/generate_patches.py``), whose whole numbers are cut off, not rounded.

    Args:
        box: x, y, width, height, in pixels.
        width: of the picture.
        height: of the picture.
        times: how much larger each side becomes.

    Raises:
        ModelError: the box has no area, or is not finite.
    """
    if not np.isfinite(box).all() or not min(box[2:]) >= 1:
        raise ModelError("A face's box has no area.")
    x, y, wide, high = (int(value) for value in box)
    times = min(times, (width - 1) / wide, (height - 1) / high)
    spans = []
    for start, length, limit in ((x, wide, width), (y, high, height)):
        middle, half = start + length / 2, length * times / 2
        low = min(max(middle - half, 0.0), limit - 1 - 2 * half)
        spans.append((int(max(low, 0.0)), int(min(max(low, 0.0) + 2 * half, limit - 1))))
    return spans[0][0], spans[1][0], spans[0][1], spans[1][1]


def _similarity(source: Points, target: Points) -> NDArray[np.float64]:
    """Return the turn, scale and shift, shape (2, 3), that takes `source` nearest to `target` in squares.

    In the plane the least-squares solution of Umeyama (IEEE PAMI 13(4), 1991) is one complex quotient.
    """
    a, b = (one.astype(np.float64) @ np.array([1, 1j]) for one in (source, target))
    spread = float(np.vdot(a - a.mean(), a - a.mean()).real)
    if not spread > 1e-6:
        raise ModelError("A face's landmarks lie in one point.")
    turn = np.vdot(a - a.mean(), b - b.mean()) / spread
    shift = b.mean() - turn * a.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
