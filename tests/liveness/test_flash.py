"""Gate `flash`: colours bind the burst to its challenge, and their shape on the skin stops prints (G4, R15)."""

from dataclasses import replace

import numpy as np
import pytest

from faceauth.errors import LivenessDenied, LivenessInconclusive
from faceauth.liveness.colours import LINEAR, PALETTE, chroma
from faceauth.liveness.decision import judge
from faceauth.liveness.flash import Lamp
from faceauth.liveness.profiles import MOTION_FLASH, PROFILES, Profile
from faceauth.simulate import Head, Print
from faceauth.types import Challenge, Evidence
from tests.liveness.conftest import LANDMARKS, Burst, MeanEmbedder, challenge_of, decide, film, portrait


@pytest.fixture(scope="module")
def lit() -> Challenge:
    return challenge_of("center", "turn_left", "center", "flash", profile=MOTION_FLASH)


@pytest.fixture(scope="module")
def alive(lit: Challenge) -> Burst:
    return film(Head(portrait(1), LANDMARKS, seed=1), lit, seed=3)


def gate_of(challenge: Challenge, faces: Burst) -> str:
    with pytest.raises(LivenessDenied) as denied:
        decide(challenge, faces)
    assert type(denied.value) is LivenessDenied
    return denied.value.gate


def other(challenge: Challenge) -> Challenge:
    """Return the same steps with other colours."""
    again = challenge_of(*(step.kind for step in challenge.steps), profile=MOTION_FLASH, seed=99)
    assert again.steps[-1].colours != challenge.steps[-1].colours
    return again


def test_a_living_face_in_the_screens_light_is_accepted(lit: Challenge, alive: Burst) -> None:
    seen: dict[str, float] = {}

    def record(gate: str, name: str, value: float) -> None:
        seen[f"{gate} {name}"] = value

    live = judge(
        "fs_1",
        lit,
        alive,
        embedder=MeanEmbedder(),
        profile=MOTION_FLASH,
        evidence=Evidence(),
        record=record,
    )
    assert live.profile == "motion+flash"
    assert {face.frame.step for face in live.faces} == {"s1", "s3"}  # a coloured frame is never embedded
    assert seen["flash rho"] > MOTION_FLASH.flash_rho
    assert seen["flash rho"] > seen["flash decoy"]
    assert seen["flash shape"] > MOTION_FLASH.flash_shape
    assert 0 <= seen["flash lag_ms"] <= 400
    assert seen["parallax gamma"] > MOTION_FLASH.parallax


def test_colours_of_another_session_are_denied(lit: Challenge) -> None:
    """A recording, or a live face before a page that was told other colours."""
    faces = film(Head(portrait(1), LANDMARKS, seed=1), lit, seed=3, shown=other(lit))
    assert gate_of(lit, faces) == "flash"


def test_colours_that_come_late_are_denied(lit: Challenge) -> None:
    assert gate_of(lit, film(Head(portrait(1), LANDMARKS, seed=1), lit, seed=3, late_ms=900)) == "flash"


def test_colours_whose_lag_is_not_stable_are_denied(lit: Challenge) -> None:
    """LIVENESS.md, G0: one lag must do for all colours."""
    flash = lit.steps[-1]
    drifting = tuple(replace(one, ms=one.ms + 100) for one in flash.colours)
    shown = replace(lit, steps=(*lit.steps[:-1], replace(flash, colours=drifting)))
    assert gate_of(lit, film(Head(portrait(1), LANDMARKS, seed=1), lit, seed=3, shown=shown)) == "flash"


def test_without_colours_one_more_flash_is_asked_for_and_then_no_more(lit: Challenge) -> None:
    dark = film(Head(portrait(1), LANDMARKS, seed=1), lit, seed=3, power=0.0)
    with pytest.raises(LivenessInconclusive) as unclear:
        decide(lit, dark)
    assert (unclear.value.gate, unclear.value.more) == ("flash", "flash")
    assert gate_of(replace(lit, extra=1), dark) == "flash"


