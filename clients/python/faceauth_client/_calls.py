"""Every call, written once for both clients: what is asked, where, and how the answer is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from faceauth_client.answers import (
    Account,
    Activity,
    ConsentLine,
    ConsentRecorded,
    Device,
    DeviceChallenge,
    Flow,
    Link,
    MintedFlow,
    NoticeVersion,
    OpenedSession,
    PrivacyLink,
    Receipts,
    Reference,
    Scenario,
    SessionState,
    Standing,
)

T = TypeVar("T")
Purpose = Literal["enrol", "verify", "identify"]
KeyKind = Literal["webauthn", "raw"]


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request: `route` is the path as the OpenAPI document has it, `values` what goes into it."""

    method: str
    route: str
    read: Callable[[Any], T]
    values: Mapping[str, str | int] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The path with its values, each escaped whole.

        Raises:
            ValueError: a value is ``.`` or ``..``, which no escaping keeps in its place.
        """
        if odd := [name for name, value in self.values.items() if value in {".", ".."}]:
            raise ValueError(f"{odd[0]} cannot be . or .., which would lead elsewhere.")
        return self.route.format(**{name: quote(str(value), safe="") for name, value in self.values.items()})


def _given(**facts: Any) -> dict[str, Any]:
    """Return what was given, in JSON's types."""
    return {name: _plain(value) for name, value in facts.items() if value is not None}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value


@dataclass(frozen=True)
class _Each(Generic[T]):
    """Reads a list of answers, by the name it is told under."""

    name: str
    read: Callable[[Any], T]

    def __call__(self, told: Any) -> tuple[T, ...]:
        return tuple(self.read(one) for one in told[self.name])


def _nothing(_: Any) -> None:
    """Read nothing: that there was an answer says it all."""


def _receipt(told: Any) -> str:
    return str(told["receipt"])


def scenarios() -> Call[tuple[Scenario, ...]]:
    """Every scenario, with the notice in force."""
    return Call("GET", "/v1/scenarios", _Each("scenarios", Scenario.read))


def notice(scenario: str, version: int, *, locale: str | None = None) -> Call[NoticeVersion]:
    """Any version ever shown."""
    values: dict[str, str | int] = {"scenario": scenario, "version": version}
    query = _given(locale=locale)
    return Call("GET", "/v1/scenarios/{scenario}/notices/{version}", NoticeVersion.read, values, query=query)


def put_account(
    account_id: str,
    *,
    locale: str | None = None,
    birth_date: date | None = None,
    contact: str | None = None,
    guardian: dict[str, Any] | None = None,
) -> Call[Account]:
    """Make sure the account exists; a fact left out stays as it is."""
    body = _given(locale=locale, birth_date=birth_date, contact=contact, guardian=guardian)
    return Call("PUT", "/v1/accounts/{account_id}", Account.read, {"account_id": account_id}, body)


def account(account_id: str) -> Call[Account]:
    """What is kept about the account itself."""
    return Call("GET", "/v1/accounts/{account_id}", Account.read, {"account_id": account_id})


def close_account(account_id: str) -> Call[str]:
    """Close it: everything goes. Returns the signed deletion receipt."""
    return Call("DELETE", "/v1/accounts/{account_id}", _receipt, {"account_id": account_id})


def export(account_id: str) -> Call[dict[str, Any]]:
    """The person's data, machine readable."""
    values = {"account_id": account_id}
    return Call("GET", "/v1/accounts/{account_id}/export", lambda told: dict(told["export"]), values)


def receipts(account_id: str) -> Call[Receipts]:
    """Every consent and deletion receipt of the person, with the keys that check them, to be taken anywhere."""
    return Call("GET", "/v1/accounts/{account_id}/receipts", Receipts.read, {"account_id": account_id})


def activity(account_id: str) -> Call[tuple[Activity, ...]]:
    """What was done with the face, the oldest first."""
    read = _Each("activity", Activity.read)
    return Call("GET", "/v1/accounts/{account_id}/activity", read, {"account_id": account_id})


def restrict(account_id: str, *, restricted: bool) -> Call[Account]:
    """Suspend every use of the face without erasing it, or allow it again."""
    body = {"restricted": restricted}
    return Call("PUT", "/v1/accounts/{account_id}/restriction", Account.read, {"account_id": account_id}, body)


