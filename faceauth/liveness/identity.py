"""Gate `identity`: the frames that will be compared show one person, and not one frozen picture (G1)."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from faceauth.errors import LivenessDenied
from faceauth.liveness.motion import Nose
from faceauth.liveness.profiles import Profile
from faceauth.types import AlignedFace, Challenge, Embedder, Recorder

GATE: Final = "identity"


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
    """Compare the frames with each other.

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
    cosines = vectors @ vectors.T
    point = embedder.operating_points[profile.same_point]
    scores = cosines[: len(facing), : len(facing)]
    if point.normaliser is not None:
        offsets = np.array(
            [point.normaliser.offset(vector) for vector in vectors[: len(facing)].astype(np.float32)]
        )
        scores = scores - (offsets[:, None] + offsets[None]) / 2
    record(GATE, "margin", float(scores.min() - point.threshold))
    record(GATE, "constant", float(cosines.min()))
    if not scores.min() >= point.threshold:
        raise LivenessDenied(GATE, "The frames do not show the same person throughout.")
    if cosines.min() >= profile.too_constant:
        raise LivenessDenied(GATE, "Every frame shows the same picture.")


def _weight(face: AlignedFace) -> float:
    return face.quality.weight
