"""What a key opens, and that nothing is told without one (R53)."""

import pytest

from tests.api.conftest import Service


def test_only_applications_act_for_people(service: Service) -> None:
    """R53: no admin role reads or answers for a person."""
    service.account()
    for role in ("operator", "privacy", "auditor"):
        for method, path in (("GET", "/v1/accounts/anna"), ("GET", "/v1/scenarios"), ("POST", "/v1/sessions")):
            answer = service.call(method, path, role=role, json={})
            assert answer.json()["code"] == "not_allowed"


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic Zm9v", "Bearer fa_" + "A" * 43, "fa_x", "Bearer é"]
)
def test_without_a_key_every_route_says_the_same(service: Service, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    seen = set()
    for method, path in (
        ("GET", "/v1/scenarios"),
        ("PUT", "/v1/accounts/anna"),
        ("POST", "/v1/sessions"),
        ("GET", "/v1/sessions/fs_x"),
        ("POST", "/v1/admin/scenarios"),
        ("POST", "/v1/admin/keys/rotate"),
    ):
        answer = service.http.request(method, path, headers=headers, json={})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.json()["code"] == "not_authenticated"
        seen.add(answer.json()["detail"])
    assert len(seen) == 1
