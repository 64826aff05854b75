"""Step-up: a fresh face for one transaction, bound to its text."""

import hashlib
from typing import Any

import pytest
from sqlalchemy import text as sql

from faceauth.capture.session import Outcome, SessionStore
from faceauth.db.tenants import DEFAULT_TENANT
from tests.api.conftest import Service

TEXT = "Pay 30.00 EUR to Bea's Books"
DIGEST = hashlib.sha256(TEXT.encode()).hexdigest()


def open_for(service: Service, text: str = TEXT) -> dict[str, Any]:
    return service.session(transaction={"text": text, "locale": "en"})


def told(service: Service, opened: dict[str, Any]) -> Any:
    headers = {"Authorization": f"Bearer {opened['client_token']}"}
    return service.http.get(f"/v1/sessions/{opened['session_id']}/challenge", headers=headers)


def kept(service: Service, opened: dict[str, Any]) -> str:
    """Everything that the database holds of the session, as text."""
    with service.installation.data.read() as conn:
        row = conn.execute(
            sql("SELECT * FROM sessions WHERE session_id = :one"), {"one": opened["session_id"]}
        ).one()
    return repr(tuple(row))


def test_the_device_is_told_the_text_and_its_digest(service: Service) -> None:
    """It shows the one and hashes the other."""
    opened = open_for(service)
    wanted = {"text": TEXT, "locale": "en", "sha256": DIGEST}
    assert opened["challenge"]["transaction"] == wanted
    assert told(service, opened).json()["transaction"] == wanted
    assert service.session()["challenge"]["transaction"] is None


def test_the_token_is_for_that_text_alone(service: Service) -> None:
    """The backend compares the digest with that of the text it will act on."""
    opened = open_for(service)
    installation = service.installation
    with installation.data.begin() as conn:
        store = SessionStore()
        session = store.for_backend(
            conn, tenant=DEFAULT_TENANT, session_id=opened["session_id"], now=service.clock()
        )
        store.decide(conn, session, Outcome("accepted", account="anna"), now=service.clock())
    answer = service.call("GET", f"/v1/sessions/{opened['session_id']}").json()
    assert answer["transaction_sha256"] == DIGEST
    claims = installation.tokens.check(answer["id_token"], expected_audience=DEFAULT_TENANT)
    assert claims.transaction_sha256 == DIGEST
    assert TEXT not in kept(service, opened)


def test_the_text_goes_when_the_session_is_over(service: Service) -> None:
    """It is the person's business, and the digest proves it: cancelled, expired or forgotten, it is not kept."""
    cancelled = open_for(service)
    assert TEXT in kept(service, cancelled)
    headers = {"Authorization": f"Bearer {cancelled['client_token']}"}
    service.http.post(f"/v1/sessions/{cancelled['session_id']}/cancel", headers=headers)
    expired, unread = open_for(service), open_for(service)
    service.clock.forward(400)
    service.call("GET", f"/v1/sessions/{expired['session_id']}")
    with service.installation.data.begin() as conn:
        SessionStore().forget_texts(conn, now=service.clock())
    for opened in (cancelled, expired, unread):
        assert TEXT not in kept(service, opened)
        assert DIGEST in kept(service, opened)


def test_closing_the_account_takes_the_text_of_an_open_session(service: Service) -> None:
    """R40: nothing of the person stays."""
    opened = open_for(service)
    assert service.call("DELETE", "/v1/accounts/anna").status_code == 200
    assert TEXT not in kept(service, opened)


@pytest.mark.parametrize("text", ["", "a\nb", "Pay \u202e03", "x" * 501, " Pay"])
def test_a_text_that_cannot_be_seen_as_it_is_opens_nothing(service: Service, text: str) -> None:
    """422, before anything is stored."""
    service.account()
    service.consent()
    body = {"purpose": "verify", "scenario": "login", "account_id": "anna", "transaction": {"text": text}}
    assert service.call("POST", "/v1/sessions", json=body).status_code == 422


def test_only_a_session_that_verifies_is_for_a_transaction(service: Service) -> None:
    """Enrolment and search confirm nothing."""
    service.account()
    service.consent()
    body = {
        "purpose": "enrol",
        "scenario": "login",
        "account_id": "anna",
        "reauthenticated_at": service.clock().isoformat(),
        "transaction": {"text": TEXT},
    }
    answer = service.call("POST", "/v1/sessions", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
