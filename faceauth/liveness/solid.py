"""What the texture showed of each motion, put to the gates `continuity`, `motion`, `parallax` and `plane`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from faceauth.liveness.case import Case, Least
from faceauth.liveness.continuity import follow
from faceauth.liveness.flash import Shown
from faceauth.liveness.motion import DIRECTION, TURN, Nose, check_grown, check_texture
from faceauth.liveness.parallax import check_each, parallax
from faceauth.liveness.plane import check_plane, off_plane
from faceauth.liveness.profiles import Profile
from faceauth.liveness.tracking import Footage, Pair, Track
from faceauth.types import Step

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
                grown, frame = track.grown(least=profile.least_tracked)
                found.add("motion", "grown", grown)
                check_grown(grown, profile)
                turned.append(frame)
            elif step.kind == "flash":
                # Without the frame of the step before, in which no colour was shown yet.
                still = footage.track(frames)
                shown.append(Shown(step, faces[frames.start : frames.stop], footage.steadied(still)))
            elif step.kind in DIRECTION:
                judged = _judged(step, track, profile)
                turned.append(judged[0])
                pairs = [footage.pair(track, frame) for frame in judged]
                check_texture(step.kind, pairs, profile, found)
                gammas.append(_check_shape(step, pairs, seen.rest, profile, found))
    finally:
        found.tell()
    return Solid(turned, float(np.mean(gammas)), shown)


def _judged(step: Step, track: Track, profile: Profile) -> list[int]:
    axis, sign = DIRECTION[step.kind]
    return track.furthest(axis, sign, least=profile.least_tracked, most=profile.way_best, count=JUDGED)


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
    check_each(gamma, profile)
    if residual is not None:
        check_plane(residual, profile)
    return gamma
