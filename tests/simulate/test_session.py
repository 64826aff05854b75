"""A simulated session answers its challenge as a person does, and is the same for the same seed."""

from collections.abc import Callable

import numpy as np
import pytest

from faceauth.simulate import Head, Print, Screen, SimulatedFrame, record, simulate_session
from faceauth.simulate.attacks import SPECIES, Species
from faceauth.simulate.motion import Manner
from faceauth.types import Challenge, Image, Points
from tests.simulate.conftest import pixels_of

MakeChallenge = Callable[..., Challenge]
SMALL = (320, 240)


def nose_offs(frames: list[SimulatedFrame], step: str) -> list[float]:
    points = [frame.landmarks for frame in frames if frame.step == step]
    return [float((p[2] - p[:2].mean(axis=0))[0] / np.hypot(*(p[1] - p[0]))) for p in points]


def test_the_same_seed_gives_the_same_bytes(photo: Image, landmarks: Points, challenge: MakeChallenge) -> None:
    asked = challenge("center", "turn_left")
    first, again, other = (
        simulate_session(Head(photo, landmarks, seed=1), asked, seed=seed, size=SMALL) for seed in (5, 5, 6)
    )
    assert [frame.jpeg for frame in first] == [frame.jpeg for frame in again]
    assert first[3].jpeg != other[3].jpeg


def test_every_frame_differs(photo: Image, landmarks: Points, challenge: MakeChallenge) -> None:
    """A sensor never takes the same picture twice, even of a still photograph."""
    frames = record("still_photograph", photo, landmarks, challenge("center"), seed=1, size=SMALL)
    assert len({frame.jpeg for frame in frames}) == len(frames) >= 5


@pytest.mark.parametrize("fps", [8.0, 12.0, 30.0])
def test_the_timeline_is_plausible(photo: Image, landmarks: Points, challenge: MakeChallenge, fps: float) -> None:
    """Steps come in order, each for at least as long as it must; frames tick as often as they should."""
    asked = challenge("center", "turn_right", "center", "turn_left")
    frames = simulate_session(Print(photo, landmarks), asked, seed=2, size=(160, 120), fps=fps, start_t_ms=40)
    times = [frame.t_ms for frame in frames]
    assert times[0] == 40
    gaps = np.diff(times)
    assert gaps.min() > 0.8 * 1000 / fps
    assert gaps.max() < 1.2 * 1000 / fps
    assert list(dict.fromkeys(frame.step for frame in frames)) == [step.id for step in asked.steps]
    for step in asked.steps:
        own = [frame.t_ms for frame in frames if frame.step == step.id]
        assert own[-1] - own[0] + 1000 / fps >= step.min_ms


def test_a_person_turns_the_way_that_was_asked(photo: Image, landmarks: Points, challenge: MakeChallenge) -> None:
    frames = simulate_session(
        Head(photo, landmarks),
        challenge("center", "turn_left", "center", "turn_right"),
        seed=4,
        size=SMALL,
    )
    facing = nose_offs(frames, "s1")[0]
    assert max(nose_offs(frames, "s2")) - facing > 0.09
    assert min(nose_offs(frames, "s4")) - facing < -0.09
    assert abs(nose_offs(frames, "s3")[-1] - facing) < 0.05, "back in the middle"
    assert abs(nose_offs(frames, "s2")[0] - facing) < 0.05, "nobody turns before they are asked"


@pytest.mark.parametrize(("manner", "turns"), [("mirror", True), ("still", False)])
def test_other_manners_do_not_obey(
    photo: Image, landmarks: Points, challenge: MakeChallenge, manner: Manner, turns: bool
) -> None:
    frames = simulate_session(
        Head(photo, landmarks), challenge("center", "turn_left"), seed=4, size=SMALL, manner=manner
    )
    moved = np.array(nose_offs(frames, "s2")) - nose_offs(frames, "s1")[0]
    assert (moved.min() < -0.09) == turns
    assert moved.max() < 0.05


@pytest.mark.parametrize("species", SPECIES)
def test_every_attack_makes_a_whole_session(
    photo: Image, landmarks: Points, challenge: MakeChallenge, species: Species
) -> None:
    """Each shows the face: the mean colours at the true landmarks are the photograph's, not the background's."""
    asked = challenge("center", "turn_left")
    frames = record(
        species, photo, landmarks, asked, seed=3, size=SMALL, fps=10, stolen=challenge("center", "turn_right")
    )
    assert {frame.step for frame in frames} == {"s1", "s2"}
    for frame in frames[::5]:
        picture = pixels_of(frame.jpeg)
        assert picture.shape == (240, 320, 3)
        x, y = np.rint(frame.landmarks[0]).astype(int)
        assert picture[y - 1 : y + 2, x - 1 : x + 2].mean() > 130, "the white dot of the eye"


def test_a_screen_replays_what_was_recorded(photo: Image, landmarks: Points, challenge: MakeChallenge) -> None:
    """A replay keeps the recording's parallax: only the order of the turns gives it away."""
    asked = challenge("center", "turn_left")
    recording = simulate_session(Head(photo, landmarks), asked, seed=4)
    shown = simulate_session(Screen(recording), asked, seed=9, manner="still")
    facing = nose_offs(shown, "s1")[0]
    assert max(nose_offs(shown, "s2")) - facing > 0.08
