"""Gate `motion`: the head faces the camera, then goes where it is told to, when it is told to.

Landmarks say so first, then the texture, which a detector cannot imagine. A picture of a face has both: this gate
says that the challenge was answered, and ``faceauth.liveness.parallax`` that a solid head answered it.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from faceauth.errors import LivenessDenied
from faceauth.liveness.case import Least
from faceauth.liveness.geometry import eye_distance, nose
from faceauth.liveness.profiles import Profile
from faceauth.liveness.tracking import Pair
from faceauth.types import AlignedFace, Challenge, Recorder, StepKind

GATE: Final = "motion"

TURN, NOD = 0, 1
"""Along which axis of the face's frame a motion goes."""

DIRECTION: Final[dict[StepKind, tuple[int, float]]] = {
    "turn_left": (TURN, 1.0),  # the person's own left: the nose goes to the picture's right
    "turn_right": (TURN, -1.0),
    "nod_up": (NOD, -1.0),
    "nod_down": (NOD, 1.0),
}


class Nose:
    """Where the nose stood in each frame, from where it is when the person faces the camera; in IPD.

    `growth` is how far apart the eyes were in the picture, as a multiple of that of the first look.
    """

    def __init__(self, faces: Sequence[AlignedFace], first_center: range) -> None:
        """Measure every frame; the rest position is the median over the first look into the camera."""
        seen = np.stack([nose(face.face.landmarks) for face in faces])
        # The median of three frames: a detector's landmarks jump in a single frame, a head does not.
        padded = np.concatenate([seen[:1], seen, seen[-1:]])
        at = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
        self.rest: NDArray[np.float64] = np.median(at[first_center.start : first_center.stop], axis=0)
        self.offset: NDArray[np.float64] = at - self.rest
        eyes = np.array([eye_distance(face.face.landmarks) for face in faces], dtype=np.float64)
        padded = np.concatenate([eyes[:1], eyes, eyes[-1:]])
        eyes = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
        self.growth: NDArray[np.float64] = eyes / np.median(eyes[first_center.start : first_center.stop])
        self.t_ms = np.array([face.frame.t_ms for face in faces])

    def facing(self, frame: int, profile: Profile) -> bool:
        """Say whether the person faces the camera in this frame."""
        return bool((np.abs(self.offset[frame]) <= profile.steady_nose).all())


def check_motion(
    challenge: Challenge, steps: Sequence[range], seen: Nose, profile: Profile, record: Recorder
) -> None:
    """Check that each step was answered.

    Args:
        challenge: what was asked.
        steps: the frames of each step.
        seen: the nose in every frame.
        profile: the thresholds.
        record: is told how far the nose went to the commanded side, in the turn where it went least.

    Raises:
        LivenessDenied: gate `motion`.
    """
    motions = [step.kind for step in challenge.steps if step.kind not in {"center", "flash"}]
    # Coming closer shows no solid head, so another motion must be asked for too.
    if not any(kind in DIRECTION for kind in motions) or len(motions) < profile.motions:
        raise LivenessDenied(GATE, "The challenge asks for too few motions.")
    turns = [
        float((sign * seen.offset[frames.start : frames.stop, axis]).max())
        for step, frames in zip(challenge.steps, steps, strict=True)
        for axis, sign in (DIRECTION.get(step.kind, (NOD, 0.0)),)
        if axis == TURN
    ]
    if turns:
        record(GATE, "nose", min(turns))
    for step, frames in zip(challenge.steps, steps, strict=True):
        if step.kind == "center":
            _check_center(frames, seen, profile)
        elif step.kind in DIRECTION:
            _check_way(step.kind, frames, seen, profile)
        elif step.kind == "closer":
            _check_closer(frames, seen, profile)
        elif step.kind != "flash" or not profile.flash:
            raise LivenessDenied(GATE, f"This profile cannot judge a step of the kind {step.kind}.")


def _check_center(frames: range, seen: Nose, profile: Profile) -> None:
    since = seen.t_ms[frames[-1]] - profile.steady_ms
    if not all(seen.facing(frame, profile) for frame in frames if seen.t_ms[frame] >= since):
        raise LivenessDenied(GATE, "The head did not face the camera before a motion.")


def _check_closer(frames: range, seen: Nose, profile: Profile) -> None:
    # From where the step began: who moved nearer before is not asked to go back first.
    grown = seen.growth[frames.start : frames.stop] / seen.growth[frames.start]
    soon = seen.t_ms[frames.start : frames.stop] - seen.t_ms[frames.start] < profile.reaction_ms
    if not grown.max() >= profile.closer_least:
        raise LivenessDenied(GATE, "The head did not come closer.")
    if grown[soon].max() > profile.closer_soon:
        raise LivenessDenied(GATE, "The head was on its way before it was told to.")


def _check_way(kind: StepKind, frames: range, seen: Nose, profile: Profile) -> None:
    axis, sign = DIRECTION[kind]
    way = sign * seen.offset[frames.start : frames.stop, axis]
    soon = seen.t_ms[frames.start : frames.stop] - seen.t_ms[frames.start] < profile.reaction_ms
    if axis == TURN and not way.max() >= profile.nose_turn:
        raise LivenessDenied(GATE, "The head did not go where it was told to.")
    if way.min() < -profile.nose_astray:
        raise LivenessDenied(GATE, "The head went to the wrong side.")
    if way[soon].max() > profile.nose_astray:
        raise LivenessDenied(GATE, "The head was on its way before it was told to.")


def check_texture(kind: StepKind, pairs: Sequence[Pair], profile: Profile, found: Least) -> None:
    """Check that the texture went the commanded way: γ alone would take a strong turn for a small nod.

    Args:
        kind: a turn or a nod.
        pairs: the frames in which it went furthest.
        profile: the thresholds.
        found: is told how far it went.

    Raises:
        LivenessDenied: gate `motion`.
    """
    axis, sign = DIRECTION[kind]
    gone = np.median([np.median(after - before, axis=0) for before, after in pairs], axis=0)
    way, aside = sign * float(gone[axis]), abs(float(gone[1 - axis]))
    found.add(GATE, "way", way)
    # Written so that a value that is no number is denied, here and below.
    if not way >= profile.way_least or not aside <= profile.way_aside * way:
        raise LivenessDenied(GATE, "The face's texture did not go where it was told to.")


def check_grown(grown: float, profile: Profile) -> None:
    """Check that the texture grew in an approach, for landmarks may spread where the face did not.

    Its parallax tells nothing: a picture that is bent while it comes closer shows more of it than most heads do,
    and what tells bending apart leaves no difference to a flat one (docs/liveness.md).

    Raises:
        LivenessDenied: gate `motion`.
    """
    if not grown >= profile.closer_least:
        raise LivenessDenied(GATE, "The face's texture did not come closer.")
