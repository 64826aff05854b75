"""Order and time (G0): what a burst must be before anybody looks at its pictures."""

from dataclasses import replace

import pytest

from faceauth.errors import LivenessDenied
from faceauth.liveness.integrity import check_integrity
from faceauth.liveness.profiles import MOTION
from faceauth.types import Challenge, Frame
from tests.liveness.conftest import Burst


@pytest.fixture
def frames(genuine: Burst) -> list[Frame]:
    return [face.frame for face in genuine]


def denied(challenge: Challenge, frames: list[Frame]) -> LivenessDenied:
    with pytest.raises(LivenessDenied) as caught:
        check_integrity(challenge, frames, MOTION)
    assert caught.value.gate == "integrity"
    return caught.value


def timed(frames: list[Frame], factor: float) -> list[Frame]:
    return [replace(frame, t_ms=round(frame.t_ms * factor)) for frame in frames]


def test_a_session_as_it_should_be_passes(turns: Challenge, frames: list[Frame]) -> None:
    check_integrity(turns, frames, MOTION)


def test_a_frame_that_comes_twice_is_an_injection(turns: Challenge, frames: list[Frame]) -> None:
    """R16: a camera's noise never comes twice."""
    frames[20] = replace(frames[20], digest=frames[19].digest)
    assert denied(turns, frames).reason == "injection"


@pytest.mark.parametrize("factor", [0.5, 2.0], ids=["twice as fast", "half as fast"])
def test_a_recording_at_another_speed_is_denied(turns: Challenge, frames: list[Frame], factor: float) -> None:
    assert denied(turns, timed(frames, factor)).reason == "liveness"


@pytest.mark.parametrize("swap", [(1, 3), (0, 2)], ids=["the motions", "the looks"])
def test_steps_in_another_order_are_denied(turns: Challenge, frames: list[Frame], swap: tuple[int, int]) -> None:
    names = [step.id for step in turns.steps]
    one, other = (names[number] for number in swap)
    change = {one: other, other: one}
    denied(turns, [replace(frame, step=change.get(frame.step, frame.step)) for frame in frames])


def test_a_step_left_out_or_taken_up_again_is_denied(turns: Challenge, frames: list[Frame]) -> None:
    denied(turns, [frame for frame in frames if frame.step != "s4"])
    denied(turns, [frame for frame in frames if frame.step != "s2"])
    denied(turns, [*frames, replace(frames[0], digest=b"new", t_ms=frames[-1].t_ms + 80)])


@pytest.mark.parametrize("number", [0, 20])
def test_frames_out_of_time_are_denied(turns: Challenge, frames: list[Frame], number: int) -> None:
    frames[number], frames[number + 1] = frames[number + 1], frames[number]
    denied(turns, frames)


def test_a_gap_is_denied(turns: Challenge, frames: list[Frame]) -> None:
    """In half a second somebody can be swapped for a picture."""
    denied(turns, frames[:20] + frames[26:])
    later = [replace(frame, t_ms=frame.t_ms + 350) for frame in frames[20:]]
    assert "leave a gap" in str(denied(turns, [*frames[:20], *later]))


def test_more_frames_than_a_camera_takes_are_denied(turns: Challenge, frames: list[Frame]) -> None:
    """Nothing else is wrong with them: order, steps and times are as they should be."""

    def times(many: int) -> list[Frame]:
        return [
            replace(frame, t_ms=frame.t_ms + 80 * part // many, digest=bytes([part]) + frame.digest)
            for frame in frames
            for part in range(many)
        ]

    check_integrity(turns, times(4), MOTION)
    assert "too fast" in str(denied(turns, times(8)))


def test_a_step_that_is_too_short_is_denied(turns: Challenge, frames: list[Frame]) -> None:
    first = next(number for number, frame in enumerate(frames) if frame.step == "s4")
    denied(turns, frames[: first + 4])
    denied(turns, frames[: first + 1])


def test_another_levels_challenge_is_denied(turns: Challenge, frames: list[Frame]) -> None:
    denied(replace(turns, profile="weaker"), frames)


def test_one_frame_is_no_session(turns: Challenge, frames: list[Frame]) -> None:
    denied(turns, frames[:1])
    denied(turns, [])
