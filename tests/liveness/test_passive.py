"""Gate `passive` (G2): its rule, and that what is missing or broken denies (R4)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from faceauth.errors import LivenessDenied, LivenessInconclusive, ModelError
from faceauth.liveness.decision import judge
from faceauth.liveness.profiles import MOTION, PROFILES, Profile
from faceauth.types import AlignedFace, Challenge, LiveCapture, PassiveModels
from tests.liveness.conftest import Burst, MeanEmbedder

LEVEL = PROFILES["motion+passive"]


@dataclass
class Says:
    """Models that find every face as living as they are told."""

    scores: object
    shown: list[AlignedFace] = field(default_factory=list)

    def live_scores(self, faces: Sequence[AlignedFace]) -> NDArray[np.float32]:
        self.shown = list(faces)
        if isinstance(self.scores, Exception):
            raise self.scores
        if isinstance(self.scores, float):
            return np.full(len(faces), self.scores, np.float32)
        return np.asarray(self.scores, np.float32)


def decide(
    challenge: Challenge, faces: Burst, passive: PassiveModels | None, profile: Profile = LEVEL
) -> LiveCapture:
    asked = replace(challenge, profile=profile.name)
    return judge("fs_1", asked, faces, embedder=MeanEmbedder(), profile=profile, passive=passive)


def gate_of(challenge: Challenge, faces: Burst, passive: PassiveModels | None, profile: Profile = LEVEL) -> str:
    with pytest.raises(LivenessDenied) as denied:
        decide(challenge, faces, passive, profile)
    assert not isinstance(denied.value, LivenessInconclusive)
    return denied.value.gate


def test_the_study_s_thresholds() -> None:
    """Pass from .80, fail below .50, five key frames at least."""
    assert (LEVEL.passive_pass, LEVEL.passive_fail, LEVEL.passive_frames) == (0.80, 0.50, 5)
    assert {name for name, profile in PROFILES.items() if profile.passive} == {
        "motion+passive",
        "motion+flash+passive",
    }


@pytest.mark.parametrize("score", [0.80, 0.99, 1.0])
def test_a_living_face_passes(turns: Challenge, genuine: Burst, score: float) -> None:
    models = Says(score)
    live = decide(turns, genuine, models)
    assert list(live.faces) == models.shown[: len(live.faces)]  # what will be embedded is what was looked at
    assert len(models.shown) >= LEVEL.passive_frames
    assert {face.frame.step for face in models.shown} <= {"s1", "s3"}  # facing the camera


@pytest.mark.parametrize("score", [0.0, 0.49])
def test_a_picture_is_denied(turns: Challenge, genuine: Burst, score: float) -> None:
    assert gate_of(turns, genuine, Says(score)) == "passive"


@pytest.mark.parametrize("score", [0.51, 0.79])
def test_between_them_one_more_motion_is_asked_for(turns: Challenge, genuine: Burst, score: float) -> None:
    with pytest.raises(LivenessInconclusive) as unclear:
        decide(turns, genuine, Says(score))
    assert (unclear.value.gate, unclear.value.more) == ("passive", "motion")


def test_the_median_decides(turns: Challenge, genuine: Burst) -> None:
    """Two frames of six with a blink or a blur change nothing; four do."""
    decide(turns, genuine, Says([0.0, 0.0, 0.9, 0.9, 0.9, 0.9]))
    assert gate_of(turns, genuine, Says([0.9, 0.9, 0.0, 0.0, 0.0, 0.0])) == "passive"


def test_without_models_the_level_denies(turns: Challenge, genuine: Burst) -> None:
    """R4: a profile that names a model denies when it is missing; the others do not ask for it."""
    assert gate_of(turns, genuine, None) == "passive"
    decide(turns, genuine, None, MOTION)
    refuses = Says(0.0)
    decide(turns, genuine, refuses, MOTION)
    assert refuses.shown == []


@pytest.mark.parametrize(
    ("scores", "gate"),
    [
        (float("nan"), "passive"),
        (float("inf"), "passive"),
        ([0.9], "passive"),
        ([[0.9] * 6], "passive"),
        (ModelError("broken"), "error"),
        (RuntimeError("broken"), "error"),
    ],
)
def test_whatever_goes_wrong_denies(turns: Challenge, genuine: Burst, scores: object, gate: str) -> None:
    """R4: no number, too few numbers, an exception."""
    assert gate_of(turns, genuine, Says(scores)) == gate


def test_too_few_key_frames_deny(turns: Challenge, genuine: Burst) -> None:
    assert gate_of(turns, genuine, Says(1.0), replace(LEVEL, passive_frames=90)) == "passive"


def test_more_frames_are_shown_where_few_are_embedded(turns: Challenge, genuine: Burst) -> None:
    models = Says(0.9)
    live = decide(turns, genuine, models, replace(LEVEL, best_faces=4))
    assert (len(live.faces), len(models.shown)) == (4, 5)


def test_what_it_measured_is_told_to_the_recorder(turns: Challenge, genuine: Burst) -> None:
    told: list[tuple[str, str, float]] = []
    judge(
        "fs_1",
        replace(turns, profile=LEVEL.name),
        genuine,
        embedder=MeanEmbedder(),
        profile=LEVEL,
        passive=Says(0.9),
        record=lambda *value: told.append(value),
    )
    assert [value for gate, name, value in told if (gate, name) == ("passive", "live")] == [pytest.approx(0.9)]
