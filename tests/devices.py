"""Devices in software: a raw ES256 key, and a WebAuthn authenticator, which itself or its maker may attest.

Written from WebAuthn (W3C, Level 2): 6.1 authenticator data, 6.5 attestation, 8.2 packed, 8.7 none.
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from faceauth.binding import Binding
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.identity.devices import Device
from faceauth.identity.signed import binding_message, session_message, webauthn_challenge
from faceauth.liveness.chain import chain_of
from faceauth.pipeline import SessionAnswer
from faceauth.sessions import OpenedSession
from tests.service import RED, Service, frames

ORIGIN = "http://localhost:8000"
RP_ID = "localhost"

UP, UV, BE, AT = 0x01, 0x04, 0x08, 0x40
"""Flags: somebody was there, was recognised, the key may be backed up, credential data follow (WebAuthn, 6.1)."""


def pack(raw: bytes) -> str:
    """Encode as base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class RawDevice:
    """A key without any envelope."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    device_id: str = ""

    @property
    def jwk(self) -> dict[str, str]:
        numbers = self.key.public_key().public_numbers()
        return {
            "kty": "EC",
            "crv": "P-256",
            "x": pack(numbers.x.to_bytes(32)),
            "y": pack(numbers.y.to_bytes(32)),
        }

    def sign(self, message: bytes, *, der: bool = False) -> str:
        """Return r and s, or both in DER."""
        made = self.key.sign(message, ec.ECDSA(SHA256()))
        r, s = decode_dss_signature(made)
        return pack(made if der else r.to_bytes(32) + s.to_bytes(32))

    def bind(self, service: Service, account: str = "anna", label: str = "App") -> Device:
        """Bind it as an application does that has just seen the person sign in."""
        binding = Binding.of(service.installation)
        asked = binding.ask(tenant=DEFAULT_TENANT, account=account, kind="raw")
        bound = binding.bind_raw(
            self.jwk,
            self.sign(binding_message(asked.challenge)),
            tenant=DEFAULT_TENANT,
            account=account,
            label=label,
            reauthenticated_at=service.clock(),
            actor="test",
        )
        self.device_id = bound.device_id
        return bound

    def answer(self, message: bytes) -> dict[str, Any]:
        """Return what is sent with the frames."""
        return {"kind": "raw", "device_id": self.device_id, "signature": self.sign(message)}


class Maker:
    """Whoever makes authenticators: a root certificate, and one below it that attests each batch."""

    def __init__(self, now: datetime) -> None:
        self.root_key, self.key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.root = certificate("Root", self.root_key, "Root", self.root_key, now, ca=True)
        self.leaf = certificate("Batch", self.key, "Root", self.root_key, now, ca=False)

    def write(self, folder: Path, kind: str = "packed") -> Path:
        """Write the root certificate where the settings look for it; return the folder."""
        (folder / kind).mkdir(parents=True, exist_ok=True)
        (folder / kind / "maker.pem").write_bytes(self.root.public_bytes(Encoding.PEM))
        return folder


def certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    by: ec.EllipticCurvePrivateKey,
    now: datetime,
    *,
    ca: bool,
    extensions: Sequence[x509.UnrecognizedExtension] = (),
) -> x509.Certificate:
    """Return a certificate for a key, signed by another."""

    def called(name: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Authenticator Attestation"),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )

    made = (
        x509.CertificateBuilder()
        .subject_name(called(name))
        .issuer_name(called(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    for extension in extensions:
        made = made.add_extension(extension, critical=False)
    return made.sign(by, SHA256())


@dataclass
class Authenticator:
    """One credential of a WebAuthn authenticator. `counts` says whether it counts its signatures."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    origin: str = ORIGIN
    rp_id: str = RP_ID
    flags: int = UP | UV
    counts: bool = True
    counter: int = 0
    attests: Literal["none", "self", "maker"] = "none"
    maker: Maker | None = None
    algorithm: int = -7

    @property
    def credential_id(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        return hashlib.sha256(numbers.x.to_bytes(66)).digest()

    def create(self, challenge: bytes) -> dict[str, Any]:
        """Answer ``navigator.credentials.create``, as toJSON() gives it."""
        client = self._client("webauthn.create", challenge)
        data = self._data(AT) + self._attested()
        statement = self._statement(data + hashlib.sha256(client).digest())
        kind = "none" if self.attests == "none" else "packed"
        made = cbor2.dumps({"fmt": kind, "attStmt": statement, "authData": data})
        return self._credential({"clientDataJSON": pack(client), "attestationObject": pack(made)})

    def get(self, challenge: bytes) -> dict[str, Any]:
        """Answer ``navigator.credentials.get``, as toJSON() gives it."""
        client, data = self._client("webauthn.get", challenge), self._data()
        signed = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._credential(
            {
                "clientDataJSON": pack(client),
                "authenticatorData": pack(data),
                "signature": pack(signed),
                "userHandle": None,
            }
        )

    def bind(self, service: Service, account: str = "anna", label: str = "Phone") -> Device:
        """Bind it as an application does that has just seen the person sign in."""
        binding = Binding.of(service.installation)
        asked = binding.ask(tenant=DEFAULT_TENANT, account=account, kind="webauthn")
        return binding.bind_webauthn(
            self.create(asked.challenge),
            tenant=DEFAULT_TENANT,
            account=account,
            label=label,
            reauthenticated_at=service.clock(),
            actor="test",
        )

    def answer(self, message: bytes) -> dict[str, Any]:
        """Return what is sent with the frames."""
        return {"kind": "webauthn", "assertion": self.get(webauthn_challenge(message))}

    def _client(self, kind: str, challenge: bytes) -> bytes:
        said = {"type": kind, "challenge": pack(challenge), "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _data(self, more: int = 0) -> bytes:
        self.counter += self.counts
        flags = bytes([self.flags | more])
        return hashlib.sha256(self.rp_id.encode()).digest() + flags + self.counter.to_bytes(4)

    def _attested(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        size = (self.key.curve.key_size + 7) // 8
        curve = {"secp256r1": 1, "secp384r1": 2}[self.key.curve.name]
        cose = {1: 2, 3: self.algorithm, -1: curve, -2: numbers.x.to_bytes(size), -3: numbers.y.to_bytes(size)}
        name = self.credential_id
        return bytes(15) + b"\x01" + len(name).to_bytes(2) + name + cbor2.dumps(cose)

    def _statement(self, signed: bytes) -> dict[str, Any]:
        if self.attests == "self":
            return {"alg": -7, "sig": self.key.sign(signed, ec.ECDSA(SHA256()))}
        if self.attests == "maker" and self.maker is not None:
            sig = self.maker.key.sign(signed, ec.ECDSA(SHA256()))
            return {"alg": -7, "sig": sig, "x5c": [self.maker.leaf.public_bytes(Encoding.DER)]}
        return {}

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        name = pack(self.credential_id)
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
        }


def message_of(opened: OpenedSession, parts: list[bytes], timeline: list[dict[str, Any]]) -> bytes:
    """Return what a device signs of a post."""
    chain = chain_of(opened.challenge, zip([entry["t_ms"] for entry in timeline], parts, strict=True))
    return session_message(nonce=opened.challenge.nonce, session_id=opened.session_id, chain=chain.digest)


def post(
    service: Service,
    opened: OpenedSession,
    by: RawDevice | Authenticator,
    colour: tuple[int, int, int] = RED,
    *,
    seed: int,
    **change: Any,
) -> SessionAnswer:
    """Post a fresh burst with the device's signature; `change` is put over what the device sends."""
    parts = frames(colour, seed=1000 + seed)
    timeline = [{"step": opened.challenge.steps[0].id, "t_ms": 80 * number} for number in range(len(parts))]
    signature = by.answer(message_of(opened, parts, timeline)) | change
    return service.installation.pipeline.submit(
        opened.session_id, opened.client_token, parts, timeline, signature=signature
    )
