"""Sessions, as the backend opens and reads them and as the device answers them."""

from base64 import urlsafe_b64encode
from datetime import datetime
from typing import Any, Final, Literal, Self

from pydantic import ConfigDict, Field, StrictBool

from faceauth.api.problems import ANOTHER_WAY
from faceauth.api.wire.base import Answer, At, Locale, Name, Request, ScenarioName, Text, with_example
from faceauth.types import Challenge, DeviceKeyPolicy, Purpose, Step, StepKind, Transaction

_CHALLENGE: Final[dict[str, Any]] = {
    "nonce": "q0z3Yw1m0cXhY0vE2b1nJw",
    "profile": "motion",
    "steps": [
        {"id": "s1", "kind": "center", "min_ms": 500},
        {"id": "s2", "kind": "turn_left", "min_ms": 800},
    ],
    "expires_at": "2026-03-01T12:05:00Z",
}


class TransactionRequest(Request):
    """One thing to confirm with a fresh face: the person sees exactly this text before the camera starts."""

    text: Text = Field(min_length=1, max_length=500, description="One line, as it is shown.")
    locale: Locale | None = Field(default=None, description="The text's language.")

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example({"text": "Pay 30.00 EUR to Bea's Books", "locale": "en"}),
    )


class SessionRequest(Request):
    """What a face is to be captured for."""

    purpose: Purpose
    scenario: ScenarioName
    account_id: Name | None = Field(default=None, description="Needed for all but identification (R8).")
    reauthenticated_at: At | None = Field(
        default=None, description="When the person proved another factor; needed to enrol (R14)."
    )
    liveness_level: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9+_-]{0,39}$",
        description="More liveness than the scenario asks for, never less; left out, it is the scenario's.",
    )
    transaction: TransactionRequest | None = Field(
        default=None, description="To verify only: the session is for this text and for nothing else."
    )
    veiled: StrictBool = Field(
        default=False,
        description="To verify only: open it whatever is in the person's way, for backends that hand it on "
        "before they look; it is denied in the end, and `reason` says why (docs/sameness.md).",
    )
    client_address: Text | None = Field(
        default=None,
        max_length=45,
        description="The IP address of the person's device: attempts are counted for it.",
    )
    client_device: Text | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Your own name for the device, such as a cookie's value; kept as a keyed mark for an hour.",
    )

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example({"purpose": "verify", "scenario": "login", "account_id": "user-42"}),
    )


class ColourAnswer(Answer):
    """One colour for the whole screen."""

    rgb: str = Field(description="As #rrggbb.")
    ms: int


class StepAnswer(Answer):
    """One thing to do before the camera. Left and right are the person's own."""

    id: str
    kind: StepKind
    min_ms: int
    colours: tuple[ColourAnswer, ...] = Field(default=(), description="What the screen shows during a flash.")

    @classmethod
    def of(cls, step: Step) -> Self:
        """Return one step as the device is told it."""
        colours = tuple(ColourAnswer(rgb=colour.rgb, ms=colour.ms) for colour in step.colours)
        return cls(id=step.id, kind=step.kind, min_ms=step.min_ms, colours=colours)


class TransactionAnswer(Answer):
    """What the session is for: show `text` before the camera starts; its SHA-256 is part of the challenge."""

    text: str
    locale: str | None = None
    sha256: str

    @classmethod
    def of(cls, transaction: Transaction) -> Self:
        """Return the transaction as the device is told it."""
        return cls(text=transaction.text or "", locale=transaction.locale, sha256=transaction.sha256.hex())


class ChallengeAnswer(Answer):
    """What the session must be answered with."""

    nonce: str
    profile: str
    steps: tuple[StepAnswer, ...]
    expires_at: datetime
    device_key: DeviceKeyPolicy = Field(
        default="none", description="Whether to sign with the device's key, if it has one (docs/devices.md)."
    )
    transaction: TransactionAnswer | None = None

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_CHALLENGE))

    @classmethod
    def of(cls, challenge: Challenge) -> Self:
        """Return the challenge as the device is told it."""
        return cls(
            nonce=urlsafe_b64encode(challenge.nonce).rstrip(b"=").decode(),
            profile=challenge.profile,
            steps=tuple(StepAnswer.of(step) for step in challenge.steps),
            expires_at=challenge.expires_at,
            device_key=challenge.device_key,
            transaction=None if challenge.transaction is None else TransactionAnswer.of(challenge.transaction),
        )


class SessionOpenedAnswer(Answer):
    """A session. Give `client_token` to the device or send the person to `capture_url`; both are told once."""

    session_id: str
    client_token: str
    expires_at: datetime
    challenge: ChallengeAnswer
    capture_url: str

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "session_id": "fs_0f1e2d3c4b5a69788796a5b4c3d2e1f0",
                "client_token": "fc_the-device-s-secret",
                "expires_at": "2026-03-01T12:05:00Z",
                "challenge": _CHALLENGE,
                "capture_url": "https://face.example/ui/capture#session=fs_0f1e…&token=fc_…",
            }
        ),
    )


class SessionAnswer(Answer):
    """A session as the backend may see it; `reason` and `id_token` never reach the device."""

    session_id: str
    purpose: Purpose
    scenario: str
    state: Literal["open", "accepted", "denied", "expired", "cancelled"]
    reason: str | None = None
    account_id: str | None = None
    reference_id: str | None = None
    id_token: str | None = None
    amr: tuple[str, ...] | None = None
    acr: str | None = None
    liveness_level: str | None = Field(
        default=None,
        description="The level of the challenge: it may be lower "
        "than the scenario's where the person chose no flashing colours.",
    )
    device_id: str | None = Field(default=None, description="The device key that signed an accepted session.")
    transaction_sha256: str | None = Field(default=None, description="Of the text that the session was for.")
    decided_at: datetime | None = None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "session_id": "fs_0f1e2d3c4b5a69788796a5b4c3d2e1f0",
                "purpose": "verify",
                "scenario": "login",
                "state": "accepted",
                "reason": None,
                "account_id": "user-42",
                "reference_id": "ref_0f1e2d3c4b5a69788796a5b4c3d2e1f0",
                "id_token": "eyJhbGciOiJFUzI1NiIsImtpZCI6Ii4uLiJ9.eyJzdWIiOiJ1c2VyLTQyIn0.c2ln",
                "amr": ["face"],
                "acr": "urn:faceauth:acr:face",
                "decided_at": "2026-03-01T12:01:04Z",
            }
        ),
    )


class CaptureAnswer(Answer):
    """All that a device learns of a post of frames: every denial is the same, byte for byte (R25)."""

    state: Literal["open", "accepted", "denied"]
    guidance: tuple[str, ...] = ()
    message: str = ANOTHER_WAY

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example({"state": "open", "guidance": ["too_dark"], "message": ANOTHER_WAY}),
    )


class ChallengeRequest(Request):
    """What the person wishes of the challenge, before the first frame."""

    flashes: Literal[False] = Field(description="False: a second motion in place of flashing colours.")

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example({"flashes": False}))


class CancelledAnswer(Answer):
    """The device does not want to go on."""

    state: Literal["cancelled"] = "cancelled"

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example({"state": "cancelled"}))
