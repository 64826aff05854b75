"""Chips in, embeddings of unit length out."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from faceauth.embed.manifest import EmbedderSpec, PackSpec
from faceauth.embed.recut import Recut
from faceauth.errors import ModelError
from faceauth.types import ChipTemplate, Image, ModelSession, Normaliser, OperatingPoint

Floats = NDArray[np.float32]

_SMALLEST_NORM = 1e-6
"""An embedding shorter than this has no direction; dlib's are around 1.5 long, ArcFace's around 20."""


def to_input(chips: NDArray[np.uint8], spec: EmbedderSpec) -> Floats:
    """Bring chips into the form the network was trained on.

    Args:
        chips: Pixels, shape (n, size, size, 3), RGB, 0 to 255.
        spec: Says colour order, mean and scale.

    Returns:
        (pixel − mean) · scale, float32, shape (n, 3, size, size).
    """
    ordered = chips if spec.colour == "rgb" else chips[..., ::-1]
    planes = np.ascontiguousarray(ordered.transpose(0, 3, 1, 2), dtype=np.float32)
    if any(spec.mean):
        planes -= np.asarray(spec.mean, dtype=np.float32)[:, None, None]
    if spec.scale != 1.0:
        planes *= np.float32(spec.scale)
    return planes


def to_unit(vectors: Floats) -> Floats:
    """Bring vectors, shape (n, d), to unit length.

    Raises:
        ModelError: One is not finite, or has no length: whatever made it cannot be trusted (R4).
    """
    wide = np.asarray(vectors, dtype=np.float64)
    norms = np.linalg.norm(wide, axis=1, keepdims=True)
    if not np.isfinite(norms).all() or (norms < _SMALLEST_NORM).any():
        raise ModelError("The embedder gave an embedding that is not a direction; refused.")
    return np.asarray(wide / norms, dtype=np.float32)


class OnnxEmbedder:
    """The embedder of a pack; a `faceauth.types.Embedder`. `embed` may be called from several threads."""

    def __init__(
        self,
        session: ModelSession,
        pack: PackSpec,
        normaliser: Normaliser | None = None,
        recut: Recut | None = None,
    ) -> None:
        """Take the loaded network, its entry in the manifest, and what else that names.

        Raises:
            ModelError: The manifest names a normaliser or a second cut and none is given, or the other way round.
        """
        if (pack.embedder.recut is None) != (recut is None):
            raise ModelError(f"The pack {pack.name} embeds what its manifest says, one cut of a face or two.")
        if (pack.normaliser is None) != (normaliser is None):
            # Without it the thresholds would be taken for thresholds on another score.
            raise ModelError(f"The pack {pack.name} decides with the score normaliser it was measured with only.")
        self._session = session
        self._recut = recut
        self._spec = pack.embedder
        self._digest = pack.model_digest()
        self._template = pack.embedder.chip_template
        self._points = pack.points(normaliser)

    @property
    def model_digest(self) -> bytes:
        """SHA-256 over weights, preprocessing and alignment."""
        return self._digest

    @property
    def template(self) -> ChipTemplate:
        """The alignment it was trained for."""
        return self._template

    @property
    def operating_points(self) -> Mapping[str, OperatingPoint]:
        """The thresholds measured for it, by name."""
        return self._points

    def embed(self, chips: Sequence[Image]) -> Floats:
        """Return embeddings of unit length.

        Args:
            chips: n pictures, each of shape (size, size, 3) with the size of `template`, RGB, uint8.

        Returns:
            Shape (n, d), float32.

        Raises:
            ModelError: A chip has another shape, or the network failed or gave something that is no embedding.
        """
        spec = self._spec
        if not chips:
            return np.empty((0, spec.dimension), dtype=np.float32)
        size = self._template.size
        if any(chip.shape != (size, size, 3) or chip.dtype != np.uint8 for chip in chips):
            raise ModelError(f"The embedder takes chips of {size}×{size} pixels, RGB, 8 bits.")
        stack = np.stack(chips)
        if self._recut is None:
            return to_unit(self._embedded(stack))
        cuts = self._recut.cuts(stack)
        both = to_unit(self._embedded(cuts.reshape(-1, spec.size, spec.size, 3)))
        return to_unit(both.reshape(len(chips), 2, -1).sum(axis=1))

    def _embedded(self, cuts: NDArray[np.uint8]) -> Floats:
        """Return embeddings of any length, (n, d), of what the network sees, (n, size, size, 3)."""
        if not self._spec.mirror:
            return self._forward(cuts)
        # In one batch: the network's weights are read once.
        vectors = self._forward(np.concatenate([cuts, cuts[:, :, ::-1]]))
        return vectors[: len(cuts)] + vectors[len(cuts) :]

    def _forward(self, chips: NDArray[np.uint8]) -> Floats:
        spec = self._spec
        planes = to_input(chips, spec)
        batches = [planes] if spec.batch == "any" else [one[None] for one in planes]
        answers = [self._session.run({spec.input: batch}) for batch in batches]
        if any(spec.output not in answer for answer in answers):
            raise ModelError(
                f"The embedder has no output {spec.output!r}; the manifest and the file do not agree."
            )
        vectors = np.concatenate([answer[spec.output] for answer in answers])
        if vectors.shape != (len(chips), spec.dimension):
            raise ModelError("The embedder's output has another shape than the manifest says.")
        return vectors
