"""The challenge is random, stored whole, and read back strictly (R15)."""

import json
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from faceauth.errors import InvalidRequest
from faceauth.liveness.challenge import challenge_from_wire, challenge_to_wire, make_challenge
from faceauth.liveness.profiles import MOTION, PROFILES
from faceauth.types import Challenge
from tests.clocks import START


def draw(seed: int) -> Challenge:
    return make(seed, START + timedelta(minutes=5))


def make(seed: int, expires_at: datetime) -> Challenge:
    chance = Random(seed)  # noqa: S311  repeatable, no secret
    return make_challenge(profile=MOTION, now=START, random=chance.randbytes, expires_at=expires_at)


def test_every_challenge_is_two_looks_and_two_motions_the_first_a_turn() -> None:
    drawn = [[step.kind for step in draw(seed).steps] for seed in range(200)]
    assert {len(kinds) for kinds in drawn} == {4}
    assert {kinds[0] for kinds in drawn} == {kinds[2] for kinds in drawn} == {"center"}
    assert {kinds[1] for kinds in drawn} == {"turn_left", "turn_right"}
    assert {kinds[3] for kinds in drawn} == {"turn_left", "turn_right", "nod_up", "nod_down"}


def test_all_eight_orders_come_about_equally_often() -> None:
    """2,000 draws of 8: 250 each, give or take 5 standard deviations (15 each)."""
    counts: dict[tuple[str, str], int] = {}
    for seed in range(2000):
        kinds = draw(seed).steps
        key = (kinds[1].kind, kinds[3].kind)
        counts[key] = counts.get(key, 0) + 1
    assert len(counts) == 8
    assert all(175 <= count <= 325 for count in counts.values()), counts


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