def restore_attempts(account_id: str, *, reauthenticated_at: datetime) -> Call[bool]:
    """Start the attempts again after another factor; returns whether face login had been switched off."""
    route, body = "/v1/accounts/{account_id}/attempts/restore", _given(reauthenticated_at=reauthenticated_at)
    return Call("POST", route, lambda told: bool(told["was_disabled"]), {"account_id": account_id}, body)


def privacy_link(account_id: str, *, renewal: Mapping[str, Any] | None = None) -> Call[PrivacyLink]:
    """A link to the person's privacy page, opened once; `renewal` lets them set their face up anew there."""
    route, body = "/v1/accounts/{account_id}/privacy-link", None if renewal is None else {"renewal": dict(renewal)}
    return Call("POST", route, PrivacyLink.read, {"account_id": account_id}, body)


def answer(
    account_id: str,
    *,
    scenario: str,
    decision: Literal["given", "refused"],
    notice_version: int,
    notice_sha256: str,
    locale: str,
    text: str,
    method: Literal["checkbox", "signature", "oral"] = "checkbox",
) -> Call[ConsentRecorded]:
    """Record the person's own answer to the very text they saw; `text` stood beside the unticked box."""
    body = {
        "scenario": scenario,
        "decision": decision,
        "notice_version": notice_version,
        "notice_sha256": notice_sha256,
        "locale": locale,
        "affirmation": {"method": method, "checked_by_default": False, "text": text},
    }
    return Call(
        "POST", "/v1/accounts/{account_id}/consents", ConsentRecorded.read, {"account_id": account_id}, body
    )


def consents(account_id: str) -> Call[tuple[ConsentLine, ...]]:
    """Everything the person ever answered."""
    read = _Each("consents", ConsentLine.read)
    return Call("GET", "/v1/accounts/{account_id}/consents", read, {"account_id": account_id})


def withdraw(account_id: str, scenario: str) -> Call[str]:
    """Withdraw: the face is erased. Returns the signed deletion receipt."""
    values = {"account_id": account_id, "scenario": scenario}
    return Call("DELETE", "/v1/accounts/{account_id}/consents/{scenario}", _receipt, values)


def references(account_id: str) -> Call[tuple[Reference, ...]]:
    """The stored templates, as far as anybody may know them."""
    read = _Each("references", Reference.read)
    return Call("GET", "/v1/accounts/{account_id}/references", read, {"account_id": account_id})


def delete_reference(account_id: str, reference_id: str) -> Call[str]:
    """Erase one template. Returns the signed deletion receipt."""
    values = {"account_id": account_id, "reference_id": reference_id}
    return Call("DELETE", "/v1/accounts/{account_id}/references/{reference_id}", _receipt, values)


def devices(account_id: str) -> Call[tuple[Device, ...]]:
    """The account's device keys, the oldest first."""
    return Call(
        "GET", "/v1/accounts/{account_id}/devices", _Each("devices", Device.read), {"account_id": account_id}
    )


def device_challenge(account_id: str, *, kind: KeyKind) -> Call[DeviceChallenge]:
    """What the account's next key must sign; asking again forgets the one before."""
    route, values = "/v1/accounts/{account_id}/devices/challenge", {"account_id": account_id}
    return Call("POST", route, DeviceChallenge.read, values, {"kind": kind})


def bind_device(
    account_id: str,
    *,
    kind: KeyKind,
    label: str,
    reauthenticated_at: datetime,
    credential: Mapping[str, Any] | None = None,
    jwk: Mapping[str, str] | None = None,
    signature: str | None = None,
) -> Call[Device]:
    """Bind the key that answered the challenge, after another factor.

    A `webauthn` key comes as `credential`, which is what the browser's ``toJSON()`` says; a `raw` one as `jwk`
    with its `signature` over the challenge, in base64url.
    """
    body = _given(
        kind=kind,
        label=label,
        reauthenticated_at=reauthenticated_at,
        credential=None if credential is None else dict(credential),
        jwk=None if jwk is None else dict(jwk),
        signature=signature,
    )
    return Call("POST", "/v1/accounts/{account_id}/devices", Device.read, {"account_id": account_id}, body)


