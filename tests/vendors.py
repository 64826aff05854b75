"""Authenticators that attest as Android's, Apple's and FIDO U2F's do, with a maker of our own as the vendor.

Written from WebAuthn (W3C, Level 2), 8.4, 8.6 and 8.8, and from Android's schema of key attestation.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from tests.devices import AT, Authenticator, Maker, certificate, pack

Vendor = Literal["android-key", "apple", "fido-u2f"]

ANDROID = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.1.17")
APPLE = x509.ObjectIdentifier("1.2.840.113635.100.8.2")

GENERATED, IMPORTED = b"\x00", b"\x02"
"""Where a key comes from, as Android numbers it."""
SIGN, DECRYPT = b"\x02", b"\x01"
"""What a key is for."""


def der(tag: bytes, *parts: bytes) -> bytes:
    """Return one element of DER; its content is short."""
    content = b"".join(parts)
    assert len(content) < 128
    return tag + bytes([len(content)]) + content


def described(challenge: bytes, *, origin: bytes, purpose: bytes, everywhere: bool) -> bytes:
    """Return Android's KeyDescription: a key that is kept by the phone's trusted environment."""
    number, enumerated, octets, several, one = b"\x02", b"\x0a", b"\x04", b"\x31", b"\x30"
    kept = [
        der(b"\xa1", der(several, der(number, purpose))),
        der(b"\xbf\x84\x58", der(b"\x05")) if everywhere else b"",
        der(b"\xbf\x85\x3e", der(number, origin)),
    ]
    level = der(enumerated, b"\x01")
    head = [der(number, b"\x03"), level, der(number, b"\x04"), level]
    return der(one, *head, der(octets, challenge), der(octets), der(one), der(one, *kept))


@dataclass
class VendorDevice(Authenticator):
    """One credential, attested in its vendor's form.

    `says` overrides what Android's certificate says of the key; `for_key` is another key that the certificate is
    for; `of_client` is what stands in the certificate for the hash of what the browser said.
    """

    vendor: Vendor = "android-key"
    now: datetime | None = None
    says: Mapping[str, Any] = field(default_factory=dict)
    for_key: ec.EllipticCurvePrivateKey | None = None
    of_client: bytes | None = None

    def create(self, challenge: bytes) -> dict[str, Any]:
        """Answer ``navigator.credentials.create``, as toJSON() gives it."""
        client = self._client("webauthn.create", challenge)
        digest = hashlib.sha256(client).digest()
        data = self._data(AT) + self._attested()
        if self.vendor == "fido-u2f":
            data = data[:37] + bytes(16) + data[53:]  # U2F knows no models
        statement = {"android-key": self._android, "apple": self._apple, "fido-u2f": self._u2f}[self.vendor]
        made = cbor2.dumps({"fmt": self.vendor, "attStmt": statement(data, digest), "authData": data})
        return self._credential({"clientDataJSON": pack(client), "attestationObject": pack(made)})

    def _android(self, data: bytes, digest: bytes) -> dict[str, Any]:
        told = {"origin": GENERATED, "purpose": SIGN, "everywhere": False, **self.says}
        leaf = self._leaf(ANDROID, described(self.of_client or digest, **told))
        sig = self.key.sign(data + digest, ec.ECDSA(SHA256()))
        return {"alg": -7, "sig": sig, "x5c": [leaf, self._by.root.public_bytes(Encoding.DER)]}

    def _apple(self, data: bytes, digest: bytes) -> dict[str, Any]:
        nonce = hashlib.sha256(data + (self.of_client or digest)).digest()
        return {"x5c": [self._leaf(APPLE, der(b"\x30", der(b"\xa1", der(b"\x04", nonce))))]}

    def _u2f(self, _: bytes, digest: bytes) -> dict[str, Any]:
        numbers = (self.for_key or self.key).public_key().public_numbers()
        point = b"\x04" + numbers.x.to_bytes(32) + numbers.y.to_bytes(32)
        place = hashlib.sha256(self.rp_id.encode()).digest()
        signed = b"\x00" + place + (self.of_client or digest) + self.credential_id + point
        sig = self._by.key.sign(signed, ec.ECDSA(SHA256()))
        return {"sig": sig, "x5c": [self._by.leaf.public_bytes(Encoding.DER)]}

    @property
    def _by(self) -> Maker:
        assert self.maker is not None
        return self.maker

    def _leaf(self, oid: x509.ObjectIdentifier, value: bytes) -> bytes:
        assert self.now is not None
        made = certificate(
            "Key",
            self.for_key or self.key,
            "Root",
            self._by.root_key,
            self.now,
            ca=False,
            extensions=[x509.UnrecognizedExtension(oid, value)],
        )
        return made.public_bytes(Encoding.DER)
