"""Every call, made once for both clients: what is asked, where, and how the answer is read."""

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
    Flow,
    MintedFlow,
    NoticeVersion,
    OpenedSession,
    PrivacyLink,
    Reference,
    Scenario,
    SessionState,
    Standing,
)

T = TypeVar("T")
Purpose = Literal["enrol", "verify", "identify"]


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
        """The path with its values, each escaped whole."""
        return self.route.format(**{name: quote(str(value), safe="") for name, value in self.values.items()})


def _given(**facts: Any) -> dict[str, Any]:
    """Return what was given, in JSON's types."""
    return {name: _plain(value) for name, value in facts.items() if value is not None}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value


def _each(name: str, read: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    return lambda told: tuple(read(one) for one in told[name])


def scenarios() -> Call[tuple[Scenario, ...]]:
    return Call("GET", "/v1/scenarios", _each("scenarios", Scenario.read))


def notice(scenario: str, version: int, locale: str | None) -> Call[NoticeVersion]:
    values: dict[str, str | int] = {"scenario": scenario, "version": version}
    query = _given(locale=locale)
    return Call("GET", "/v1/scenarios/{scenario}/notices/{version}", NoticeVersion.read, values, query=query)


def put_account(account_id: str, **facts: Any) -> Call[Account]:
    return Call("PUT", "/v1/accounts/{account_id}", Account.read, {"account_id": account_id}, _given(**facts))


def account(account_id: str) -> Call[Account]:
    return Call("GET", "/v1/accounts/{account_id}", Account.read, {"account_id": account_id})


def close_account(account_id: str) -> Call[str]:
    values = {"account_id": account_id}
    return Call("DELETE", "/v1/accounts/{account_id}", lambda told: str(told["receipt"]), values)


def export(account_id: str) -> Call[dict[str, Any]]:
    values = {"account_id": account_id}
    return Call("GET", "/v1/accounts/{account_id}/export", lambda told: dict(told["export"]), values)


def activity(account_id: str) -> Call[tuple[Activity, ...]]:
    read = _each("activity", Activity.read)
    return Call("GET", "/v1/accounts/{account_id}/activity", read, {"account_id": account_id})


def restrict(account_id: str, restricted: bool) -> Call[Account]:  # noqa: FBT001  the client names it
    body = {"restricted": restricted}
    return Call("PUT", "/v1/accounts/{account_id}/restriction", Account.read, {"account_id": account_id}, body)


def privacy_link(account_id: str, renewal: Mapping[str, Any] | None) -> Call[PrivacyLink]:
    route, body = "/v1/accounts/{account_id}/privacy-link", None if renewal is None else {"renewal": dict(renewal)}
    return Call("POST", route, PrivacyLink.read, {"account_id": account_id}, body)


def answer(account_id: str, **said: Any) -> Call[ConsentRecorded]:
    text = said.pop("text")
    affirmation = {"method": said.pop("method"), "checked_by_default": False, "text": text}
    body = {**_given(**said), "affirmation": affirmation}
    return Call(
        "POST", "/v1/accounts/{account_id}/consents", ConsentRecorded.read, {"account_id": account_id}, body
    )


def consents(account_id: str) -> Call[tuple[ConsentLine, ...]]:
    read = _each("consents", ConsentLine.read)
    return Call("GET", "/v1/accounts/{account_id}/consents", read, {"account_id": account_id})


def withdraw(account_id: str, scenario: str) -> Call[str]:
    values = {"account_id": account_id, "scenario": scenario}
    route = "/v1/accounts/{account_id}/consents/{scenario}"
    return Call("DELETE", route, lambda told: str(told["receipt"]), values)


def references(account_id: str) -> Call[tuple[Reference, ...]]:
    read = _each("references", Reference.read)
    return Call("GET", "/v1/accounts/{account_id}/references", read, {"account_id": account_id})


def delete_reference(account_id: str, reference_id: str) -> Call[str]:
    values = {"account_id": account_id, "reference_id": reference_id}
    route = "/v1/accounts/{account_id}/references/{reference_id}"
    return Call("DELETE", route, lambda told: str(told["receipt"]), values)


def open_session(**wanted: Any) -> Call[OpenedSession]:
    return Call("POST", "/v1/sessions", OpenedSession.read, body=_given(**wanted))


def session(session_id: str) -> Call[SessionState]:
    return Call("GET", "/v1/sessions/{session_id}", SessionState.read, {"session_id": session_id})


def mint_flow(**wanted: Any) -> Call[MintedFlow]:
    return Call("POST", "/v1/flows", MintedFlow.read, body=_given(**wanted))


def flow(flow_id: str) -> Call[Flow]:
    return Call("GET", "/v1/flows/{flow_id}", Flow.read, {"flow_id": flow_id})


def introspect(token: str) -> Call[Standing]:
    return Call("POST", "/v1/tokens/introspect", Standing.read, body={"token": token})


def jwks() -> Call[dict[str, Any]]:
    return Call("GET", "/oauth2/jwks", dict)
