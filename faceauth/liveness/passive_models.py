"""The passive networks: what each is shown of a face, and their mean (G2).

What a network sees decides what it says: with red and blue exchanged, a picture that MiniFASNet catches may pass
for a person (docs/passive.md). So cut, colour order and scale come from the manifest, and the networks are shown
nothing but faces that a detector found: random noise looks living to them.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.errors import ModelError
from faceauth.geometry import similarity
from faceauth.types import AlignedFace, DetectedFace, Image, ModelSession, Points

Floats = NDArray[np.float32]


class Feeding(Protocol):
    """How a network is fed, as the manifest says it: (pixel − mean) · scale, planes of `size` × `size` pixels."""

    @property
    def size(self) -> int:
        """Pixels of the square it sees."""
        ...

    @property
    def colour(self) -> Literal["rgb", "bgr"]:
        """The order of its channels."""
        ...

    @property
    def mean(self) -> tuple[float, float, float]:
        """What is taken off each channel, in that order."""
        ...

    @property
    def scale(self) -> float:
        """What the rest is multiplied with."""
        ...

    @property
    def batch(self) -> Literal["any", "one"]:
        """Whether it takes any number of pictures at once, or one."""
        ...

    @property
    def box(self) -> float | None:
        """How many times as large as the detector's box is what it sees, or None with `template`."""
        ...

    @property
    def template(self) -> Sequence[tuple[float, float]] | None:
        """Where the five landmarks come to lie in the square, or None with `box`."""
        ...

    @property
    def outside(self) -> float:
        """The share of the square that may lie beyond the picture, with `template`."""
        ...

    @property
    def live(self) -> int | None:
        """The number of the class that is a living person; None where the output is its probability."""
        ...


class Loaded(Protocol):
    """A network with the names to call it by."""

    @property
    def session(self) -> ModelSession:
        """The network."""
        ...

    @property
    def input(self) -> str:
        """The name of its input."""
        ...

    @property
    def output(self) -> str:
        """The name of its output, of shape (n, classes), or (n,) without `spec.live`."""
        ...

    @property
    def spec(self) -> Feeding:
        """How it is fed."""
        ...


class PassiveNetwork:
    """One network and what it is shown."""

    def __init__(self, loaded: Loaded) -> None:
        """Take a loaded network."""
        self._loaded = loaded
        self._spec = loaded.spec

    def scores(self, faces: Sequence[AlignedFace]) -> Floats:
        """Return how living each face looks to this network, 0 to 1, shape (n,).

        Raises:
            ModelError: a face lies too far beyond its picture, or the network failed or gave no probability.
        """
        loaded, live = self._loaded, self._spec.live
        planes = self.planes(np.stack([self.cut(face.frame.pixels, face.face) for face in faces]))
        batches = [planes] if self._spec.batch == "any" else [one[None] for one in planes]
        answers = [loaded.session.run({loaded.input: batch}) for batch in batches]
        if any(loaded.output not in answer for answer in answers):
            raise ModelError(f"A passive network has no output {loaded.output!r}, which the manifest names.")
        found = np.concatenate([answer[loaded.output] for answer in answers])
        if live is not None:
            if found.ndim != 2 or found.shape[1] <= live:
                raise ModelError("A passive network's output has another shape than the manifest says.")
            found = found[:, live]
        # Written so that a value that is no number is refused.
        if found.shape != (len(faces),) or not ((found >= -1e-6) & (found <= 1 + 1e-6)).all():
            raise ModelError("A passive network gave something that is no probability; refused.")
        return np.asarray(np.clip(found, 0.0, 1.0), dtype=np.float32)

    def cut(self, image: Image, face: DetectedFace) -> Image:
        """Return what the network sees of a face: shape (size, size, 3), RGB."""
        if self._spec.box is not None:
            left, top, right, bottom = widened(face.box, image.shape[1], image.shape[0], self._spec.box)
            part = image[top : bottom + 1, left : right + 1]
            side = self._spec.size
            return np.asarray(cv2.resize(part, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)
        return self._aligned(image, face.landmarks)

    def planes(self, cuts: NDArray[np.uint8]) -> Floats:
        """Return cuts, shape (n, size, size, 3), RGB, as the network takes them: (n, 3, size, size)."""
        ordered = cuts if self._spec.colour == "rgb" else cuts[..., ::-1]
        planes = np.ascontiguousarray(ordered.transpose(0, 3, 1, 2), dtype=np.float32)
        if any(self._spec.mean):
            planes -= np.asarray(self._spec.mean, dtype=np.float32)[:, None, None]
        return planes * np.float32(self._spec.scale) if self._spec.scale != 1.0 else planes

    def _aligned(self, image: Image, landmarks: Points) -> Image:
        if self._spec.template is None:
            raise ModelError("A passive network is told neither a box nor a template; see the manifest.")
        matrix = similarity(landmarks, np.asarray(self._spec.template))
        if matrix is None:
            raise ModelError("A face's landmarks have no shape.")
        size = (self._spec.size, self._spec.size)
        inside = cv2.warpAffine(np.ones(image.shape[:2], np.float32), matrix, size, flags=cv2.INTER_LINEAR)
        if not 1.0 - float(np.mean(inside)) <= self._spec.outside:
            raise ModelError("A face lies too near the picture's edge for a passive network.")
        edge = cv2.BORDER_REPLICATE
        return np.asarray(cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=edge), np.uint8)


class PassiveNetworks:
    """Several networks that are asked together; a `faceauth.types.PassiveModels`."""

    def __init__(self, networks: Sequence[Loaded]) -> None:
        """Take the networks of one pack.

        Raises:
            ModelError: there are none: nothing would stand behind a score.
        """
        if not networks:
            raise ModelError("A passive pack has no network.")
        self._networks = tuple(PassiveNetwork(one) for one in networks)

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
