"""Bona fide sessions are accepted; every attack is denied, and by the gate that is there for it (R4, R15)."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from faceauth.errors import LivenessDenied
from faceauth.liveness.decision import judge
from faceauth.liveness.profiles import MOTION
from faceauth.simulate import Head, Print
from faceauth.simulate.attacks import BEND_RADIUS
from faceauth.simulate.motion import Manner
from faceauth.types import Challenge, Image, OperatingPoint, StepKind
from tests.liveness.conftest import LANDMARKS, Burst, MeanEmbedder, challenge_of, decide, film, portrait


def gate_of(challenge: Challenge, faces: Burst, embedder: MeanEmbedder | None = None) -> str:
    with pytest.raises(LivenessDenied) as denied:
        decide(challenge, faces, embedder)
    return denied.value.gate


# --- bona fide --------------------------------------------------------------------------------------------------


def test_a_turning_head_is_alive(turns: Challenge, genuine: Burst) -> None:
    live = decide(turns, genuine)
    assert (live.session_id, live.profile) == ("fs_1", "motion")
    assert 3 <= len(live.faces) <= MOTION.best_faces
    assert all(face in genuine for face in live.faces)
    weights = [face.quality.weight for face in live.faces]
    assert weights == sorted(weights, reverse=True)
    assert {face.frame.step for face in live.faces} == {"s1", "s3"}  # both looks into the camera
    assert all(abs(face.quality.pose.yaw) < 15 for face in live.faces)


@pytest.mark.parametrize(
    ("seed", "motions"),
    [
        (11, ("turn_right", "turn_right")),
        (12, ("turn_left", "nod_up")),
        (13, ("turn_right", "nod_down")),
        (14, ("turn_left", "closer")),
    ],
)
def test_every_motion_can_be_answered(seed: int, motions: tuple[StepKind, StepKind]) -> None:
    challenge = challenge_of("center", motions[0], "center", motions[1])
    head = Head(portrait(seed), LANDMARKS, seed=seed)
    decide(challenge, film(head, challenge, seed=seed))


# --- attacks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("manner", ["mirror", "still"])
def test_a_head_that_does_something_else_is_denied(person: Head, turns: Challenge, manner: Manner) -> None:
    assert gate_of(turns, film(person, turns, seed=4, manner=manner)) == "motion"


def test_a_turn_is_no_nod(person: Head, turns: Challenge) -> None:
    """Told to nod after a turn, the recording turns once more."""
    asked = challenge_of("center", "turn_left", "center", "nod_down")
    assert gate_of(asked, film(person, turns, seed=3)) == "motion"


def test_a_head_that_shakes_all_the_time_is_denied(person: Head, turns: Challenge) -> None:
    """A recording of a shaking head holds every turn there is; but nobody looks into the camera before them."""
    assert gate_of(turns, film(person, turns, seed=5, manner="shake")) == "motion"


def test_a_turned_print_is_denied(turns: Challenge) -> None:
    assert gate_of(turns, film(Print(portrait(1), LANDMARKS), turns, seed=6)) == "motion"


@pytest.mark.parametrize("radius", [np.inf, BEND_RADIUS, 1.3], ids=["flat", "10 cm", "8 cm"])
def test_a_turned_print_is_denied_by_its_texture_alone(turns: Challenge, genuine: Burst, radius: float) -> None:
    """Landmarks prove nothing: here they are a living head's, on frames of a sheet."""
    sheet = Print(portrait(1), LANDMARKS, radius=radius)
    # Swung about an axis behind it, as a head is, so that it goes to the commanded side too.
    sheet.surface = replace(sheet.surface, pivot=(0.0, 0.7, -1.2))
    assert gate_of(turns, film(sheet, turns, seed=3, told=genuine)) == "parallax"


@pytest.mark.parametrize("manner", ["still", "wave"])
def test_a_print_moved_otherwise_is_denied(turns: Challenge, manner: Manner) -> None:
    assert gate_of(turns, film(Print(portrait(1), LANDMARKS), turns, seed=7, manner=manner)) in {
        "motion",
        "parallax",
    }


def test_a_still_picture_with_a_living_heads_landmarks_is_denied(turns: Challenge, genuine: Burst) -> None:
    still = film(Print(portrait(1), LANDMARKS), turns, seed=3, manner="still", told=genuine)
    assert gate_of(turns, still) == "motion"


