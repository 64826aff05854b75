"""Introspection, revocation and the end of a lock-out, over HTTP."""

from datetime import timedelta

from faceauth.capture.session import Outcome
from tests.api.conftest import Service


def log_in(service: Service) -> str:
    """Return the token of a session that was accepted."""
    opened = service.session()
    here = service.installation
    with here.data.begin() as conn:
        session = here.desk.sessions.for_device(
            conn, session_id=opened["session_id"], client_token=opened["client_token"]
        )
        outcome = Outcome("accepted", account="anna", reference_id="reference_1")
        here.desk.sessions.decide(conn, session, outcome, now=service.clock())
    token: str = service.call("GET", f"/v1/sessions/{opened['session_id']}").json()["id_token"]
    return token


def test_introspection_speaks_rfc_7662(service: Service) -> None:
    token = log_in(service)
    answer = service.call("POST", "/v1/tokens/introspect", json={"token": token}).json()
    at = int(service.clock().timestamp())
    assert answer == {
        "active": True,
        "iss": "http://127.0.0.1:8000",
        "sub": "anna",
        "aud": "default",
        "iat": at,
        "nbf": at,
        "exp": at + 300,
        "jti": answer["jti"],
        "auth_time": at,
        "acr": "urn:faceauth:acr:face",
        "amr": ["face"],
        "scenario": "login",
    }
    for role, body in (("other", {"token": token}), ("application", {"token": token + "x"})):
        assert service.call("POST", "/v1/tokens/introspect", role=role, json=body).json() == {"active": False}


def test_revoking_answers_alike_whatever_it_was(service: Service) -> None:
    token = log_in(service)
    for sent in ("nonsense", token, token):
        answer = service.call("POST", "/v1/tokens/revoke", json={"token": sent})
        assert (answer.status_code, answer.json()) == (200, {"active": False})
    assert service.call("POST", "/v1/tokens/introspect", json={"token": token}).json() == {"active": False}


def test_once_is_once(service: Service) -> None:
    body = {"token": log_in(service), "once": True}
    answers = [service.call("POST", "/v1/tokens/introspect", json=body).json()["active"] for _ in range(2)]
    assert answers == [True, False]


def test_only_applications_ask(service: Service) -> None:
    for role in ("operator", "privacy", "auditor"):
        for path in ("introspect", "revoke"):
            assert service.call("POST", f"/v1/tokens/{path}", role=role, json={"token": "x"}).status_code == 403


def test_another_factor_unlocks_the_face(service: Service) -> None:
    """R10: and no old proof, none of the future, and nobody's who is not there."""
    service.session()
    attempts = service.installation.attempts
    for _ in range(100):
        with service.installation.data.begin() as conn:
            attempts.charge(conn, tenant="default", account="anna", pad=True)
        service.clock.forward(3600)
    body = {"purpose": "verify", "scenario": "login", "account_id": "anna"}
    assert service.call("POST", "/v1/sessions", json=body).json()["code"] == "locked"
    path, now = "/v1/accounts/anna/attempts/restore", service.clock()
    for wrong in (now - timedelta(seconds=301), now + timedelta(seconds=31)):
        answer = service.call("POST", path, json={"reauthenticated_at": wrong.isoformat()})
        assert answer.json()["code"] == "reauthentication_required"
    proof = {"reauthenticated_at": now.isoformat()}
    assert service.call("POST", "/v1/accounts/nobody/attempts/restore", json=proof).status_code == 404
    assert service.call("POST", path, role="other", json=proof).status_code == 404
    answer = service.call("POST", path, json=proof)
    assert answer.json() == {"account_id": "anna", "was_disabled": True}
    assert service.call("POST", path, json=proof).json()["was_disabled"] is False
    assert service.call("POST", "/v1/sessions", json=body).status_code == 201


def test_a_veiled_session_opens_for_anybody(service: Service) -> None:
    """R25: the answer of opening is of one shape, whoever it is for."""
    service.account()
    service.consent()
    shapes = set()
    for account in ("anna", "nobody"):
        body = {"purpose": "verify", "scenario": "login", "account_id": account, "veiled": True}
        answer = service.call("POST", "/v1/sessions", json=body)
        assert answer.status_code == 201
        told = answer.json()
        shapes.add((frozenset(told), frozenset(told["challenge"]), told["expires_at"], len(told["client_token"])))
    assert len(shapes) == 1


def test_an_address_that_is_none_is_refused(service: Service) -> None:
    service.account()
    service.consent()
    body = {"purpose": "verify", "scenario": "login", "account_id": "anna", "client_address": "anna's"}
    assert service.call("POST", "/v1/sessions", json=body).json()["code"] == "invalid_request"
    body["client_address"] = "2001:db8::1"
    assert service.call("POST", "/v1/sessions", json=body | {"client_device": "cookie-1"}).status_code == 201
