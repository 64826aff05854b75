"""Tokens: R17, and what R18 wants refused."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Any, cast

import pytest
from joserfc.jwk import ECKey

from faceauth.errors import SignatureInvalid
from faceauth.identity.methods import FACE, FACE_DEVICE, methods_of, reaches
from faceauth.identity.tokens import LIFETIME, Tokens
from faceauth.signing import TOKEN, Signer
from faceauth.types import KeyStrength
from tests.clocks import HandClock

KEY = ECKey.generate_key("P-256", {"kid": "k1"}, private=True)
SIGNER = Signer([KEY])
ISSUER = "https://face.example"


@pytest.fixture
def tokens(clock: HandClock) -> Tokens:
    return Tokens(SIGNER, ISSUER, clock)


def mint(tokens: Tokens, clock: HandClock, **more: Any) -> str:
    return tokens.mint(
        account="anna", tenant="shop", session_id="ses_1", auth_time=clock.now, scenario="login", **more
    )


def body(token: str) -> dict[str, object]:
    part = token.split(".")[1]
    claims: dict[str, object] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def segment(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_says_who_when_how_and_for_whom(tokens: Tokens, clock: HandClock) -> None:
    """R17: `face` alone, never `mfa`; R24: nothing else is told."""
    token = mint(tokens, clock, nonce="n-1")
    at = int(clock.now.timestamp())
    assert body(token) == {
        "iss": ISSUER,
        "sub": "anna",
        "aud": "shop",
        "iat": at,
        "nbf": at,
        "exp": at + 300,
        "auth_time": at,
        "jti": "ses_1",
        "amr": ["face"],
        "acr": "urn:faceauth:acr:face",
        "scenario": "login",
        "nonce": "n-1",
    }
    claims = tokens.check(token, expected_audience="shop", expected_nonce="n-1")
    assert (claims.account, claims.tenant, claims.amr, claims.session_id) == ("anna", "shop", ("face",), "ses_1")
    assert claims.expires_at - claims.auth_time == LIFETIME


def test_one_decision_is_one_token_id(tokens: Tokens, clock: HandClock) -> None:
    first = mint(tokens, clock)
    decided = clock.now
    clock.forward(200)
    again = tokens.mint(account="anna", tenant="shop", session_id="ses_1", auth_time=decided, scenario="login")
    assert body(first) == body(again)


def test_is_good_until_its_time_is_over(tokens: Tokens, clock: HandClock) -> None:
    token = mint(tokens, clock)
    decided = clock.now
    clock.forward(299)
    tokens.check(token, expected_audience="shop")
    assert not tokens.too_late(decided)
    clock.forward(1)
    assert tokens.too_late(decided)
    with pytest.raises(SignatureInvalid, match="time"):
        tokens.check(token, expected_audience="shop")


def test_is_not_good_before_its_time(tokens: Tokens, clock: HandClock) -> None:
    token = mint(tokens, clock)
    clock.forward(-1)
    with pytest.raises(SignatureInvalid, match="time"):
        tokens.check(token, expected_audience="shop")


def test_refuses_another_audience_nonce_and_issuer(tokens: Tokens, clock: HandClock) -> None:
    token = mint(tokens, clock, nonce="n-1")
    with pytest.raises(SignatureInvalid, match="audience"):
        tokens.check(token, expected_audience="bank")
    with pytest.raises(SignatureInvalid, match="request"):
        tokens.check(token, expected_audience="shop", expected_nonce="n-2")
    with pytest.raises(SignatureInvalid, match="issuer"):
        Tokens(SIGNER, "https://other.example", clock).check(token, expected_audience="shop")


def test_refuses_none_and_the_public_key_as_a_secret(tokens: Tokens, clock: HandClock) -> None:
    """R18: `none`, and HS256 with the published key as its secret."""
    payload = mint(tokens, clock).split(".")[1]
    none = segment(json.dumps({"alg": "none", "kid": "k1", "typ": "JWT"}).encode())
    shared = segment(json.dumps({"alg": "HS256", "kid": "k1", "typ": "JWT"}).encode())
    public = SIGNER.public_keys[0].as_pem(private=False)
    mac = segment(hmac.digest(public, f"{shared}.{payload}".encode(), hashlib.sha256))
    for forged in (f"{none}.{payload}.", f"{none}.{payload}.AA", f"{shared}.{payload}.{mac}"):
        with pytest.raises(SignatureInvalid):
            tokens.check(forged, expected_audience="shop")


@pytest.mark.parametrize(
    "change",
    [
        {"sub": None},
        {"sub": ""},
        {"jti": 3},
        {"aud": ["shop", "bank"]},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": 10**30},
        {"nbf": None},
        {"amr": "face"},
        {"amr": [1]},
        {"nonce": 7},
    ],
)
def test_refuses_signed_tokens_of_another_shape(
    tokens: Tokens, clock: HandClock, change: dict[str, object]
) -> None:
    """R18: `exp`, `nbf` and `aud` are required, whoever signed."""
    claims = body(mint(tokens, clock)) | change
    with pytest.raises(SignatureInvalid):
        tokens.check(SIGNER.sign(claims, typ=TOKEN), expected_audience="shop")


def test_a_receipt_is_no_token(tokens: Tokens, clock: HandClock) -> None:
    claims = body(mint(tokens, clock))
    with pytest.raises(SignatureInvalid):
        tokens.check(SIGNER.sign(claims, typ="consent-receipt+jwt"), expected_audience="shop")


def test_an_old_token_is_refused_long_after(tokens: Tokens, clock: HandClock) -> None:
    token = mint(tokens, clock)
    clock.now += timedelta(days=365)
    with pytest.raises(SignatureInvalid):
        tokens.check(token, expected_audience="shop")


@pytest.mark.parametrize(
    ("strength", "amr", "acr"),
    [
        (None, ["face"], "urn:faceauth:acr:face"),
        ("swk", ["face", "swk", "mfa"], "urn:faceauth:acr:face-device"),
        ("hwk", ["face", "hwk", "mfa"], "urn:faceauth:acr:face-device"),
    ],
)
def test_says_two_factors_only_with_a_proven_device_key(
    tokens: Tokens, clock: HandClock, strength: KeyStrength | None, amr: list[str], acr: str
) -> None:
    """R17: the whole table."""
    token = mint(tokens, clock, methods=methods_of(strength))
    assert (body(token)["amr"], body(token)["acr"]) == (amr, acr)
    claims = tokens.check(token, expected_audience="shop")
    assert (list(claims.amr), claims.acr) == (amr, acr)


def test_a_strength_that_is_none_of_ours_proves_nothing() -> None:
    """R4, R17."""
    assert methods_of(cast("KeyStrength", "gold")) == methods_of(None)


def test_the_stronger_level_reaches_the_weaker_and_not_the_other_way() -> None:
    """Step-up by `acr_values` leans on it."""
    assert reaches(FACE_DEVICE, FACE)
    assert reaches(FACE, FACE)
    assert not reaches(FACE, FACE_DEVICE)
    assert not reaches("urn:someone:else", FACE)
    assert not reaches(FACE_DEVICE, "urn:someone:else")


def test_is_for_one_transaction_if_it_says_so(tokens: Tokens, clock: HandClock) -> None:
    """What you see is what you sign: the text's SHA-256 is in the token."""
    digest = hashlib.sha256(b"Pay 30 euro to Bea").hexdigest()
    token = mint(tokens, clock, transaction_sha256=digest)
    assert body(token)["transaction_sha256"] == digest
    assert tokens.check(token, expected_audience="shop").transaction_sha256 == digest
    assert tokens.check(mint(tokens, clock), expected_audience="shop").transaction_sha256 is None
