"""Tokens and receipts: one algorithm, one kind at a time, every change noticed (R18)."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from faceauth.errors import ConfigurationError, SignatureInvalid
from faceauth.signing import Signer, check, keys_from_jwks, public_key

KEY = ECKey.generate_key("P-256", {"kid": "first"}, private=True)
OLD = ECKey.generate_key("P-256", {"kid": "old"}, private=True)
SIGNER = Signer([KEY, OLD])
CLAIMS = {"sub": "anna", "n": 3, "text": "姓名"}
TOKEN = SIGNER.sign(CLAIMS, typ="JWT")


def segment(data: object) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def forged(header: dict[str, object]) -> str:
    """A token with another header and a signature that is right for it."""
    real = KEY.get_op_key("sign")
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415  used by this forger alone
    from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: PLC0415  the same

    signed = f"{segment(header)}.{segment(CLAIMS)}"
    r, s = utils.decode_dss_signature(real.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{segment(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def test_gives_the_claims_back() -> None:
    assert SIGNER.check(TOKEN, expected_typ="JWT") == CLAIMS


def test_the_forger_of_these_tests_can_sign() -> None:
    token = forged({"alg": "ES256", "kid": "first", "typ": "JWT"})
    assert SIGNER.check(token, expected_typ="JWT") == CLAIMS


def test_checks_with_the_published_set_and_with_older_keys() -> None:
    published = json.loads(json.dumps(SIGNER.public_jwks()))
    assert all("d" not in key for key in published["keys"])
    keys = keys_from_jwks(published)
    assert check(TOKEN, keys=keys, expected_typ="JWT") == CLAIMS
    assert check(Signer([OLD]).sign({"a": 1}, typ="JWT"), keys=keys, expected_typ="JWT") == {"a": 1}


def test_a_receipt_is_no_token() -> None:
    receipt = SIGNER.sign(CLAIMS, typ="deletion-receipt+jwt")
    with pytest.raises(SignatureInvalid):
        SIGNER.check(receipt, expected_typ="JWT")


@pytest.mark.parametrize(
    "extra",
    [
        {"jku": "https://example.org/keys"},
        {"x5u": "https://example.org/cert"},
        {"jwk": KEY.as_dict(private=False)},
        {"crit": ["b64"], "b64": False},
        {"alg": "none"},
        {"alg": "ES384"},
        {"alg": "HS256"},
        {"kid": "someone else's"},
        {"kid": None},
        {"typ": "consent-receipt+jwt"},
        {"typ": None},
    ],
)
def test_refuses_other_headers_even_when_signed(extra: dict[str, object]) -> None:
    with pytest.raises(SignatureInvalid):
        SIGNER.check(forged({"alg": "ES256", "kid": "first", "typ": "JWT"} | extra), expected_typ="JWT")


def test_refuses_the_public_key_used_as_a_shared_secret() -> None:
    """The HS256 confusion of R18."""
    signed = f"{segment({'alg': 'HS256', 'kid': 'first', 'typ': 'JWT'})}.{segment(CLAIMS)}"
    secret = public_key(KEY).as_pem(private=False)
    token = f"{signed}.{segment(hmac.digest(secret, signed.encode(), hashlib.sha256))}"
    with pytest.raises(SignatureInvalid):
        SIGNER.check(token, expected_typ="JWT")


def test_refuses_another_installations_key_of_the_same_name() -> None:
    other = Signer([ECKey.generate_key("P-256", {"kid": "first"}, private=True)])
    with pytest.raises(SignatureInvalid):
        SIGNER.check(other.sign(CLAIMS, typ="JWT"), expected_typ="JWT")


@given(at=st.integers(0, len(TOKEN) - 1), to=st.characters(codec="utf-8"))
def test_refuses_any_changed_character(at: int, to: str) -> None:
    changed = TOKEN[:at] + to + TOKEN[at + 1 :]
    if changed != TOKEN:
        with pytest.raises(SignatureInvalid):
            SIGNER.check(changed, expected_typ="JWT")


@given(st.text())
def test_refuses_any_text(text: str) -> None:
    with pytest.raises(SignatureInvalid):
        SIGNER.check(text, expected_typ="JWT")


@pytest.mark.parametrize(
    "broken", ["", TOKEN[:-1], TOKEN + ".", TOKEN + "A", TOKEN + "=", " " + TOKEN, TOKEN + "\n"]
)
def test_refuses_cut_and_lengthened(broken: str) -> None:
    with pytest.raises(SignatureInvalid):
        SIGNER.check(broken, expected_typ="JWT")


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [public_key(KEY)],
        [KEY, KEY],
        [ECKey.generate_key("P-384", {"kid": "big"}, private=True)],
        [ECKey.generate_key("P-256", private=True, auto_kid=False)],
    ],
)
def test_refuses_keys_that_cannot_be_used(keys: list[ECKey]) -> None:
    with pytest.raises(ConfigurationError):
        Signer(keys)


def test_refuses_claims_that_json_cannot_hold() -> None:
    with pytest.raises(ValueError, match="JSON"):
        SIGNER.sign({"score": float("nan")}, typ="JWT")


@pytest.mark.parametrize(
    "jwks", [{}, {"keys": 3}, {"keys": [{"kty": "RSA"}]}, {"keys": [{"kty": "EC", "crv": "P-256"}]}]
)
def test_refuses_malformed_key_sets(jwks: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        keys_from_jwks(jwks)
