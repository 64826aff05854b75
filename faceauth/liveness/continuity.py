"""Gate `continuity` (G1): one face, near enough, whose texture can be followed through the whole burst.

That there is one face in every frame is seen to when a burst is captured; that it is one person's, by the gate
`identity`. Here the frames hang together: who is swapped for a picture, or for somebody else, between two frames
leaves few points that are found again.
"""

from collections.abc import Sequence
from typing import Final

from faceauth.errors import LivenessDenied
from faceauth.liveness.profiles import Profile
from faceauth.liveness.tracking import Footage, Track
from faceauth.types import AlignedFace, Challenge, Points, Recorder

GATE: Final = "continuity"


def check_size(faces: Sequence[AlignedFace], first_center: range, profile: Profile, record: Recorder) -> None:
    """Check that the eyes are far enough apart, in pixels, in the first look into the camera.

    Raises:
        LivenessDenied: gate `continuity`.
    """
    eyes = min(faces[frame].quality.eye_distance for frame in first_center)
    record(GATE, "eye_px", float(eyes))
    # Written so that a value that is no number is denied, here and below.
    if not eyes >= profile.least_eye_px:
        raise LivenessDenied(GATE, "The face is too small to be judged.")


def follow(
    footage: Footage, challenge: Challenge, steps: Sequence[range], profile: Profile, record: Recorder
) -> list[Track]:
    """Follow the texture through the whole burst, step by step without a break.

    Returns:
        Each step's track; but for the first it begins with the last frame of the step before, so that nothing can
        be swapped between two steps.

    Raises:
        LivenessDenied: gate `continuity`; too few points are left, or found again from one frame to the next.
    """
    tracks: list[Track] = []
    steady: Points | None = None
    try:
        for number, (step, frames) in enumerate(zip(challenge.steps, steps, strict=True)):
            start = frames.start - 1 if number else frames.start
            track = footage.track(range(start, frames.stop), steady)
            tracks.append(track)
            _check(track, profile)
            # A motion starts from where a whole look into the camera has put the landmarks, not a single frame.
            steady = footage.steadied(track)[-1] if step.kind in {"center", "flash"} else None
    finally:
        if tracks:
            record(GATE, "points", float(min(track.left() for track in tracks)))
            record(GATE, "kept", min(track.kept() for track in tracks))
    return tracks


def _check(track: Track, profile: Profile) -> None:
    if track.left() < profile.least_tracked or not track.kept() >= profile.least_kept:
        raise LivenessDenied(GATE, "The face's texture could not be followed from frame to frame.")
