"""The only maker of a `Probe`: embeddings of the very frames that passed liveness, fused into one."""

from collections.abc import Sequence

import numpy as np

from faceauth.embed.embedder import to_unit
from faceauth.errors import ModelError
from faceauth.types import Embedder, Image, LiveCapture, Probe


def make_probe(live: LiveCapture, embedder: Embedder, *, chips: Sequence[Image | None] | None = None) -> Probe:
    """Embed a live capture's chips and fuse them.

    The fused vector is the mean of the embeddings weighted by `Quality.weight`, brought to unit length.

    Args:
        live: What the liveness stage let through, best frame first.
        embedder: The pack's embedder.
        chips: For an embedder that the capture was not cut for: a chip of each of `live.faces`, cut for it; a
            face without one is left out.

    Returns:
        The probe; its parts keep the order of `live.faces`.

    Raises:
        ModelError: There is no face, no frame of any weight, or the embedder gave something that is no embedding.
    """
    if not live.faces:
        raise ModelError("A live capture without a face has nothing to embed.")
    cut = [face.chip for face in live.faces] if chips is None else chips
    faces = [(chip, face.quality.weight) for chip, face in zip(cut, live.faces, strict=True) if chip is not None]
    weights = np.asarray([weight for _, weight in faces], dtype=np.float64)
    if not np.isfinite(weights).all() or (weights < 0).any() or weights.sum() <= 0:
        raise ModelError("No frame of the live capture is good enough to embed.")
    parts = embedder.embed([chip for chip, _ in faces])
    if parts.ndim != 2 or len(parts) != len(faces):
        raise ModelError("The embedder gave another number of embeddings than there are frames.")
    norms = np.linalg.norm(parts, axis=1)
    if not np.allclose(norms, 1.0, atol=1e-4):  # false for NaN too
        raise ModelError("The embedder gave an embedding that is not of unit length; refused.")
    fused = to_unit((weights @ parts.astype(np.float64))[None].astype(np.float32))[0]
    return Probe(vector=fused, parts=parts, model_digest=embedder.model_digest, profile=live.profile)
