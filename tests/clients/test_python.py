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
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, get_args

import httpx
import pytest
from faceauth_client import AsyncFaceauth, Faceauth, Problem, UntrustedWebhook, check_webhook
from faceauth_client import _calls as calls
from faceauth_client._methods import Methods
from faceauth_client.answers import Answer
from faceauth_client.transport import TRIES

from tests.api.conftest import Service, clock, installation, made_once, service, settings

__all__ = ["clock", "installation", "made_once", "service", "settings"]

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
    seen = 0
    for name, call in every_call():
        operation = document["paths"][call.route][call.method.lower()]
        if call.body is not None:
            content = operation["requestBody"]["content"]["application/json"]
            known = resolved(document, content["schema"])
            assert set(call.body) == set(known["properties"]), name  # what cannot be said is missed some day
        success = next(one for status, one in operation["responses"].items() if status.startswith("2"))
        answer = resolved(document, success["content"]["application/json"]["schema"])
        reader = getattr(call.read, "__self__", None)
        if isinstance(reader, type) and issubclass(reader, Answer):
            assert {one.name for one in fields(reader)} <= set(answer["properties"]), name
            if name == "session":
                assert {one.name for one in fields(reader)} == set(answer["properties"])
        seen += 1
    assert seen == len([name for name in vars(Methods) if not name.startswith("_")])


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
