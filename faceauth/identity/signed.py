"""The bytes that a device key signs, and ES256 over them.

A raw key signs the bytes themselves: ECDSA on P-256 with SHA-256 (RFC 7518, 3.4). A WebAuthn credential signs its
own envelope, whose challenge is the SHA-256 of the same bytes. docs/devices.md has both with an example.
"""

import base64
import binascii
import hashlib
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from faceauth.errors import SignatureInvalid

SESSION: Final = b"faceauth session v1\x00"
BINDING: Final = b"faceauth device binding v1\x00"
"""What begins each kind of message, so that none passes for the other."""

_COORDINATE: Final = 32
"""Bytes of one coordinate, and of r or s (RFC 7518, 3.4 and 6.2.1)."""


def session_message(*, nonce: bytes, session_id: str, chain: bytes) -> bytes:
    """Return what a device signs of a session.

    Args:
        nonce: the challenge's, 16 bytes.
        session_id: the session's id.
        chain: the last hash over challenge and frames, 32 bytes (`faceauth.liveness.chain`).
    """
    return SESSION + nonce + session_id.encode() + chain


def binding_message(challenge: bytes) -> bytes:
    """Return what a raw key signs when it is bound, for a binding's challenge of 32 bytes."""
    return BINDING + challenge


def webauthn_challenge(message: bytes) -> bytes:
    """Return the challenge, 32 bytes, that a WebAuthn credential answers for a message."""
    return hashlib.sha256(message).digest()


def unpack(unverified_text: object, *, longest: int = 10_000) -> bytes:
    """Decode base64url without padding, which is how everything travels here.

    Raises:
        SignatureInvalid: it is none, or longer than so many characters.
    """
    if not isinstance(unverified_text, str) or len(unverified_text) > longest or not unverified_text.isascii():
        raise SignatureInvalid("It is no base64url.")
    try:
        return base64.b64decode(unverified_text + "=" * (-len(unverified_text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureInvalid("It is no base64url.") from error


def read_jwk(unverified_jwk: object) -> bytes:
    """Return the public key of an ES256 JWK (RFC 7517) as DER, SubjectPublicKeyInfo.

    Raises:
        SignatureInvalid: it is no public key on P-256, or holds a private part.
    """
    if not isinstance(unverified_jwk, dict) or "d" in unverified_jwk:
        raise SignatureInvalid("The key is no public JWK; keep its private part on the device.")
    if unverified_jwk.get("kty") != "EC" or unverified_jwk.get("crv") != "P-256":
        raise SignatureInvalid("The key is not on P-256; ES256 is the one algorithm.")
    x, y = (unpack(unverified_jwk.get(name), longest=44) for name in ("x", "y"))
    if len(x) != _COORDINATE or len(y) != _COORDINATE:
        raise SignatureInvalid("The key's coordinates have 32 bytes each.")
    try:
        numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), ec.SECP256R1())
        key = numbers.public_key()
    except ValueError as error:
        raise SignatureInvalid("The key is no point on P-256.") from error
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def check_es256(unverified_signature: bytes, message: bytes, *, key: bytes) -> None:
    """Return if the signature over the message is the key's.

    Args:
        unverified_signature: r and s, 32 bytes each (RFC 7518), or both in DER, as phones' key stores give them.
        message: what was signed.
        key: the public key, DER.

    Raises:
        SignatureInvalid: it is not.
    """
    public = load_der_public_key(key)
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise SignatureInvalid("The key is none of ES256.")
    der = unverified_signature
    # A DER signature of exactly 64 bytes needs an r and s six bytes short together: one in 2⁴⁸.
    if len(der) == 2 * _COORDINATE:
        r, s = der[:_COORDINATE], der[_COORDINATE:]
        der = encode_dss_signature(int.from_bytes(r), int.from_bytes(s))
    try:
        public.verify(der, message, ec.ECDSA(SHA256()))
    except InvalidSignature as error:
        raise SignatureInvalid("The signature is not this key's, or is over something else.") from error
