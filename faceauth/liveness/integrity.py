"""Gate `integrity` (G0): the frames answer this challenge, in order and in time, and none comes twice."""

from collections.abc import Sequence
from itertools import groupby, pairwise

from faceauth.errors import LivenessDenied
from faceauth.liveness.profiles import Profile
from faceauth.types import AlignedFace, Challenge, Frame

GATE = "integrity"


def check_integrity(challenge: Challenge, frames: Sequence[Frame], profile: Profile) -> None:
    """Check order, timing and freshness of a burst's frames.

    Raises:
        LivenessDenied: gate `integrity`; a frame that comes twice is denied as an injection.
    """
    if challenge.profile != profile.name:
        raise LivenessDenied(GATE, "The challenge was made for another liveness profile.")
    if len({frame.digest for frame in frames}) != len(frames):
        raise LivenessDenied(GATE, "A frame came twice in this burst.", reason="injection")
    steps = [(step, list(group)) for step, group in groupby(frames, key=lambda frame: frame.step)]
    if [step for step, _ in steps] != [step.id for step in challenge.steps]:
        raise LivenessDenied(GATE, "The frames do not follow the steps of the challenge.")
    _check_pace(frames, profile)
    for step, (_, taken) in zip(challenge.steps, steps, strict=True):
        if len(taken) < profile.least_frames:
            raise LivenessDenied(GATE, "A step has too few frames.")
        if taken[-1].t_ms - taken[0].t_ms + profile.slack_ms < step.min_ms:
            raise LivenessDenied(GATE, "A step was shorter than the challenge asks for.")


def _check_pace(frames: Sequence[Frame], profile: Profile) -> None:
    gaps = [after.t_ms - before.t_ms for before, after in pairwise(frames)]
    if not gaps or min(gaps) <= 0 or max(gaps) > profile.longest_gap_ms:
        raise LivenessDenied(GATE, "The frames' times run backwards, stand still or leave a gap.")
    lasted = frames[-1].t_ms - frames[0].t_ms
    rate = 1000 * len(gaps) / lasted
    if lasted > profile.longest_ms or not profile.least_fps <= rate <= profile.most_fps:
        raise LivenessDenied(GATE, "The frames come too fast, too slowly or for too long.")


def by_step(challenge: Challenge, faces: Sequence[AlignedFace]) -> list[range]:
    """Return which faces belong to each step of the challenge, in order; `check_integrity` has passed."""
    taken = [face.frame.step for face in faces]
    starts = [taken.index(step.id) for step in challenge.steps]
    return [range(start, end) for start, end in zip(starts, [*starts[1:], len(faces)], strict=True)]