def test_light_on_a_print_is_flat(lit: Challenge, alive: Burst) -> None:
    """The motion is a living head's; then a print is held where the head was, with its landmarks."""
    sheet = film(Print(portrait(1), LANDMARKS), lit, seed=3)
    first = next(number for number, face in enumerate(alive) if face.frame.step == "s4")
    with pytest.raises(LivenessDenied) as denied:
        decide(lit, (*alive[:first], *sheet[first:]))
    assert denied.value.gate == "flash"
    assert gate_of(lit, sheet) == "motion"


@pytest.mark.parametrize(("least", "flat", "more"), [(0.99, -1.0, "flash"), (0.99, 0.99, "")])
def test_what_is_neither_face_nor_flat_is_asked_for_once_more(
    lit: Challenge, alive: Burst, least: float, flat: float, more: str
) -> None:
    """Between the two thresholds one more flash is asked for, once; below both it is denied at once."""
    profile = replace(MOTION_FLASH, flash_shape=least, flash_flat=flat)
    with pytest.raises(LivenessDenied) as denied:
        judge("fs_1", lit, alive, embedder=MeanEmbedder(), profile=profile)
    assert denied.value.gate == "flash"
    assert getattr(denied.value, "more", "") == more
    with pytest.raises(LivenessDenied) as again:
        judge("fs_1", replace(lit, extra=1), alive, embedder=MeanEmbedder(), profile=profile)
    assert type(again.value) is LivenessDenied


@pytest.mark.parametrize(
    ("profile", "told", "kind"),
    [
        (replace(MOTION_FLASH, flash_rho=1.01), "does not follow the colours", LivenessDenied),
        (replace(MOTION_FLASH, flash_least=1.0), "Too little", LivenessInconclusive),
        (replace(MOTION_FLASH, flash_clear=1.0, flash_shape=0.99), "Too little", LivenessInconclusive),
    ],
    ids=["rho", "least", "clear"],
)
def test_every_threshold_of_the_flash_counts(
    lit: Challenge, alive: Burst, profile: Profile, told: str, kind: type[LivenessDenied]
) -> None:
    """A living face that passes the shipped level does not pass one that is stricter in this alone."""
    with pytest.raises(LivenessDenied, match=told) as why:
        judge("fs_1", lit, alive, embedder=MeanEmbedder(), profile=profile)
    assert (type(why.value), why.value.gate) == (kind, "flash")


def test_a_challenge_that_shows_no_colours_accepts_nobody(genuine: Burst, turns: Challenge) -> None:
    """R4: the level names the gate, so the gate must have something to judge."""
    assert gate_of(replace(turns, profile="motion+flash"), genuine) == "flash"


def test_every_colour_changes_the_light_and_no_two_alike() -> None:
    shifts = [chroma(rgb) for rgb in PALETTE]
    assert len(set(shifts)) == len(PALETTE)
    assert all(abs(red) + abs(blue) >= 1 for red, blue in shifts)
    assert (LINEAR[0], LINEAR[255]) == (0.0, 1.0)
    assert np.all(np.diff(LINEAR) > 0)


def test_the_nose_gets_less_light_on_its_sides_than_the_cheeks_beside_it() -> None:
    """Lambert's law: a slope that turns away from the screen gets less of it."""
    lamp = Lamp()
    (light,) = lamp.form_factors([np.array([0.0, 0.65])])
    x, y = lamp.x, lamp.y
    nose = light[(abs(x) < 0.2) & (y > 0.3) & (y < 0.75)].mean()
    cheeks = light[(abs(x) > 0.3) & (abs(x) < 0.7) & (y > 0.3) & (y < 0.75)].mean()
    assert nose < cheeks - 0.1


def test_every_level_with_colours_asks_for_them() -> None:
    assert {name for name, profile in PROFILES.items() if profile.flash} == {
        "motion+flash",
        "motion+flash+passive",
    }
