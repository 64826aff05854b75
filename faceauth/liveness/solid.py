"""Gates `continuity`, `parallax` and `plane`: the texture of one thing, followed through, moved as a head does."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from faceauth.errors import LivenessDenied
from faceauth.liveness.motion import DIRECTION, TURN, Nose, furthest
from faceauth.liveness.parallax import off_plane, parallax
from faceauth.liveness.profiles import Profile
from faceauth.liveness.tracking import Footage, Track
from faceauth.types import AlignedFace, Challenge, Step

JUDGED: Final = 3
"""A motion's γ is the median over this many frames, those in which it went furthest."""


def check_solid(
    challenge: Challenge, faces: Sequence[AlignedFace], steps: Sequence[range], seen: Nose, profile: Profile
) -> None:
    """Follow the texture through the whole burst, step by step without a break, and judge each motion.

    Raises:
        LivenessDenied: gate `continuity`, `parallax` or `plane`.
    """
    footage = Footage(faces)
    gammas: list[float] = []
    for number, (step, frames) in enumerate(zip(challenge.steps, steps, strict=True)):
        # From the last frame of the step before, so that nothing can be swapped between two steps.
        start = frames.start - 1 if number else frames.start
        track = footage.track(range(start, frames.stop))
        _check_followed(track, profile)
        if step.kind != "center":
            judged = [frame - start for frame in furthest(step.kind, frames, seen, JUDGED)]
            gammas.append(_check_shape(step, track, judged, seen, profile))
    # Written so that a value that is no number is denied, here and below.
    if not np.mean(gammas) >= profile.parallax:
        raise LivenessDenied("parallax", "The face moved like something flat or bent.")


def _check_followed(track: Track, profile: Profile) -> None:
    if int(track.alive[-1].sum()) < profile.least_tracked or track.survival() < profile.least_survival:
        raise LivenessDenied("continuity", "The face's texture could not be followed through a step.")


def _check_shape(step: Step, track: Track, frames: Sequence[int], seen: Nose, profile: Profile) -> float:
    """Return the motion's γ, positive to the commanded side."""
    axis, sign = DIRECTION[step.kind]
    pairs = [track.pair(frame) for frame in frames]
    gamma = sign * float(np.median([parallax(before, after, axis=axis, tip=seen.rest) for before, after in pairs]))
    if not gamma >= profile.parallax_each:
        raise LivenessDenied("parallax", "The face moved like something flat, or to the wrong side.")
    if axis == TURN and not np.median([off_plane(before, after) for before, after in pairs]) >= profile.off_plane:
        raise LivenessDenied("plane", "The face moved like a plane.")
    return gamma
