"""What the service answers, as it is read here. Fields that a newer service adds are left aside."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, Self, get_args, get_type_hints


@dataclass(frozen=True)
class Answer:
    """Base of all answers: read from JSON by its fields' names."""

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """Return the answer that a JSON object holds; times are read as such, what is not there is None."""
        types = get_type_hints(cls)
        return cls(**{one.name: _read(types[one.name], told.get(one.name)) for one in fields(cls)})


def _read(kind: Any, value: Any) -> Any:
    kinds = get_args(kind) or (kind,)
    if isinstance(value, str) and datetime in kinds:
        return datetime.fromisoformat(value)
    if isinstance(value, str) and date in kinds:
        return date.fromisoformat(value)
    if isinstance(value, list):
        return tuple(value)
    return value


@dataclass(frozen=True)
class NoticeVersion(Answer):
    """A notice as it is to be shown: by language the exact text with its SHA-256."""

    version: int
    state: str
    material: bool
    material_because: tuple[str, ...]
    substance: Mapping[str, Any] | None
    effective_at: datetime
    texts: Mapping[str, Mapping[str, str]] = field(repr=False)


@dataclass(frozen=True)
class Scenario(Answer):
    """One purpose; `notice` is the one in force."""

    scenario: str
    mode: str
    title: Mapping[str, str]
    retention_days: int
    state: str
    liveness_level: str
    flash_choice: bool
    device_key: str
    notice: NoticeVersion | None

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """Return the scenario with its notice."""
        notice = told.get("notice")
        return super().read({**told, "notice": None if notice is None else NoticeVersion.read(notice)})


@dataclass(frozen=True)
class Account(Answer):
    """An account as the service keeps it."""

    account_id: str
    locale: str | None
    birth_date: date | None
    contact: str | None
    guardian: Mapping[str, Any] | None
    created_at: datetime
    restricted_at: datetime | None


@dataclass(frozen=True)
class ConsentRecorded(Answer):
    """An answer that was recorded: `receipt` is for the person to keep, `alternative` tells of the other way."""

    consent_id: str
    state: str
    scenario: str
    notice_version: int
    receipt: str = field(repr=False)
    alternative: str


@dataclass(frozen=True)
class ConsentLine(Answer):
    """One line of the ledger."""

    consent_id: str
    state: str
    scenario: str
    notice_version: int
    notice_sha256: str
    locale: str
    event_at: datetime
    valid_until: datetime | None
    receipt: str = field(repr=False)


@dataclass(frozen=True)
class Receipts(Answer):
    """Signed receipts, and the key set that checks them."""

    receipts: tuple[str, ...] = field(repr=False)
    jwks: Mapping[str, Any]


@dataclass(frozen=True)
class Reference(Answer):
    """One stored face template, as far as anybody may know it."""

    reference_id: str
    scenario: str
    model: str
    created_at: datetime


@dataclass(frozen=True)
class Activity(Answer):
    """One thing that was done with the face."""

    at: datetime
    event: str
    scenario: str | None


@dataclass(frozen=True)
class Device(Answer):
    """A device key as its owner may see it: `hardware` says that attested hardware keeps it for good."""

    device_id: str
    label: str
    kind: str
    hardware: bool
    attested: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True)
class DeviceChallenge(Answer):
    """What a new key signs, in base64url; `options` go to ``navigator.credentials.create`` as they are."""

    challenge: str
    expires_at: datetime
    options: Mapping[str, Any] | None


@dataclass(frozen=True)
class Link(Answer):
    """An account that the person has elsewhere: `subject` at `provider`."""

    provider: str
    subject: str
    linked_at: datetime


@dataclass(frozen=True)
class OpenedSession(Answer):
    """A session: give `client_token` to the device, or send the person to `capture_url`."""

    session_id: str
    client_token: str = field(repr=False)
    expires_at: datetime
    challenge: Mapping[str, Any] = field(repr=False)
    capture_url: str = field(repr=False)


@dataclass(frozen=True)
class SessionState(Answer):
    """How a session stands. `reason` is for the backend alone: do not hand it on to the device."""

    session_id: str
    purpose: str
    scenario: str
    state: str
    reason: str | None
    account_id: str | None
    reference_id: str | None
    id_token: str | None = field(repr=False)
    amr: tuple[str, ...] | None
    acr: str | None
    liveness_level: str | None
    device_id: str | None
    transaction_sha256: str | None
    decided_at: datetime | None

    @property
    def over(self) -> bool:
        """Whether it will not change any more."""
        return self.state != "open"


@dataclass(frozen=True)
class MintedFlow(Answer):
    """A link to the hosted page: notice, camera, and back to your `return_url`."""

    flow_id: str
    flow_url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class Flow(Answer):
    """How a flow stands; with a `session_id` the session says the rest."""

    flow_id: str
    account_id: str
    scenario: str
    purpose: str
    state: str
    reason: str | None
    session_id: str | None
    expires_at: datetime


@dataclass(frozen=True)
class PrivacyLink(Answer):
    """A link to the privacy page, opened once; `flow_id` is that of the renewal, if there is one."""

    privacy_url: str = field(repr=False)
    expires_at: datetime
    flow_id: str | None


@dataclass(frozen=True)
class Standing(Answer):
    """Whether a token still holds, and what it says while it does; times in seconds since 1970."""

    active: bool
    iss: str | None
    sub: str | None
    aud: str | None
    iat: int | None
    nbf: int | None
    exp: int | None
    jti: str | None
    auth_time: int | None
    acr: str | None
    amr: tuple[str, ...] | None
    scenario: str | None
    transaction_sha256: str | None
