"""What you see is what you sign: only text that can be seen, and its digest in everything that is hashed."""

import hashlib
from dataclasses import replace

import pytest

from faceauth.errors import InvalidRequest
from faceauth.liveness.chain import chain_of
from faceauth.liveness.challenge import challenge_from_wire, challenge_to_wire, extend, make_challenge
from faceauth.liveness.profiles import PROFILES
from faceauth.liveness.transaction import LONGEST, make_transaction
from tests.clocks import HandClock

TEXT = "Pay 30.00 EUR to Bea's Books"
PROFILE = PROFILES["motion"]


def test_the_digest_is_over_the_text_as_it_is_shown() -> None:
    """A text of any language, its joiners too, is taken as it is."""
    for text in (TEXT, "向贝亚书店付款 30 欧元", "می\u200cخواهم ۳۰ یورو بپردازم", "👩\u200d💻 3 €", "x" * LONGEST):
        made = make_transaction(text, "en")
        assert (made.text, made.sha256) == (text, hashlib.sha256(text.encode()).digest())


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "x" * (LONGEST + 1),
            " " + TEXT,
            TEXT + "\n",
            "Pay 30\nto Bea",
            "Pay\t30",
            "Pay\x00",
            "\x1b[2J",
        ),
        *(
            "Pay \u202e03 to Bea",
            "Pay \u2066 30",
            "Pay \u200b30",
            "Pay\u2028now",
            "\ufeffPay",
            "Pay \ue000",
            "Pay \U000e0041",
        ),
        "Pay \ud800",
    ],
)
def test_what_cannot_be_seen_is_refused(text: str) -> None:
    """No control, no direction, nothing of no width: the eyes and the digest must mean the same."""
    with pytest.raises(InvalidRequest, match="transaction"):
        make_transaction(text)


def test_the_challenge_keeps_it_and_the_chain_begins_with_it(clock: HandClock) -> None:
    """Another text is another chain, and one more step changes nothing of it."""
    plain = make_challenge(
        profile=PROFILE, now=clock(), random=lambda n: bytes(range(n)), expires_at=clock.now.replace(year=2999)
    )
    one = replace(plain, transaction=make_transaction(TEXT, "en"), device_key="required")
    assert challenge_from_wire(challenge_to_wire(one)) == one
    longer, _ = extend(one, more="motion", profile=PROFILE, random=lambda n: bytes(range(n)))
    assert (longer.transaction, longer.device_key) == (one.transaction, "required")
    other = replace(plain, transaction=make_transaction(TEXT.replace("30", "90")))
    frames = [(0, b"jpeg")]
    assert len({chain_of(challenge, frames).digest for challenge in (plain, one, other)}) == 3
    assert chain_of(replace(one, device_key="none"), frames).digest == chain_of(one, frames).digest


def test_a_stored_transaction_that_is_none_is_refused(clock: HandClock) -> None:
    """R4."""
    plain = make_challenge(
        profile=PROFILE, now=clock(), random=lambda n: bytes(range(n)), expires_at=clock.now.replace(year=2999)
    )
    wire = challenge_to_wire(plain)
    for wrong in ({"sha256": "00"}, {"sha256": "g" * 64}, {}, {"sha256": "0" * 64, "text": 1}):
        with pytest.raises(InvalidRequest):
            challenge_from_wire({**wire, "transaction": wrong})
    with pytest.raises(InvalidRequest):
        challenge_from_wire({**wire, "device_key": "maybe"})
