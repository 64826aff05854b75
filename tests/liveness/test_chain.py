"""The hash chain over a session's frames (G0): whoever changes, drops, adds or moves a frame changes it."""

import hashlib
from datetime import UTC, datetime

import pytest

from faceauth.errors import LivenessDenied
from faceauth.liveness.chain import Chain, chain_of, told_challenge
from faceauth.types import Challenge, Colour, Step

STEPS = (Step("s1", "center", 450), Step("s2", "flash", 800, (Colour("#ff0000", 400), Colour("#00ff00", 400))))
CHALLENGE = Challenge(bytes(range(16)), "motion+flash", STEPS, datetime(2030, 1, 1, tzinfo=UTC))
FRAMES = [(0, b"one"), (83, b"two"), (166, b"three")]


def test_it_is_the_formula_word_for_word() -> None:
    told = (
        b'{"profile":"motion+flash","steps":[{"colours":[],"id":"s1","kind":"center","min_ms":450},'
        b'{"colours":[{"ms":400,"rgb":"#ff0000"},{"ms":400,"rgb":"#00ff00"}],"id":"s2","kind":"flash","min_ms":800}]}'
    )
    assert told_challenge("motion+flash", STEPS) == told
    expected = hashlib.sha256(bytes(range(16)) + told).digest()
    for number, (t_ms, jpeg) in enumerate(FRAMES, 1):
        expected = hashlib.sha256(expected + number.to_bytes(4, "big") + t_ms.to_bytes(4, "big") + jpeg).digest()
    assert chain_of(CHALLENGE, FRAMES).digest == expected


@pytest.mark.parametrize(
    "frames",
    [
        FRAMES[:2],
        [FRAMES[1], FRAMES[0], FRAMES[2]],
        [FRAMES[0], (84, b"two"), FRAMES[2]],
        [FRAMES[0], (83, b"twO"), FRAMES[2]],
        [*FRAMES, (200, b"four")],
    ],
)
def test_any_change_changes_it(frames: list[tuple[int, bytes]]) -> None:
    """R16."""
    assert chain_of(CHALLENGE, frames).digest != chain_of(CHALLENGE, FRAMES).digest


def test_another_nonce_or_fewer_steps_told_begin_elsewhere() -> None:
    starts = {
        Chain(CHALLENGE).digest,
        Chain(CHALLENGE, told=1).digest,
        Chain(Challenge(bytes(16), "motion+flash", STEPS, CHALLENGE.expires_at)).digest,
    }
    assert len(starts) == 3


def test_what_the_device_says_must_agree() -> None:
    chain = chain_of(CHALLENGE, FRAMES)
    chain.check(None)
    chain.check(chain.digest.hex())
    for wrong in ("", "00", bytes(32).hex(), chain.digest.hex().upper(), 5, ["a"], chain.digest.hex() + "\n"):
        with pytest.raises(LivenessDenied) as denied:
            chain.check(wrong)
        assert (denied.value.gate, denied.value.reason) == ("chain", "injection")
