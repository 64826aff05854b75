"""The Python client: what it asks is in the OpenAPI document, and the service understands it."""

import asyncio
import base64
import hashlib
import hmac
import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from faceauth_client import AsyncFaceauth, Faceauth, Problem, UntrustedWebhook, check_webhook
from faceauth_client import _calls as calls
from faceauth_client._methods import Methods
from faceauth_client.answers import Answer
from faceauth_client.transport import TRIES

from faceauth.identity.signed import binding_message, unpack
from tests.api.conftest import Service, clock, installation, made_once, service, settings
from tests.api.test_tokens import log_in
from tests.devices import RawDevice

__all__ = ["clock", "installation", "made_once", "service", "settings"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "clients.md"
METHODS = {name for name in vars(Methods) if not name.startswith("_")}
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

EXAMPLES: dict[str, dict[str, Any]] = {
    "put_account": {"account_id": "a", "locale": "en", "contact": "c", "guardian": {}, "birth_date": NOW.date()},
    "restrict": {"account_id": "a", "restricted": True},
    "notice": {"scenario": "login", "version": 1, "locale": "en"},
    "answer": {
        "account_id": "a",
        "scenario": "login",
        "decision": "given",
        "notice_version": 1,
        "notice_sha256": "0",
        "locale": "en",
        "text": "Yes",
        "method": "checkbox",
    },
    "open_session": {
        "purpose": "verify",
        "scenario": "login",
        "account_id": "a",
        "reauthenticated_at": NOW,
        "liveness_level": "motion",
        "transaction": {"text": "Pay"},
        "veiled": True,
        "client_address": "192.0.2.7",
        "client_device": "d",
    },
    "introspect": {"token": "x.y.z", "once": True},
    "restore_attempts": {"account_id": "a", "reauthenticated_at": NOW},
    "bind_device": {
        "account_id": "a",
        "kind": "raw",
        "label": "Phone",
        "reauthenticated_at": NOW,
        "credential": {},
        "jwk": {},
        "signature": "0",
    },
    "privacy_link": {"account_id": "a", "renewal": {"scenario": "login"}},
    "mint_flow": {
        "account_id": "a",
        "scenario": "login",
        "purpose": "verify",
        "return_url": "https://shop.example/",
        "reauthenticated_at": NOW,
        "locale": "en",
    },
}
"""Every argument that a call takes; the others take ids."""

OTHERS = {"admin", "device", "person", "service", "openid"}
"""Whose operations the clients leave to others (docs/clients.md)."""

LEFT_OUT = {("export", "form")}
"""The query that no client asks (docs/clients.md)."""


def backends(document: dict[str, Any]) -> set[tuple[str, str]]:
    """Return method and route of what a backend may ask with its key; of the rest it needs the key set."""
    asked = {
        (method.upper(), route)
        for route, methods in document["paths"].items()
        for method, operation in methods.items()
        if not OTHERS & set(operation["tags"])
    }
    return asked | {("GET", "/oauth2/jwks")}


def every_call() -> Iterator[tuple[str, calls.Call[Any]]]:
    for name, make in vars(calls).items():
        if inspect.isfunction(make) and make.__module__ == calls.__name__ and not name.startswith("_"):
            given = EXAMPLES.get(name) or dict.fromkeys(inspect.signature(make).parameters, "x")
            yield name, make(**given)


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def test_every_call_is_in_the_document(service: Service) -> None:
    """A route, a body's field or an answer's field that is renamed breaks this."""
    document = service.app.openapi()
    seen = set()
    for name, call in every_call():
        operation = document["paths"][call.route][call.method.lower()]
        if call.body is not None:
            content = operation["requestBody"]["content"]["application/json"]
            known = resolved(document, content["schema"])
            assert set(call.body) == set(known["properties"]), name  # what cannot be said is missed some day
        told = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
        assert {(name, one) for one in told} - LEFT_OUT == {(name, one) for one in call.query}
        success = next(one for status, one in operation["responses"].items() if status.startswith("2"))
        answer = resolved(document, success["content"]["application/json"]["schema"])
        read = call.read
        if isinstance(read, calls._Each):
            answer, read = resolved(document, answer["properties"][read.name]["items"]), read.read
        reader = getattr(read, "__self__", None)
        if isinstance(reader, type) and issubclass(reader, Answer):
            assert {one.name for one in fields(reader)} == set(answer["properties"]), name
        seen.add((name, call.method, call.route))
    assert {name for name, _, _ in seen} == METHODS
    assert {(method, route) for _, method, route in seen} == backends(document)


def test_the_page_names_every_method_and_what_is_left_out(service: Service) -> None:
    document, page = service.app.openapi(), PAGE.read_text(encoding="utf-8")
    asked = page.partition("## What they ask")[2].partition("\nA device key")[0]
    named = set(re.findall(r"`(\w+)`", asked.partition("|---|---|")[2]))
    assert named == METHODS
    left = tuple(re.findall(r"`(/[^`]+)`", page.partition("## What they leave out")[2].partition("\n## ")[0]))
    routes = {route for _, route in backends(document)}
    assert {route for route in document["paths"] if not route.startswith(left)} == routes


def test_a_method_takes_what_its_call_is_made_of() -> None:
    """Of the class it is the call, with its help; of a client it is sent."""
    assert inspect.signature(Faceauth.mint_flow) == inspect.signature(calls.mint_flow)
    with Faceauth("https://face.example", "fa_1") as face:
        assert inspect.getdoc(face.flow) == "How the flow stands. Ask when the person comes back."
        assert list(inspect.signature(face.flow).parameters) == ["flow_id"]


@pytest.fixture
def face(service: Service) -> Iterator[Faceauth]:
    """The client, talking to a real service."""
    transport = service.http._transport
    with Faceauth("http://testserver", service.secrets["application"], transport=transport) as made:
        yield made


def test_a_persons_story(face: Faceauth) -> None:
    """From the account to its end, with every answer read."""
    account = face.put_account("anna", locale="en", birth_date=datetime(1990, 5, 17, tzinfo=UTC).date())
    assert (account.account_id, account.birth_date) == ("anna", datetime(1990, 5, 17, tzinfo=UTC).date())
    (login,) = [one for one in face.scenarios() if one.scenario == "login"]
    assert login.notice is not None
    text = login.notice.texts["en"]
    assert face.notice("login", login.notice.version, locale="en").texts == {"en": text}
    given = face.answer(
        "anna",
        scenario="login",
        decision="given",
        notice_version=login.notice.version,
        notice_sha256=text["sha256"],
        locale="en",
        text="I agree",
    )
    assert given.state == "given"
    assert [one.state for one in face.consents("anna")] == ["given"]
    opened = face.open_session(purpose="verify", scenario="login", account_id="anna")
    assert opened.client_token not in repr(opened)
    found = face.session(opened.session_id)
    assert (found.state, found.over, found.account_id) == ("open", False, "anna")
    confirmed = face.open_session(
        purpose="verify", scenario="login", account_id="anna", transaction={"text": "Pay"}, client_device="d"
    )
    assert face.session(confirmed.session_id).transaction_sha256 == sha256(b"Pay").hexdigest()
    assert face.privacy_link("anna").privacy_url.startswith("http")
    assert face.restrict("anna", restricted=True).restricted_at is not None
    assert face.references("anna") == ()
    assert {one.event for one in face.activity("anna")} >= {"person:consent:given"}
    assert face.export("anna")["account"]["account_id"] == "anna"
    assert face.withdraw("anna", "login").count(".") == 2
    assert face.introspect("x.y.z").active is False
    assert face.jwks()["keys"]
    assert face.close_account("anna").count(".") == 2
    with pytest.raises(Problem) as gone:
        face.account("anna")
    assert (gone.value.status, gone.value.code) == (404, "unknown_account")
    assert gone.value.request_id


def test_a_device_key_is_bound_renamed_and_revoked(face: Faceauth, service: Service) -> None:
    """R17's other side: the backend hands on what the device answers."""
    face.put_account("anna")
    with pytest.raises(Problem, match="WebAuthn needs a domain"):
        face.device_challenge("anna", kind="webauthn")
    device, asked = RawDevice(), face.device_challenge("anna", kind="raw")
    bound = face.bind_device(
        "anna",
        kind="raw",
        label="Phone",
        reauthenticated_at=service.clock(),
        jwk=device.jwk,
        signature=device.sign(binding_message(unpack(asked.challenge))),
    )
    assert (bound.label, bound.kind, bound.hardware, bound.last_used_at) == ("Phone", "raw", False, None)
    renamed = face.rename_device("anna", bound.device_id, label="Old phone")
    assert face.devices("anna") == (renamed,)
    assert (renamed.device_id, renamed.label) == (bound.device_id, "Old phone")
    face.revoke_device("anna", bound.device_id)
    assert face.devices("anna") == ()
    with pytest.raises(Problem) as gone:
        face.revoke_device("anna", bound.device_id)
    assert gone.value.code == "unknown_device"


def test_an_account_elsewhere_is_linked_and_unlinked(face: Faceauth) -> None:
    face.put_account("anna")
    made = face.put_link("anna", "wallet", subject="248289761001")
    assert (made.provider, made.subject, made.linked_at.tzinfo) == ("wallet", "248289761001", UTC)
    assert face.link("anna", "wallet") == made
    other = face.put_link("anna", "bank", subject="7")
    assert set(face.links("anna")) == {made, other}
    assert face.delete_link("anna", "wallet") == (other,)
    with pytest.raises(Problem) as gone:
        face.link("anna", "wallet")
    assert gone.value.code == "unknown_link"


def test_attempts_start_again_after_another_factor(face: Faceauth, service: Service) -> None:
    """R10."""
    service.session()
    for _ in range(100):
        with service.installation.data.begin() as conn:
            service.installation.attempts.charge(conn, tenant="default", account="anna", pad=True)
        service.clock.forward(3600)
    with pytest.raises(Problem) as locked:
        face.open_session(purpose="verify", scenario="login", account_id="anna")
    assert locked.value.code == "locked"
    with pytest.raises(Problem) as stale:
        face.restore_attempts("anna", reauthenticated_at=service.clock() - timedelta(hours=1))
    assert stale.value.code == "reauthentication_required"
    assert face.restore_attempts("anna", reauthenticated_at=service.clock()) is True
    assert face.restore_attempts("anna", reauthenticated_at=service.clock()) is False
    assert face.open_session(purpose="verify", scenario="login", account_id="anna").session_id


def test_a_token_is_asked_about_and_revoked(face: Faceauth, service: Service) -> None:
    token = log_in(service)
    found = face.introspect(token)
    assert (found.active, found.sub, found.aud, found.amr) == (True, "anna", "default", ("face",))
    assert found.jti is not None
    assert face.session(found.jti).amr == ("face",)
    face.revoke_token(token)
    face.revoke_token("nonsense")
    assert face.introspect(token).active is False


def test_receipts_are_taken_along_with_their_keys(face: Faceauth, service: Service) -> None:
    service.account()
    service.consent()
    face.withdraw("anna", "login")
    kept = face.receipts("anna")
    assert {one.count(".") for one in kept.receipts} == {2}
    assert len(kept.receipts) == len(face.consents("anna")) + 1
    assert kept.receipts[0] not in repr(kept)
    assert kept.jwks == face.jwks()


@pytest.mark.parametrize("odd", [".", ".."])
def test_no_id_is_a_way_up(face: Faceauth, odd: str) -> None:
    with pytest.raises(ValueError, match="provider cannot be"):
        face.delete_link("anna", odd)


def test_ids_cannot_leave_their_place(face: Faceauth) -> None:
    with pytest.raises(Problem) as refused:
        face.account("../sessions")
    assert refused.value.code in {"invalid_request", "not_found"}


def test_the_other_client_awaits_the_same() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer fa_1"
        return httpx.Response(200, json={"flow_id": "ff_1", "state": "open"})

    async def ask() -> str:
        async with AsyncFaceauth("https://face.example", "fa_1", transport=httpx.MockTransport(answer)) as face:
            return (await face.flow("ff_1")).state

    assert asyncio.run(ask()) == "open"


@pytest.fixture(params=[429, 503])
def full(request: pytest.FixtureRequest) -> httpx.MockTransport:
    """A service that has room for the last try only."""
    asked: list[str] = []

    def answer(asking: httpx.Request) -> httpx.Response:
        asked.append(asking.url.path)
        status = request.param if len(asked) < TRIES else 200
        return httpx.Response(status, headers={"retry-after": "2"}, json={"keys": []})

    return httpx.MockTransport(answer)


def test_a_full_service_is_asked_again_when_it_says(full: httpx.MockTransport) -> None:
    """R59."""
    waited: list[float] = []
    with Faceauth("https://face.example", "fa_1", transport=full, sleep=waited.append) as face:
        assert face.jwks() == {"keys": []}
    assert waited == [2.0] * (TRIES - 1)


def test_the_other_client_asks_again_too(full: httpx.MockTransport) -> None:
    """R59."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async def ask() -> dict[str, Any]:
        async with AsyncFaceauth("https://face.example", "fa_1", transport=full, sleep=sleep) as face:
            return await face.jwks()

    assert asyncio.run(ask()) == {"keys": []}
    assert waited == [2.0] * (TRIES - 1)


def test_an_answer_that_is_none_is_a_problem() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(502, text="<html>"))
    with Faceauth("https://face.example", "fa_1", transport=transport) as face, pytest.raises(Problem) as told:
        face.jwks()
    assert (told.value.status, told.value.code) == (502, "unknown")


KEY = b"k" * 32
SECRET = "whsec_" + base64.b64encode(KEY).decode()
BODY = b'{"type": "consent.requested", "data": {}}'


def signed(body: bytes = BODY, *, moment: int = 1_000) -> dict[str, str]:
    mac = hmac.new(KEY, f"msg_1.{moment}.".encode() + body, hashlib.sha256).digest()
    signature = "v1,b3RoZXI= v1," + base64.b64encode(mac).decode()
    return {"Webhook-Id": "msg_1", "Webhook-Timestamp": str(moment), "Webhook-Signature": signature}


def test_a_genuine_webhook_is_read() -> None:
    assert check_webhook(BODY, signed(), SECRET, now=lambda: 1_100) == json.loads(BODY)


@pytest.mark.parametrize(
    ("body", "headers", "now"),
    [
        (BODY + b" ", signed(), 1_000),
        (BODY, signed(b"{}"), 1_000),
        (BODY, signed(), 2_000),
        (BODY, {}, 1_000),
        (BODY, signed() | {"Webhook-Timestamp": "soon"}, 1_000),
    ],
)
def test_any_other_webhook_is_refused(body: bytes, headers: dict[str, str], now: int) -> None:
    """R26's other side: the receiver checks too."""
    with pytest.raises(UntrustedWebhook):
        check_webhook(body, headers, SECRET, now=lambda: now)


def test_purposes_are_the_services() -> None:
    assert set(get_args(calls.Purpose)) == {"enrol", "verify", "identify"}
    assert not re.search(r"\bscore\b", inspect.getsource(calls))
