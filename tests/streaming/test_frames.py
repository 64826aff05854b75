"""What a look found is used again by the decision, but for frames in which all of the picture is searched."""

from types import SimpleNamespace
from typing import Any, cast

import cv2
import numpy as np

from faceauth.liveness.following import Mark
from faceauth.settings import Settings
from faceauth.streaming.frames import read_stream
from faceauth.streaming.session import Received, Seen, StreamSession
from faceauth.types import Challenge
from tests.liveness.conftest import challenge_of


def streamed(challenge: Challenge, steps: list[str], whole: set[int]) -> StreamSession:
    """A burst of one frame a step's name; each was looked at, those of `whole` all over."""
    picture = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    jpeg = bytes(cv2.imencode(".jpg", picture)[1])
    made: Any = SimpleNamespace(
        challenge=challenge,
        frames=[Received(100 + at, jpeg, 80 * at, step, 80 * at) for at, step in enumerate(steps)],
        seen={
            100 + at: Seen(100 + at, (), None, Mark(80 * at, good=True), whole=at in whole)
            for at in range(len(steps))
        },
        told_ms={},
        chain=SimpleNamespace(digest=bytes(32)),
        signature=None,
    )
    return cast("StreamSession", made)


def test_a_look_near_the_face_does_not_stand_for_a_search_of_the_whole_picture() -> None:
    """G1: a second face in the picture is seen, whatever guidance looked at."""
    challenge = challenge_of("center", "turn_left")
    session = streamed(challenge, ["s1"] * 6 + ["s2"] * 3, whole={4})
    burst = read_stream(session, challenge, Settings())
    # 0 and 6 begin a step, 4 and 8 are the fourth and the eighth; of these only 4 was searched whole.
    assert sorted(burst.found) == [1, 2, 3, 4, 5, 7]