def rename_device(account_id: str, device_id: str, *, label: str) -> Call[Device]:
    """Give a device key another label."""
    route, values = (
        "/v1/accounts/{account_id}/devices/{device_id}",
        {"account_id": account_id, "device_id": device_id},
    )
    return Call("PUT", route, Device.read, values, {"label": label})


def revoke_device(account_id: str, device_id: str) -> Call[None]:
    """Revoke a device key: it proves nothing from now on, in sessions that are under way neither."""
    values = {"account_id": account_id, "device_id": device_id}
    return Call("DELETE", "/v1/accounts/{account_id}/devices/{device_id}", _nothing, values)


def links(account_id: str) -> Call[tuple[Link, ...]]:
    """The person's accounts elsewhere."""
    return Call("GET", "/v1/accounts/{account_id}/links", _Each("links", Link.read), {"account_id": account_id})


def link(account_id: str, provider: str) -> Call[Link]:
    """The person's account at one provider."""
    values = {"account_id": account_id, "provider": provider}
    return Call("GET", "/v1/accounts/{account_id}/links/{provider}", Link.read, values)


def put_link(account_id: str, provider: str, *, subject: str) -> Call[Link]:
    """Link the account elsewhere that you found to be this person's: `subject` is its name there."""
    values = {"account_id": account_id, "provider": provider}
    return Call("PUT", "/v1/accounts/{account_id}/links/{provider}", Link.read, values, {"subject": subject})


def delete_link(account_id: str, provider: str) -> Call[tuple[Link, ...]]:
    """Take a link away; returns those that are left."""
    values = {"account_id": account_id, "provider": provider}
    return Call("DELETE", "/v1/accounts/{account_id}/links/{provider}", _Each("links", Link.read), values)


def open_session(
    *,
    purpose: Purpose,
    scenario: str,
    account_id: str | None = None,
    reauthenticated_at: datetime | None = None,
    liveness_level: str | None = None,
    transaction: dict[str, str] | None = None,
    veiled: bool | None = None,
    client_address: str | None = None,
    client_device: str | None = None,
) -> Call[OpenedSession]:
    """Open a session; enrolling needs a fresh `reauthenticated_at` by another factor.

    Attempts are counted for a network and a device only where you tell `client_address` and `client_device`; a
    network also where devices connect to the service themselves.
    """
    body = _given(
        purpose=purpose,
        scenario=scenario,
        account_id=account_id,
        reauthenticated_at=reauthenticated_at,
        liveness_level=liveness_level,
        transaction=transaction,
        veiled=veiled,
        client_address=client_address,
        client_device=client_device,
    )
    return Call("POST", "/v1/sessions", OpenedSession.read, body=body)


def session(session_id: str) -> Call[SessionState]:
    """How the session stands; after an acceptance, with a token."""
    return Call("GET", "/v1/sessions/{session_id}", SessionState.read, {"session_id": session_id})


def mint_flow(
    *,
    account_id: str,
    scenario: str,
    purpose: Literal["enrol", "verify"],
    return_url: str,
    reauthenticated_at: datetime | None = None,
    locale: str | None = None,
) -> Call[MintedFlow]:
    """A link to the hosted page: notice, camera, and back."""
    body = _given(
        account_id=account_id,
        scenario=scenario,
        purpose=purpose,
        return_url=return_url,
        reauthenticated_at=reauthenticated_at,
        locale=locale,
    )
    return Call("POST", "/v1/flows", MintedFlow.read, body=body)


def flow(flow_id: str) -> Call[Flow]:
    """How the flow stands. Ask when the person comes back."""
    return Call("GET", "/v1/flows/{flow_id}", Flow.read, {"flow_id": flow_id})


def introspect(token: str, *, once: bool = False) -> Call[Standing]:
    """Whether a token still holds: after a withdrawal it does not. With `once` it holds this once."""
    return Call("POST", "/v1/tokens/introspect", Standing.read, body={"token": token, "once": once})


def revoke_token(token: str) -> Call[None]:
    """End a token before its time; one that is none, or is over, is no error."""
    return Call("POST", "/v1/tokens/revoke", _nothing, body={"token": token})


def jwks() -> Call[dict[str, Any]]:
    """The keys that tokens and receipts are checked with."""
    return Call("GET", "/oauth2/jwks", dict)
