"""Every threshold of a level is in force, and told in the docs with what it rests on (issue 5)."""

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from faceauth.errors import LivenessDenied
from faceauth.liveness.decision import judge
from faceauth.liveness.profiles import MOTION, Profile
from faceauth.simulate import Head
from faceauth.types import Challenge
from tests.liveness.conftest import LANDMARKS, Burst, MeanEmbedder, challenge_of, film, portrait

DOCS = Path(__file__).resolve().parents[2] / "docs" / "liveness.md"
NO_THRESHOLDS = {"name", "flash", "passive", "firsts", "others"}


def test_the_docs_name_every_threshold() -> None:
    """A threshold changes only together with the page that says what it rests on."""
    rows = re.findall(r"^\| `(\w+)` \| ([^| ]+) \| [^|]{3,} \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    told = {name: value.strip("` ") for name, value in rows}
    shipped = {one.name: getattr(MOTION, one.name) for one in fields(Profile) if one.name not in NO_THRESHOLDS}
    assert len(told) == len(rows)
    assert told == {name: str(value) for name, value in shipped.items()}


def why_denied(challenge: Challenge, faces: Burst, profile: Profile) -> tuple[str, str]:
    with pytest.raises(LivenessDenied) as caught:
        judge("fs_1", challenge, faces, embedder=MeanEmbedder(), profile=profile)
    return caught.value.gate, str(caught.value)


@pytest.mark.parametrize(
    ("profile", "gate", "told"),
    [
        (replace(MOTION, longest_ms=1000), "integrity", "for too long"),
        (replace(MOTION, most_fps=9.0), "integrity", "too fast"),
        (replace(MOTION, least_fps=20.0), "integrity", "too slowly"),
        (replace(MOTION, longest_gap_ms=70), "integrity", "leave a gap"),
        (replace(MOTION, least_frames=50), "integrity", "too few frames"),
        (replace(MOTION, slack_ms=-5000), "integrity", "shorter"),
        (replace(MOTION, least_eye_px=500.0), "continuity", "too small"),
        (replace(MOTION, least_tracked=1000), "continuity", "could not be followed"),
        (replace(MOTION, least_kept=1.01), "continuity", "could not be followed"),
        (replace(MOTION, steady_ms=5000), "motion", "did not face the camera"),
        (replace(MOTION, nose_turn=2.0), "motion", "head did not go where"),
        (replace(MOTION, nose_astray=-0.1), "motion", "wrong side"),
        (replace(MOTION, nose_astray=0.1, reaction_ms=5000), "motion", "before it was told"),
        (replace(MOTION, way_least=2.0), "motion", "texture did not go where"),
        (replace(MOTION, way_aside=0.0), "motion", "texture did not go where"),
        (replace(MOTION, way_best=0.05), "motion", "texture did not go where"),
        (replace(MOTION, parallax_each=2.0), "parallax", "something flat"),
        (replace(MOTION, parallax=2.0), "parallax", "too little like a solid head"),
        (replace(MOTION, off_plane=2.0), "plane", "like a plane"),
        (replace(MOTION, least_faces=100), "identity", "Too few frames"),
        (replace(MOTION, too_constant=-1.0), "identity", "the same picture"),
        (replace(MOTION, same_point="none"), "error", "KeyError"),
    ],
)
def test_every_threshold_counts(turns: Challenge, genuine: Burst, profile: Profile, gate: str, told: str) -> None:
    """A living person who passes the shipped level is denied at one stricter in this alone, and for this."""
    found, why = why_denied(turns, genuine, profile)
    assert found == gate
    assert told in why


@pytest.fixture(scope="module")
def approach() -> Challenge:
    return challenge_of("center", "turn_left", "center", "closer")


@pytest.fixture(scope="module")
def coming(approach: Challenge) -> Burst:
    return film(Head(portrait(14), LANDMARKS, seed=14), approach, seed=14)


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        (replace(MOTION, closer_least=3.0), "head did not come closer"),
        (replace(MOTION, closer_soon=1.1, reaction_ms=5000), "before it was told"),
    ],
)
def test_coming_closer_counts(approach: Challenge, coming: Burst, profile: Profile, told: str) -> None:
    gate, why = why_denied(approach, coming, profile)
    assert gate == "motion"
    assert told in why


def test_a_face_that_only_seems_to_come_closer(approach: Challenge, coming: Burst) -> None:
    """Landmarks that spread where the texture stays: a picture that fools the detector."""
    first = next(face for face in coming if face.frame.step == "s4")
    held = tuple(
        replace(face, frame=replace(face.frame, pixels=first.frame.pixels)) if face.frame.step == "s4" else face
        for face in coming
    )
    gate, why = why_denied(approach, held, MOTION)
    assert gate == "motion"
    assert "texture did not come closer" in why
