"""Device keys: bound, listed, renamed, revoked."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Field

from faceauth.api.wire.base import Answer, At, Request, Text, with_example
from faceauth.identity.devices import Device

Label = Annotated[Text, Field(min_length=1, max_length=100, description="What the person calls the device.")]
Proof = Annotated[At | None, Field(description="When the person proved another factor, just now (R14).")]
Packed = Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9_-]+$")]

_DEVICE: Final[dict[str, Any]] = {
    "device_id": "device_0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "label": "Anna's phone",
    "kind": "webauthn",
    "hardware": False,
    "attested": "none",
    "created_at": "2026-03-01T12:00:00Z",
    "last_used_at": None,
}


class DeviceChallengeRequest(Request):
    """Which kind of key is to be bound."""

    kind: Literal["webauthn", "raw"]

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example({"kind": "webauthn"}))


class DeviceChallengeAnswer(Answer):
    """What the new key signs, in base64url. `options` go to ``navigator.credentials.create`` as they are."""

    challenge: str
    expires_at: datetime
    options: dict[str, Any] | None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "challenge": "3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "expires_at": "2026-03-01T12:05:00Z",
                "options": {"rp": {"id": "face.example", "name": "face.example"}, "challenge": "3q2-7w…"},
            }
        ),
    )


class JwkRequest(Request):
    """A public ES256 key (RFC 7517)."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: Packed
    y: Packed


class DeviceRequest(Request):
    """A new key with its answer to the challenge: a WebAuthn credential, or a raw key with a signature."""

    kind: Literal["webauthn", "raw"]
    label: Label
    reauthenticated_at: Proof = None
    credential: dict[str, Any] | None = Field(
        default=None, description="webauthn: the credential that was made, in WebAuthn's JSON (toJSON())."
    )
    jwk: JwkRequest | None = Field(default=None, description="raw: the public key.")
    signature: Packed | None = Field(
        default=None, description="raw: its signature over the challenge (docs/devices.md), in base64url."
    )

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "kind": "raw",
                "label": "Anna's phone",
                "reauthenticated_at": "2026-03-01T11:59:30Z",
                "jwk": {
                    "kty": "EC",
                    "crv": "P-256",
                    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                },
                "signature": "MEUCIQDVLU7m2e5yJv1u0bS0VbqJ",
            }
        ),
    )


class DeviceChange(Request):
    """Another label."""

    label: Label

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example({"label": "Old phone"}))


class DeviceAnswer(Answer):
    """One bound key, as its owner may see it."""

    device_id: str
    label: str
    kind: Literal["webauthn", "raw"]
    hardware: bool = Field(description="Whether attested hardware keeps it, and it cannot leave the device.")
    attested: str = Field(description="The format of its attestation that was verified, or none.")
    created_at: datetime
    last_used_at: datetime | None

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_DEVICE))

    @classmethod
    def of(cls, device: Device) -> Self:
        """Return a key as it is told."""
        return cls(
            device_id=device.device_id,
            label=device.label,
            kind=device.kind,
            hardware=device.hardware,
            attested=device.attestation,
            created_at=device.created_at,
            last_used_at=device.last_used_at,
        )


class DevicesAnswer(Answer):
    """The account's keys, the oldest first."""

    devices: tuple[DeviceAnswer, ...]

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example({"devices": [_DEVICE]}))


class DeviceRevokedAnswer(Answer):
    """The key is gone."""

    device_id: str
    state: Literal["revoked"] = "revoked"

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example({"device_id": _DEVICE["device_id"], "state": "revoked"}),
    )
