"""Gate `passive` (G2): the frames that face the camera look like a living face, not like a picture of one.

It runs beside the active gates and never instead of them: MiniFASNet catches screens, and prints whose edge is in
sight; a print without a visible edge may pass it (docs/passive.md). It is shown the key frames only: those that
will be embedded, and as many more as a median needs.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from faceauth.errors import LivenessDenied, LivenessInconclusive
from faceauth.liveness.case import Case
from faceauth.liveness.motion import Nose
from faceauth.types import AlignedFace

GATE: Final = "passive"


def check_passive(case: Case, steps: Sequence[range], seen: Nose, facing: Sequence[AlignedFace]) -> None:
    """Ask the passive models about the key frames; their median decides.

    Args:
        case: the burst.
        steps: the frames of each step.
        seen: the nose in every frame.
        facing: the frames that will be embedded.

    Raises:
        LivenessInconclusive: the median lies between what fails and what passes; one more motion may tell.
        LivenessDenied: it lies below, there are too few key frames, or the models are missing (R4).
    """
    profile = case.profile
    if case.passive is None:
        raise LivenessDenied(GATE, "The level names the passive models, and none are installed.")
    shown = _key_frames(case, steps, seen, facing)
    if len(shown) < profile.passive_frames:
        raise LivenessDenied(GATE, "Too few frames face the camera.")
    scores = np.asarray(case.passive.live_scores(shown), dtype=np.float64)
    if scores.shape != (len(shown),) or not np.isfinite(scores).all():
        raise LivenessDenied(GATE, "The passive models gave something that is no score.")
    median = float(np.median(scores))
    case.record(GATE, "live", median)
    if not median >= profile.passive_fail:
        raise LivenessDenied(GATE, "The face looks like a picture of a face.")
    if not median >= profile.passive_pass:
        raise LivenessInconclusive(GATE, "motion", "The passive models cannot tell.")


def _key_frames(
    case: Case, steps: Sequence[range], seen: Nose, facing: Sequence[AlignedFace]
) -> list[AlignedFace]:
    """Return the frames that will be embedded and, where they are too few, the best of the others."""
    chosen = {id(face) for face in facing}
    others = [
        case.faces[frame]
        for step, frames in zip(case.challenge.steps, steps, strict=True)
        if step.kind == "center"
        for frame in frames
        if seen.facing(frame, case.profile) and id(case.faces[frame]) not in chosen
    ]
    others.sort(key=lambda face: face.quality.weight, reverse=True)
    missing = max(case.profile.passive_frames - len(facing), 0)
    return [*facing, *others[:missing]]
