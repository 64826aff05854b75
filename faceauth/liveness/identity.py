"""Gate `identity`: the looks that will be compared show one person, and not one frozen picture (G1)."""

from collections.abc import Sequence
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from faceauth.errors import LivenessDenied
from faceauth.liveness.motion import Nose
from faceauth.liveness.profiles import Profile
from faceauth.types import AlignedFace, Challenge, Embedder, OperatingPoint, Recorder

GATE: Final = "identity"

Vectors = NDArray[np.float64]
"""Embeddings of unit length, shape (d,) or (n, d)."""


def best_faces(
    challenge: Challenge, faces: Sequence[AlignedFace], steps: Sequence[range], seen: Nose, profile: Profile
) -> tuple[AlignedFace, ...]:
    """Return the best frames that face the camera, as many of each look into it, best first.

    Raises:
        LivenessDenied: gate `identity`; there are too few.
    """
    looks = [frames for step, frames in zip(challenge.steps, steps, strict=True) if step.kind == "center"]
    each = -(-profile.best_faces // max(len(looks), 1))
    chosen: list[AlignedFace] = []
    for frames in looks:
        facing = [faces[frame] for frame in frames if seen.facing(frame, profile)]
        chosen += sorted(facing, key=_weight, reverse=True)[:each]
    if len(chosen) < profile.least_faces:
        raise LivenessDenied(GATE, "Too few frames face the camera.")
    return tuple(sorted(chosen, key=_weight, reverse=True)[: profile.best_faces])


def check_identity(
    facing: Sequence[AlignedFace],
    turned: Sequence[AlignedFace],
    embedder: Embedder,
    profile: Profile,
    record: Recorder,
) -> None:
    """Compare the looks into the camera with each other, and the frames of each look.

    A look is what its frames say together, the mean of their embeddings, as the probe will be: between single
    frames of one person the score goes below a threshold that any two looks of them keep (docs/liveness.md).

    Args:
        facing: what will be embedded.
        turned: one frame of each motion; only the search for a frozen picture looks at them, for a turned face
            is less like itself.
        embedder: the pack's embedder.
        profile: the thresholds.
        record: is told by how much the least score is above the pack's threshold, and the least cosine of all.

    Raises:
        LivenessDenied: gate `identity`.
    """
    vectors = np.asarray(embedder.embed([face.chip for face in (*facing, *turned)]), dtype=np.float64)
    if vectors.ndim != 2 or len(vectors) != len(facing) + len(turned) or not np.isfinite(vectors).all():
        raise LivenessDenied(GATE, "The embedder gave something that is no embedding.")
    point = embedder.operating_points[profile.same_point]
    constant = float((vectors @ vectors.T).min())
    steps = np.array([face.frame.step for face in facing])
    least = _least([vectors[: len(facing)][steps == step] for step in np.unique(steps)], point)
    record(GATE, "margin", least - point.threshold)
    record(GATE, "constant", constant)
    if not least >= point.threshold:
        raise LivenessDenied(GATE, "The frames do not show the same person throughout.")
    if constant >= profile.too_constant:
        raise LivenessDenied(GATE, "Every frame shows the same picture.")


def _least(looks: Sequence[Vectors], point: OperatingPoint) -> float:
    """Return the least score of any frame with the rest of its look, and of any look with another."""
    pairs = list(combinations([_mean(look) for look in looks], 2))
    for look in looks:
        if len(look) > 1:
            pairs += [(one, _mean(np.delete(look, number, axis=0))) for number, one in enumerate(look)]
    return min(_score(one, other, point) for one, other in pairs)


def _mean(vectors: Vectors) -> Vectors:
    mean = vectors.mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12))


def _score(one: Vectors, other: Vectors, point: OperatingPoint) -> float:
    cosine = float(one @ other)
    if point.normaliser is None:
        return cosine
    offsets = [point.normaliser.offset(vector.astype(np.float32)) for vector in (one, other)]
    return cosine - float(sum(offsets)) / 2


def _weight(face: AlignedFace) -> float:
    return face.quality.weight
