"""Gates `parallax` (G3) and `plane` (G3b): the texture, which was followed through, moved as a solid head does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from faceauth.errors import LivenessDenied, LivenessInconclusive
from faceauth.liveness.case import Case, Least
from faceauth.liveness.continuity import follow
from faceauth.liveness.flash import Shown
from faceauth.liveness.motion import DIRECTION, TURN, Nose
from faceauth.liveness.parallax import off_plane, parallax
from faceauth.liveness.profiles import Profile
from faceauth.liveness.tracking import Footage, Track
from faceauth.types import Step

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Points in the face's frame before a motion and in it, shape (n, 2) each."""

JUDGED: Final = 3
"""A motion's γ is the median over this many frames, those in which it went furthest."""


@dataclass(frozen=True, slots=True, eq=False)
class Solid:
    """What the texture showed.

    Attributes:
        turned: the frame of each motion in which it went furthest.
        gamma: the mean γ of turns and nods.
        shown: the flash steps, with landmarks that follow the texture.
    """

    turned: Sequence[int]
    gamma: float
    shown: Sequence[Shown]


def check_solid(case: Case, steps: Sequence[range], seen: Nose) -> Solid:
    """Follow the texture through the whole burst and judge each motion.

    Args:
        case: the burst.
        steps: the frames of each step.
        seen: the nose in every frame.

    Returns:
        What the burst showed.

    Raises:
        LivenessDenied: gate `continuity`, `motion`, `parallax` or `plane`.
    """
    challenge, faces, profile = case.challenge, case.faces, case.profile
    footage = Footage(faces)
    tracks = follow(footage, challenge, steps, profile, case.record)
    found = Least(case.record)
    gammas: list[float] = []
    turned: list[int] = []
    shown: list[Shown] = []
    try:
        for step, frames, track in zip(challenge.steps, steps, tracks, strict=True):
            if step.kind == "closer":
                turned.append(_grown(track, profile, found))
            elif step.kind == "flash":
                # Without the frame of the step before, in which no colour was shown yet.
                still = footage.track(frames)
                shown.append(Shown(step, faces[frames.start : frames.stop], footage.steadied(still)))
            elif step.kind in DIRECTION:
                judged = _judged(step, track, profile)
                turned.append(judged[0])
                pairs = [footage.pair(track, frame) for frame in judged]
                _check_way(step, pairs, profile, found)
                gammas.append(_check_shape(step, pairs, seen.rest, profile, found))
    finally:
        found.tell()
    return Solid(turned, float(np.mean(gammas)), shown)


def check_parallax(gamma: float, profile: Profile) -> None:
    """Check the mean γ of all motions; that each has its own least is seen to by `check_solid`.

    Raises:
        LivenessInconclusive: the motions together show too little of a solid head.
    """
    # Written so that a value that is no number is denied, here and below.
    if not gamma >= profile.parallax:
        raise LivenessInconclusive("parallax", "motion", "The face moved too little like a solid head.")


def _judged(step: Step, track: Track, profile: Profile) -> list[int]:
    axis, sign = DIRECTION[step.kind]
    return track.furthest(axis, sign, least=profile.least_tracked, most=profile.way_best, count=JUDGED)


def _check_way(step: Step, pairs: Sequence[Pair], profile: Profile, found: Least) -> None:
    """Check that the texture went the commanded way: γ alone would take a strong turn for a small nod."""
    axis, sign = DIRECTION[step.kind]
    gone = np.median([np.median(after - before, axis=0) for before, after in pairs], axis=0)
    way, aside = sign * float(gone[axis]), abs(float(gone[1 - axis]))
    found.add("motion", "way", way)
    if not way >= profile.way_least or not aside <= profile.way_aside * way:
        raise LivenessDenied("motion", "The face's texture did not go where it was told to.")


def _grown(track: Track, profile: Profile, found: Least) -> int:
    """Check that the texture grew, for landmarks may spread where the face did not; return where it grew most.

    Its parallax tells nothing: a picture that is bent while it comes closer shows more of it than most heads do,
    and what tells bending apart leaves no difference to a flat one (docs/liveness.md).
    """
    grown, frame = track.grown(least=profile.least_tracked)
    found.add("motion", "grown", grown)
    if not grown >= profile.closer_least:
        raise LivenessDenied("motion", "The face's texture did not come closer.")
    return frame


def _check_shape(
    step: Step, pairs: Sequence[Pair], tip: NDArray[np.float64], profile: Profile, found: Least
) -> float:
    """Return the motion's γ, positive to the commanded side."""
    axis, sign = DIRECTION[step.kind]
    gamma = sign * float(np.median([parallax(before, after, axis=axis, tip=tip) for before, after in pairs]))
    found.add("parallax", "each", gamma)
    residual = float(np.median([off_plane(before, after) for before, after in pairs])) if axis == TURN else None
    if residual is not None:
        found.add("plane", "residual", residual)
    if not gamma >= profile.parallax_each:
        raise LivenessDenied("parallax", "The face moved like something flat, or to the wrong side.")
    if residual is not None and not residual >= profile.off_plane:
        raise LivenessDenied("plane", "The face moved like a plane.")
    return gamma