def test_a_frozen_frame_with_noise_is_denied(turns: Challenge, genuine: Burst) -> None:
    rng = np.random.default_rng(1)
    frozen = genuine[0].frame.pixels.astype(np.int16)

    def noisy() -> Image:
        return np.clip(frozen + rng.normal(0, 2, frozen.shape), 0, 255).astype(np.uint8)

    faces = tuple(replace(face, frame=replace(face.frame, pixels=noisy())) for face in genuine)
    assert gate_of(turns, faces) == "motion"


@pytest.mark.parametrize("cut", [4, 20, 33], ids=["center", "motion", "second center"])
def test_somebody_elses_frames_spliced_in_are_denied(turns: Challenge, genuine: Burst, cut: int) -> None:
    """The other person answers the same challenge in the same way; only the face is another."""
    other = film(Head(portrait(2), LANDMARKS, seed=1), turns, seed=3)
    assert gate_of(turns, (*genuine[:cut], *other[cut:])) == "continuity"
    assert gate_of(turns, (*genuine[:cut], *other[cut : cut + 3], *genuine[cut + 3 :])) == "continuity"


def test_another_identity_is_denied_where_the_texture_tells_nothing(turns: Challenge, genuine: Burst) -> None:
    other = portrait(2)[150:214, 150:214]
    swapped = tuple(
        replace(face, chip=other) if face.frame.step == "s3" else face for face in genuine
    )  # the embedder would see this face in the second look, whatever was followed
    assert gate_of(turns, swapped) == "identity"


# --- whatever goes wrong denies ---------------------------------------------------------------------------------


class Broken(MeanEmbedder):
    """An embedder that fails in the way it is told."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    def embed(self, chips: Sequence[Image]) -> NDArray[np.float32]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return np.full((len(chips), 4), self.answer, np.float32)


@pytest.mark.parametrize(
    ("answer", "gate"),
    [(MemoryError(), "error"), (RuntimeError("gone"), "error"), (np.nan, "identity"), (0.0, "identity")],
)
def test_an_embedder_that_fails_denies(turns: Challenge, genuine: Burst, answer: object, gate: str) -> None:
    """R4."""
    assert gate_of(turns, genuine, Broken(answer)) == gate


def test_the_same_embedding_for_every_frame_is_a_frozen_picture(turns: Challenge, genuine: Burst) -> None:
    assert gate_of(turns, genuine, Broken(0.5)) == "identity"


def test_a_pack_without_a_measured_threshold_accepts_nobody(turns: Challenge, genuine: Burst) -> None:
    class Unmeasured(MeanEmbedder):
        @property
        def operating_points(self) -> dict[str, OperatingPoint]:
            return {}

    assert gate_of(turns, genuine, Unmeasured()) == "error"


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_landmarks_without_sense_deny(turns: Challenge, genuine: Burst, value: float) -> None:
    points = np.full((5, 2), value, np.float32)
    broken = (*genuine[:20], replace(genuine[20], face=replace(genuine[20].face, landmarks=points)), *genuine[21:])
    assert gate_of(turns, broken) == "error"


def test_a_face_that_is_too_small_is_denied(turns: Challenge, genuine: Burst) -> None:
    small = tuple(replace(face, quality=replace(face.quality, eye_distance=49.0)) for face in genuine)
    assert gate_of(turns, small) == "continuity"


@pytest.mark.parametrize("kind", ["closer", "flash"])
def test_a_step_that_this_level_cannot_judge_denies(turns: Challenge, genuine: Burst, kind: StepKind) -> None:
    steps = (*turns.steps[:3], replace(turns.steps[3], kind=kind))
    assert gate_of(replace(turns, steps=steps), genuine) == "motion"


def test_a_challenge_without_a_motion_accepts_nobody(turns: Challenge, genuine: Burst) -> None:
    only = replace(turns, steps=turns.steps[:1])
    assert gate_of(only, tuple(face for face in genuine if face.frame.step == "s1")) == "motion"


def test_no_faces_deny(turns: Challenge) -> None:
    with pytest.raises(LivenessDenied):
        judge("fs_1", turns, (), embedder=MeanEmbedder(), profile=MOTION)


def test_gates_after_the_one_that_denied_are_gone_through(turns: Challenge, genuine: Burst) -> None:
    """R25: a face that is too far away fails first, and everything else is measured all the same."""
    asked: set[str] = set()

    def record(gate: str, name: str, value: float) -> None:
        asked.add(gate)

    far = replace(MOTION, least_eye_px=10_000.0)
    with pytest.raises(LivenessDenied) as denied:
        judge("fs_1", turns, genuine, embedder=MeanEmbedder(), profile=far, record=record)
    assert denied.value.gate == "continuity"
    assert {"motion", "parallax", "identity"} <= asked
