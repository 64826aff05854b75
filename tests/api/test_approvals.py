"""What takes two people, over HTTP: asked for with one key, approved with another, then done (R52, R53)."""

import httpx
import pytest

from faceauth.db.tenants import DEFAULT_TENANT
from tests.api.conftest import Service

DESTROY, APPROVALS = "/v1/admin/keys/destroy", "/v1/admin/approvals"


@pytest.fixture
def rotated(service: Service) -> Service:
    """A service with an old version of its key-encryption key, under which nothing is wrapped."""
    assert service.call("POST", "/v1/admin/keys/rotate", role="operator", json={}).status_code == 200
    return service


def ask(service: Service, role: str = "operator") -> dict[str, object]:
    answer = service.call("POST", DESTROY, role=role, json={"version": 1})
    assert answer.status_code == 200, answer.text
    told: dict[str, object] = answer.json()
    return told


def code(answer: httpx.Response) -> str:
    return str(answer.json()["code"])


def test_two_keys_destroy_a_version(rotated: Service) -> None:
    asked = ask(rotated)
    assert asked["destroyed"] is False
    place = f"{APPROVALS}/{asked['approval_id']}"
    own = rotated.call("POST", place, role="operator", json={"decision": "approve"})
    assert (own.status_code, code(own)) == (403, "not_allowed")
    assert ask(rotated) == asked
    given = rotated.call("POST", place, role="privacy", json={"decision": "approve"})
    assert given.json()["state"] == "approved"
    assert ask(rotated)["destroyed"] is True
    listed = rotated.call("GET", APPROVALS, role="operator").json()["approvals"]
    assert [(one["approval_id"], one["state"]) for one in listed] == [(asked["approval_id"], "used")]
    again = rotated.call("POST", DESTROY, role="operator", json={"version": 1})
    assert (again.status_code, code(again)) == (422, "invalid_request")


def test_a_second_operator_will_do_and_a_refusal_ends_it(rotated: Service) -> None:
    asked = ask(rotated)
    with rotated.installation.data.begin() as conn:
        rotated.secrets["second"] = rotated.installation.apikeys.create(
            conn, tenant=DEFAULT_TENANT, role="operator"
        ).secret
    place = f"{APPROVALS}/{asked['approval_id']}"
    assert rotated.call("POST", place, role="second", json={"decision": "approve"}).status_code == 200
    assert rotated.call("POST", place, role="operator", json={"decision": "reject"}).json()["state"] == "rejected"
    late = rotated.call("POST", place, role="second", json={"decision": "approve"})
    assert (late.status_code, code(late)) == (403, "approval_required")
    assert ask(rotated)["approval_id"] != asked["approval_id"]
    assert 1 in rotated.installation.place.load().kek


def test_others_neither_see_nor_decide(rotated: Service) -> None:
    """R53: nor does another tenant, for whom there is no such approval."""
    asked = ask(rotated)
    place = f"{APPROVALS}/{asked['approval_id']}"
    for role in ("application", "auditor", "other"):
        assert code(rotated.call("GET", APPROVALS, role=role)) == "not_allowed"
        assert code(rotated.call("POST", place, role=role, json={"decision": "approve"})) == "not_allowed"
        assert code(rotated.call("POST", DESTROY, role=role, json={"version": 1})) == "not_allowed"
    with rotated.installation.data.begin() as conn:
        rotated.secrets["elsewhere"] = rotated.installation.apikeys.create(
            conn, tenant="other", role="operator"
        ).secret
    elsewhere = rotated.call("POST", place, role="elsewhere", json={"decision": "approve"})
    assert (elsewhere.status_code, code(elsewhere)) == (404, "unknown_approval")
