"""Around every request: ids, headers, limits, CORS, logs and counters."""

import json
import os

import pytest
import structlog

from faceauth.api.app import create_app
from faceauth.errors import ConfigurationError
from faceauth.installation import Installation
from tests.api.client import TestClient
from tests.api.conftest import Service

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_may_ask_for_the_head_alone(service: Service, path: str) -> None:
    told = service.http.head(path)
    assert (told.status_code, told.content) == (200, b"")


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/metrics", "/openapi.json", "/oauth2/jwks", "/v1/scenarios", "/nowhere", "/"]
)
def test_every_answer_wears_the_headers(service: Service, path: str) -> None:
    """R19."""
    answer = service.http.get(path)
    for name, value in HEADERS.items():
        assert answer.headers[name] == value, name
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-request-id"].startswith("req_")
    assert "strict-transport-security" not in answer.headers


def test_https_is_insisted_on_where_the_issuer_has_it(installation: Installation) -> None:
    object.__setattr__(installation.settings, "issuer", "https://face.example")
    with TestClient(create_app(installation)) as http:
        assert "max-age" in http.get("/healthz").headers["strict-transport-security"]


def test_a_request_id_is_taken_over_if_it_is_one(service: Service) -> None:
    for given, kept in (("trace-0123456789", True), ("x", False), ("a" * 65, False), ("a b c d e f g", False)):
        told = service.http.get("/healthz", headers={"X-Request-Id": given}).headers["x-request-id"]
        assert (told == given) is kept


def test_what_is_not_there_is_a_problem_too(service: Service) -> None:
    for method, path, status, code in (
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/docs", 404, "not_found"),
        ("GET", "/v1/scenarios/", 404, "not_found"),
        ("PATCH", "/v1/scenarios", 405, "method_not_allowed"),
        ("GET", "/ui/static/../../settings.py", 404, "not_found"),
        ("GET", "/ui/static/%2e%2e/%2e%2e/settings.py", 404, "not_found"),
    ):
        answer = service.http.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_too_large_is_not_read(service: Service) -> None:
    """R58: announced or not."""
    headers = {"Content-Type": "application/json"}
    announced = service.call("PUT", "/v1/accounts/anna", content=b"x" * 1_100_000, headers=headers)
    streamed = service.call("PUT", "/v1/accounts/anna", content=iter([b"x" * 70_000] * 20), headers=headers)
    for answer in (announced, streamed):
        assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")


def test_an_error_that_nobody_foresaw_tells_nothing(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a path, a password")

    monkeypatch.setattr(type(service.installation.scenarios), "list", fail)
    with structlog.testing.capture_logs() as logs:
        answer = service.call("GET", "/v1/scenarios")
    body = answer.json()
    assert (answer.status_code, body["code"]) == (500, "internal")
    assert "password" not in answer.text
    assert answer.headers["x-frame-options"] == "DENY"
    assert [log["event"] for log in logs] == ["request.unhandled", "request"]


def test_cors_is_an_allow_list(service: Service) -> None:
    """R19."""
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    path = "/v1/sessions/fs_x/frames"
    good = service.http.options(path, headers={"Origin": "https://shop.example"} | asks)
    assert good.headers["access-control-allow-origin"] == "https://shop.example"
    assert "access-control-allow-credentials" not in good.headers
    for origin in ("https://evil.example", "https://shop.example.evil.example", "null", "http://shop.example"):
        bad = service.http.options(path, headers={"Origin": origin} | asks)
        assert "access-control-allow-origin" not in bad.headers
        plain = service.http.get("/healthz", headers={"Origin": origin})
        assert "access-control-allow-origin" not in plain.headers


def test_a_star_is_no_allow_list(installation: Installation) -> None:
    installation.settings.cors_origins.append("*")
    with pytest.raises(ConfigurationError):
        create_app(installation)


def test_the_log_and_the_counters_name_routes_and_no_people(service: Service) -> None:
    """R24, R50: templates instead of paths, and never a credential."""
    with structlog.testing.capture_logs() as logs:
        opened = service.session("anna-canary")
        service.post_frames(opened)
        service.call("GET", "/nowhere/anna-canary")
    written = json.dumps(logs, default=str) + service.http.get("/metrics").text
    for secret in ("anna-canary", opened["session_id"], opened["client_token"], service.secrets["application"]):
        assert secret not in written
    routes = {log["route"] for log in logs if log["event"] == "request"}
    assert {"/v1/accounts/{account_id}", "/v1/sessions/{session_id}/frames", "none"} <= routes


def test_metrics_count_answers_and_judged_posts(service: Service) -> None:
    service.post_frames(service.session())
    text = service.http.get("/metrics").text
    assert 'faceauth_session_posts_total{state="denied"} 1.0' in text
    assert 'route="/v1/sessions/{session_id}/frames",status="200"} 1.0' in text
    assert "score" not in text


def test_readiness_asks_the_databases(service: Service) -> None:
    assert service.http.get("/readyz").json() == {"status": "ok"}
    path = service.installation.data.path
    assert path is not None
    path.rename(path.with_suffix(".gone"))
    answer = service.http.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "storage")
    assert str(path) not in answer.text
    assert service.http.get("/healthz").status_code == 200


def test_a_service_that_cannot_write_is_not_ready(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bad input of issue 2: data folder read-only. Every login would be refused, so none is to be sent here."""
    with monkeypatch.context() as patched:
        patched.setattr(os, "access", lambda _path, mode: not mode & os.W_OK)
        answer = service.http.get("/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "storage")
        refused = service.call("PUT", "/v1/accounts/anna", json={})
        assert (refused.status_code, refused.json()["code"]) == (503, "storage")
    assert service.http.get("/readyz").status_code == 200


def test_the_published_keys_hold_no_private_part(service: Service) -> None:
    (key,) = service.http.get("/oauth2/jwks").json()["keys"]
    assert "d" not in key
    assert key["crv"] == "P-256"


def test_two_apps_do_not_mix_their_counters(installation: Installation) -> None:
    with TestClient(create_app(installation)) as first, TestClient(create_app(installation)) as second:
        first.get("/healthz")
        assert "/healthz" in first.get("/metrics").text
        assert "/healthz" not in second.get("/metrics").text


def test_readiness_waits_for_the_index_and_health_does_not(service: Service) -> None:
    """A restart must not send people to a service that finds nobody yet."""
    service.installation.index.hold()
    answer = service.http.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "starting")
    assert int(answer.headers["retry-after"]) > 0
    assert service.http.get("/healthz").status_code == 200
    service.installation.index.release()
    assert service.http.get("/readyz").status_code == 200
