"""What a device key signs, and ES256 over it: every way to get it wrong is told apart from a signature."""

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from faceauth.errors import SignatureInvalid
from faceauth.identity.signed import (
    binding_message,
    check_es256,
    read_jwk,
    session_message,
    unpack,
    webauthn_challenge,
)
from tests.devices import RawDevice, pack

NONCE, CHAIN = bytes(range(16)), bytes(range(32))
MESSAGE = session_message(nonce=NONCE, session_id="fs_1", chain=CHAIN)


def test_the_message_is_as_documented() -> None:
    """docs/devices.md: a device in another language computes the same bytes."""
    assert b"faceauth session v1\x00" + NONCE + b"fs_1" + CHAIN == MESSAGE
    assert webauthn_challenge(MESSAGE) == hashlib.sha256(MESSAGE).digest()
    assert binding_message(CHAIN) == b"faceauth device binding v1\x00" + CHAIN


def test_both_encodings_of_a_signature_hold_for_its_key_alone() -> None:
    """RFC 7518, 3.4, and DER as key stores of phones give it."""
    device, other = RawDevice(), RawDevice()
    key = read_jwk(device.jwk)
    for der in (False, True):
        check_es256(unpack(device.sign(MESSAGE, der=der)), MESSAGE, key=key)
        with pytest.raises(SignatureInvalid):
            check_es256(unpack(device.sign(MESSAGE, der=der)), MESSAGE + b"x", key=key)
        with pytest.raises(SignatureInvalid):
            check_es256(unpack(other.sign(MESSAGE, der=der)), MESSAGE, key=key)


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        bytes(64),
        b"\xff" * 64,
        bytes(63),
        bytes(65),
        b"0" * 70,
        encode_dss_signature(0, 0),
        encode_dss_signature(1, 1),
    ],
)
def test_what_is_no_signature_is_refused(signature: bytes) -> None:
    """R4: zeros too, which broken libraries have taken (CVE-2022-21449)."""
    with pytest.raises(SignatureInvalid):
        check_es256(signature, MESSAGE, key=read_jwk(RawDevice().jwk))


GOOD = RawDevice().jwk


@pytest.mark.parametrize(
    "jwk",
    [
        *(None, [], "key", {}, {**GOOD, "d": "AA"}, {**GOOD, "kty": "RSA"}, {**GOOD, "crv": "P-384"}),
        *({**GOOD, "x": "AA"}, {**GOOD, "x": GOOD["y"]}, {**GOOD, "y": pack(bytes(32))}, {**GOOD, "x": 5}),
        *(
            {**GOOD, "x": "é" * 43},
            {**GOOD, "x": "!" * 43},
            {**GOOD, "x": "A" * 100},
            {"kty": "EC", "crv": "P-256"},
        ),
    ],
)
def test_only_a_public_key_on_p256_is_read(jwk: Any) -> None:
    """A point that is not on the curve is none."""
    with pytest.raises(SignatureInvalid):
        read_jwk(jwk)


def test_a_stored_key_of_another_kind_checks_nothing() -> None:
    """R4."""
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415  here alone

    key = ed25519.Ed25519PrivateKey.generate().public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(SignatureInvalid):
        check_es256(bytes(64), MESSAGE, key=der)
    assert isinstance(RawDevice().key.curve, ec.SECP256R1)
