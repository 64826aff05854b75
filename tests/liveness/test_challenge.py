"""The challenge is random, stored whole, and read back strictly (R15)."""

import json
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from faceauth.errors import InvalidRequest
from faceauth.liveness.challenge import challenge_from_wire, challenge_to_wire, extend, make_challenge
from faceauth.liveness.colours import PALETTE
from faceauth.liveness.profiles import MOTION, MOTION_FLASH, PROFILES, Profile
from faceauth.types import Challenge
from tests.clocks import START


def draw(seed: int) -> Challenge:
    return make(seed, START + timedelta(minutes=5))


def make(seed: int, expires_at: datetime, profile: Profile = MOTION) -> Challenge:
    chance = Random(seed)  # noqa: S311  repeatable, no secret
    return make_challenge(profile=profile, now=START, random=chance.randbytes, expires_at=expires_at)


def test_every_challenge_is_two_looks_and_two_motions_the_first_a_turn() -> None:
    """The first shows a solid head best; coming closer shows none, so it is never the only motion."""
    drawn = [[step.kind for step in draw(seed).steps] for seed in range(200)]
    assert {len(kinds) for kinds in drawn} == {4}
    assert {kinds[0] for kinds in drawn} == {kinds[2] for kinds in drawn} == {"center"}
    assert {kinds[1] for kinds in drawn} == {"turn_left", "turn_right"}
    assert {kinds[3] for kinds in drawn} == {"turn_left", "turn_right", "nod_up", "nod_down", "closer"}


def test_all_ten_orders_come_about_equally_often() -> None:
    """2,000 draws of 10: 200 each, give or take 5 standard deviations (13 each)."""
    counts: dict[tuple[str, str], int] = {}
    for seed in range(2000):
        kinds = draw(seed).steps
        key = (kinds[1].kind, kinds[3].kind)
        counts[key] = counts.get(key, 0) + 1
    assert len(counts) == 10
    assert all(135 <= count <= 265 for count in counts.values()), counts


def test_colours_come_after_one_motion_that_shows_a_solid_head() -> None:
    drawn = [make(seed, START + timedelta(minutes=5), MOTION_FLASH) for seed in range(100)]
    kinds = [[step.kind for step in challenge.steps] for challenge in drawn]
    assert {kind[1] for kind in kinds} == {"turn_left", "turn_right", "nod_up", "nod_down"}
    assert all((kind[0], *kind[2:]) == ("center", "center", "flash") for kind in kinds)
    shown = [[colour.rgb for colour in challenge.steps[3].colours] for challenge in drawn]
    assert {rgb for colours in shown for rgb in colours} == set(PALETTE)
    assert all(len(colours) == 6 and all(a != b for a, b in pairwise(colours)) for colours in shown)
    assert len({tuple(colours) for colours in shown}) > 90
    assert all(sum(colour.ms for colour in challenge.steps[3].colours) == 2400 for challenge in drawn)
    assert all(challenge.steps[3].min_ms == 2400 for challenge in drawn)


@pytest.mark.parametrize("more", ["motion", "flash"])
def test_one_more_step_is_added_once(more: str) -> None:
    chance = Random(3)  # noqa: S311  repeatable, no secret
    for profile in (MOTION, MOTION_FLASH):
        told = make(5, START + timedelta(minutes=5), profile)
        longer, step = extend(told, more=more, profile=profile, random=chance.randbytes)
        assert longer.steps[: len(told.steps)] == told.steps
        assert (longer.extra, longer.steps[-1], longer.nonce) == (1, step, told.nonce)
        assert (step.kind == "flash") == bool(step.colours) == (more == "flash")
        assert step.kind != "closer"
        assert step.kind not in {one.kind for one in told.steps if one.kind != "flash"}
        assert longer.steps[-2].kind in {"center", "flash"}  # the head faces the camera before it
        assert challenge_from_wire(json.loads(json.dumps(challenge_to_wire(longer)))) == longer
        with pytest.raises(InvalidRequest):
            extend(longer, more=more, profile=profile, random=chance.randbytes)


def test_the_nonce_is_fresh_and_long_enough() -> None:
    nonces = {draw(seed).nonce for seed in range(50)}
    assert len(nonces) == 50
    assert {len(nonce) for nonce in nonces} == {16}


def test_the_steps_are_told_apart_and_last() -> None:
    challenge = draw(1)
    assert [step.id for step in challenge.steps] == ["s1", "s2", "s3", "s4"]
    assert all(step.min_ms > 0 for step in challenge.steps)
    assert challenge.profile in PROFILES


def test_it_comes_back_from_json_as_it_went() -> None:
    challenge = draw(2)
    assert challenge_from_wire(json.loads(json.dumps(challenge_to_wire(challenge)))) == challenge


@pytest.mark.parametrize(
    "damage",
    [
        {"nonce": "c2hvcnQ"},
        {"nonce": "not base64!"},
        {"nonce": None},
        {"profile": 7},
        {"steps": []},
        {"steps": [{"id": "s1", "kind": "jump", "min_ms": 1}]},
        {"steps": [{"id": "s1", "kind": "center", "min_ms": -1}]},
        {"steps": [{"id": "s1", "kind": "center", "min_ms": True}]},
        {"steps": [{"id": 1, "kind": "center", "min_ms": 1}]},
        {"steps": [{"id": "s1", "kind": "center", "min_ms": 1}] * 2},
        {"steps": ["s1"]},
        {"steps": [{"id": "s1", "kind": "flash", "min_ms": 1}]},
        {"steps": [{"id": "s1", "kind": "center", "min_ms": 1, "colours": [{"rgb": "#ff0000", "ms": 400}]}]},
        {"steps": [{"id": "s1", "kind": "flash", "min_ms": 1, "colours": [{"rgb": "red", "ms": 400}]}]},
        {"steps": [{"id": "s1", "kind": "flash", "min_ms": 1, "colours": [{"rgb": "#ff0000", "ms": 0}]}]},
        {"extra": 2},
        {"extra": True},
        {"expires_at": "tomorrow"},
        {"expires_at": "2026-03-01T12:00:00"},
    ],
    ids=str,
)
def test_a_damaged_one_is_refused(damage: dict[str, Any]) -> None:
    wire = challenge_to_wire(draw(3))
    with pytest.raises(InvalidRequest):
        challenge_from_wire({**wire, **damage})


@pytest.mark.parametrize("name", ["nonce", "profile", "steps", "expires_at"])
def test_one_that_lacks_something_is_refused(name: str) -> None:
    wire = challenge_to_wire(draw(4))
    del wire[name]
    with pytest.raises(InvalidRequest):
        challenge_from_wire(wire)


def test_a_session_that_is_over_gets_none() -> None:
    with pytest.raises(InvalidRequest):
        make(1, START)
