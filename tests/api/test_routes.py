"""The routes of the application's backend, over real stores."""

from datetime import timedelta
from typing import Any

import pytest

from faceauth.signing import CONSENT_RECEIPT, DELETION_RECEIPT
from tests.api.conftest import Service


def code(answer: Any) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["status"] == answer.status_code
    found: str = body["code"]
    return found


def test_scenarios_come_with_the_notice_to_show(service: Service) -> None:
    (login,) = service.call("GET", "/v1/scenarios").json()["scenarios"]
    assert (login["scenario"], login["mode"], login["state"]) == ("login", "verify", "active")
    assert {"en", "zh"} <= set(login["notice"]["texts"])
    one = service.call("GET", "/v1/scenarios/login/notices/1?locale=en").json()
    assert one["texts"] == {"en": login["notice"]["texts"]["en"]}
    assert code(service.call("GET", "/v1/scenarios/login/notices/2")) == "unknown_notice"
    assert code(service.call("GET", "/v1/scenarios/login/notices/1?locale=fr")) == "unknown_notice"
    assert code(service.call("GET", "/v1/scenarios/payment/notices/1")) == "unknown_scenario"
    for odd in ("0", "-1", "x", "99999999999999999999999"):
        assert code(service.call("GET", f"/v1/scenarios/login/notices/{odd}")) == "invalid_request"


def test_an_account_is_made_once_and_keeps_its_facts(service: Service) -> None:
    body = {"locale": "zh", "birth_date": "1990-05-17", "contact": "anna@example.org"}
    made = service.call("PUT", "/v1/accounts/anna", json=body)
    assert made.status_code == 200
    again = service.call("PUT", "/v1/accounts/anna", json={})
    assert again.json() == made.json() == service.call("GET", "/v1/accounts/anna").json()
    assert made.json()["birth_date"] == "1990-05-17"
    assert code(service.call("GET", "/v1/accounts/nobody")) == "unknown_account"


@pytest.mark.parametrize(
    "body",
    [
        {"birth_date": "9999-01-01"},
        {"birth_date": "tomorrow"},
        {"contact": "a\x00b"},
        {"contact": "x" * 321},
        {"locale": "english please"},
        {"guardian": {"name": "\x00"}},
        {"guardian": "mother"},
        {"nickname": "x"},
        [],
        "text",
    ],
)
def test_refuses_odd_accounts(service: Service, body: object) -> None:
    """R58: a clear refusal, whatever comes."""
    assert code(service.call("PUT", "/v1/accounts/anna", json=body)) == "invalid_request"


def test_a_body_may_be_left_out_where_nothing_in_it_is_needed(service: Service) -> None:
    """The contract's routes work as they stand in it: `curl -X PUT …/accounts/anna` makes sure she is there."""
    assert service.call("PUT", "/v1/accounts/anna").json()["account_id"] == "anna"
    assert service.call("POST", "/v1/admin/keys/rotate", role="operator").json()["version"] == 2


@pytest.mark.parametrize("account", ["a b", "a" * 201, "ann%00a", "%F0%9F%98%80", "a%0Ab"])
def test_refuses_odd_account_ids(service: Service, account: str) -> None:
    assert code(service.call("PUT", f"/v1/accounts/{account}", json={})) == "invalid_request"


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[" * 100_000,
        b'{"contact": "\\ud800"}',
        b"\xff\xfe",
        b'{"guardian":{"n":' + b"9" * 5000 + b"}}",
    ],
)
def test_refuses_broken_json(service: Service, raw: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = service.call("PUT", "/v1/accounts/anna", content=raw, headers=headers)
    assert code(answer) == "invalid_request"


def test_json_that_does_not_say_so_is_told_what_is_missing(service: Service) -> None:
    """`curl -d` sends a form's content type unless told otherwise."""
    for kind in ("application/x-www-form-urlencoded", "text/plain; charset=utf-8"):
        answer = service.call(
            "PUT", "/v1/accounts/anna", content=b'{"locale":"en"}', headers={"Content-Type": kind}
        )
        assert code(answer) == "invalid_request"
        assert "Content-Type: application/json" in answer.json()["detail"]
    answer = service.call("PUT", "/v1/accounts/anna", json=["en"])
    assert "Content-Type" not in answer.json()["detail"]


def test_what_was_sent_is_never_quoted(service: Service) -> None:
    answer = service.call("PUT", "/v1/accounts/anna", json={"locale": "a secret sent in the wrong place"})
    assert "secret" not in answer.text


def test_consent_is_recorded_with_a_receipt_that_can_be_checked(service: Service) -> None:
    path = service.account()
    body = service.consent()
    (line,) = service.call("GET", f"{path}/consents").json()["consents"]
    assert (line["state"], line["scenario"], line["notice_version"]) == ("given", "login", 1)
    assert line["notice_sha256"] == body["notice_sha256"]
    claims = service.installation.signer.check(line["receipt"], expected_typ=CONSENT_RECEIPT)
    assert claims["sub"] == "anna"


def test_true_is_no_version(service: Service) -> None:
    """R30: it reads as 1 in Python, and nobody said so."""
    service.account()
    notice = service.call("GET", "/v1/scenarios").json()["scenarios"][0]["notice"]
    body = {
        "scenario": "login",
        "notice_version": True,
        "notice_sha256": notice["texts"]["en"]["sha256"],
        "locale": "en",
        "decision": "given",
        "affirmation": {"method": "checkbox", "checked_by_default": False, "text": "Yes."},
    }
    answer = service.call("POST", "/v1/accounts/anna/consents", json=body)
    assert code(answer) == "invalid_request"
    assert service.call("GET", "/v1/accounts/anna/consents").json()["consents"] == []


def test_refusing_is_recorded_and_costs_nothing(service: Service) -> None:
    """R36: the answer names the alternative."""
    path = service.account()
    notice = service.call("GET", "/v1/scenarios").json()["scenarios"][0]["notice"]
    body = {
        "scenario": "login",
        "notice_version": 1,
        "notice_sha256": notice["texts"]["en"]["sha256"],
        "locale": "en",
        "decision": "refused",
        "affirmation": {"method": "checkbox", "checked_by_default": False, "text": "No"},
    }
    answer = service.call("POST", f"{path}/consents", json=body).json()
    assert answer["state"] == "refused"
    assert "another way" in answer["alternative"].lower()
    assert service.call("GET", path).status_code == 200


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"notice_sha256": "0" * 64}, "consent_invalid"),
        ({"notice_version": 2}, "consent_invalid"),
        ({"locale": "fr"}, "consent_invalid"),
        ({"scenario": "payment"}, "unknown_scenario"),
        ({"scenario": ["login", "payment"]}, "invalid_request"),
        ({"affirmation": {"method": "checkbox", "checked_by_default": True, "text": "Yes"}}, "consent_invalid"),
        ({"affirmation": {"method": "checkbox", "checked_by_default": "false", "text": "Y"}}, "invalid_request"),
        ({"affirmation": {"method": "checkbox", "text": "Yes"}}, "invalid_request"),
        ({"decision": "maybe"}, "invalid_request"),
        ({"extra": 1}, "invalid_request"),
    ],
)
def test_refuses_consent_that_is_none(service: Service, change: dict[str, object], expected: str) -> None:
    """R30, R31: another text, bundled, ticked for the person."""
    path = service.account()
    body = service.consent() | change
    assert code(service.call("POST", f"{path}/consents", json=body)) == expected
    assert len(service.call("GET", f"{path}/consents").json()["consents"]) == 1


def test_withdrawing_is_one_call_and_idempotent(service: Service) -> None:
    """R32: no more steps than giving."""
    path = service.account()
    service.consent()
    first = service.call("DELETE", f"{path}/consents/login")
    assert first.status_code == 200
    again = service.call("DELETE", f"{path}/consents/login")
    assert again.json() == first.json()
    claims = service.installation.signer.check(first.json()["receipt"], expected_typ=DELETION_RECEIPT)
    assert claims
    assert code(service.call("POST", "/v1/sessions", json=verify("anna"))) == "consent_required"
    assert code(service.call("DELETE", f"{path}/consents/payment")) == "unknown_scenario"


def test_closing_an_account_answers_a_receipt(service: Service) -> None:
    path = service.account()
    service.consent()
    receipt = service.call("DELETE", path).json()["receipt"]
    service.installation.signer.check(receipt, expected_typ=DELETION_RECEIPT)
    assert code(service.call("GET", path)) == "unknown_account"
    assert service.call("DELETE", path).json()["receipt"] == receipt
    assert code(service.call("DELETE", f"{path}-never")) == "unknown_account"


def test_a_person_sees_and_takes_along_what_was_done(service: Service) -> None:
    path = service.account()
    service.consent()
    activity = service.call("GET", f"{path}/activity").json()["activity"]
    assert [one["event"] for one in activity] == ["person:consent:given"]
    export = service.call("GET", f"{path}/export").json()["export"]
    assert export["account"]["account_id"] == "anna"
    assert len(export["consents"]) == 1
    assert service.call("GET", f"{path}/references").json() == {"references": []}
    assert code(service.call("DELETE", f"{path}/references/ref_none")) == "unknown_reference"


def verify(account: str) -> dict[str, object]:
    return {"purpose": "verify", "scenario": "login", "account_id": account}


def test_without_consent_the_problem_names_what_to_show(service: Service) -> None:
    """R13, R36: which notice, and that there is another way."""
    service.account()
    answer = service.call("POST", "/v1/sessions", json=verify("anna"))
    assert (answer.status_code, code(answer)) == (403, "consent_required")
    body = answer.json()
    assert body["scenario"] == "login"
    assert body["notice"]["version"] == 1
    assert len(body["notice"]["sha256"]["en"]) == 64
    assert "another way" in body["alternative"].lower()


def test_a_material_notice_asks_again(service: Service) -> None:
    """R34: the consent goes stale, and the problem names the new version."""
    service.account()
    service.consent()
    assert service.call("POST", "/v1/sessions", json=verify("anna")).status_code == 201
    service.clock.forward(1)
    body = {"notices": {"en": "All new.", "zh": "全新。"}, "material": True}
    assert service.call("POST", "/v1/admin/scenarios/login/notices", role="privacy", json=body).status_code == 201
    answer = service.call("POST", "/v1/sessions", json=verify("anna"))
    assert (code(answer), answer.json()["notice"]["version"]) == ("consent_stale", 2)


def test_a_session_is_opened_with_a_challenge_and_a_page(service: Service) -> None:
    opened = service.session()
    page, _, fragment = opened["capture_url"].partition("#")
    assert page == "http://127.0.0.1:8000/ui/capture"
    assert fragment == f"session={opened['session_id']}&token={opened['client_token']}"
    assert len(opened["challenge"]["nonce"]) >= 22  # 128 bits in base64url (R15)
    assert opened["challenge"]["steps"][0]["kind"] == "center"
    view = service.call("GET", f"/v1/sessions/{opened['session_id']}").json()
    assert (view["state"], view["account_id"], view["id_token"]) == ("open", "anna", None)
    assert opened["client_token"] not in str(view)


def test_enrolling_needs_a_fresh_proof_of_another_factor(service: Service) -> None:
    """R14."""
    service.account()
    service.consent()
    now = service.clock()
    body: dict[str, object] = {}
    for at in (None, now - timedelta(hours=1), now + timedelta(hours=1)):
        body = verify("anna") | {"purpose": "enrol"}
        if at is not None:
            body["reauthenticated_at"] = at.isoformat()
        assert code(service.call("POST", "/v1/sessions", json=body)) == "reauthentication_required"
    body["reauthenticated_at"] = now.isoformat()
    assert service.call("POST", "/v1/sessions", json=body).status_code == 201
    for odd in ("2026-03-01T12:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", 5, "now"):
        assert code(service.call("POST", "/v1/sessions", json=body | {"reauthenticated_at": odd})) in {
            "invalid_request",
            "reauthentication_required",
        }


def test_refuses_sessions_that_make_no_sense(service: Service) -> None:
    service.account()
    service.consent()
    for body, expected in (
        (verify("nobody"), "unknown_account"),
        (verify("anna") | {"scenario": "payment"}, "unknown_scenario"),
        (verify("anna") | {"purpose": "identify"}, "invalid_request"),
        ({"purpose": "identify", "scenario": "login"}, "invalid_request"),
        ({"purpose": "verify", "scenario": "login"}, "invalid_request"),
        (verify("anna") | {"purpose": "spy"}, "invalid_request"),
        (verify("anna") | {"liveness_level": "motion"}, "invalid_request"),
        (verify("anna") | {"liveness_level": "none"}, "invalid_request"),
    ):
        assert code(service.call("POST", "/v1/sessions", json=body)) == expected


def test_the_backend_learns_that_the_face_is_locked(service: Service) -> None:
    """R10, R13: a problem of its own for the backend; the account itself is not locked."""
    path = service.account()
    service.consent()
    for _ in range(10):
        with service.installation.data.begin() as conn:
            service.installation.attempts.charge(conn, tenant="default", account="anna", pad=True)
    answer = service.call("POST", "/v1/sessions", json=verify("anna"))
    assert (answer.status_code, code(answer)) == (403, "locked")
    assert service.call("GET", path).status_code == 200
    service.clock.forward(30)
    assert service.call("POST", "/v1/sessions", json=verify("anna")).status_code == 201


def test_another_tenant_sees_nothing(service: Service) -> None:
    path = service.account()
    service.consent()
    opened = service.session("anna")
    for method, route, expected in (
        ("GET", path, "unknown_account"),
        ("GET", f"{path}/consents", "unknown_account"),
        ("GET", f"{path}/references", "unknown_account"),
        ("GET", f"{path}/activity", "unknown_account"),
        ("GET", f"{path}/export", "unknown_account"),
        ("DELETE", path, "unknown_account"),
        ("DELETE", f"{path}/consents/login", "unknown_account"),
        ("GET", f"/v1/sessions/{opened['session_id']}", "unknown_session"),
    ):
        assert code(service.call(method, route, role="other")) == expected
    assert code(service.call("POST", "/v1/sessions", role="other", json=verify("anna"))) == "unknown_account"
    assert service.call("GET", path).status_code == 200


def test_the_privacy_officer_adds_a_scenario_that_nobody_agreed_to(service: Service) -> None:
    """R34, R53: only the privacy role may; the operator may not."""
    body = {
        "scenario": "payment",
        "mode": "verify",
        "title": "Pay",
        "retention_days": 30,
        "liveness_level": "motion",
        "notices": {"en": "Paying with your face."},
    }
    for role in ("application", "operator", "auditor", "other"):
        assert code(service.call("POST", "/v1/admin/scenarios", role=role, json=body)) == "not_allowed"
        notice = {"notices": {"en": "x"}, "material": False}
        path = "/v1/admin/scenarios/login/notices"
        assert code(service.call("POST", path, role=role, json=notice)) == "not_allowed"
    made = service.call("POST", "/v1/admin/scenarios", role="privacy", json=body)
    assert (made.status_code, made.json()["title"]) == (201, {"en": "Pay"})
    assert code(service.call("POST", "/v1/admin/scenarios", role="privacy", json=body)) == "already_exists"
    other = body | {"scenario": "door", "liveness_level": "none"}
    assert code(service.call("POST", "/v1/admin/scenarios", role="privacy", json=other)) == "invalid_request"
    service.account()
    service.consent()
    asked = verify("anna") | {"scenario": "payment"}
    assert code(service.call("POST", "/v1/sessions", json=asked)) == "consent_required"


def test_the_operator_rotates_keys_while_the_service_runs(service: Service) -> None:
    """R45, R53: only the operator; what the service makes afterwards is under the new version."""
    path, here = "/v1/admin/keys/rotate", service.installation
    keys = here.references._keys
    for role in ("application", "privacy", "auditor", "other"):
        assert code(service.call("POST", path, role=role, json={})) == "not_allowed"
    assert code(service.call("POST", path, role="operator", json={"retire": "false"})) == "invalid_request"
    keys.current("default", "anna")
    done = service.call("POST", path, role="operator", json={"retire": True})
    assert done.status_code == 200, done.text
    assert done.json() == {"version": 2, "minimum": 2, "rewrapped": 1, "resumed": False, "unreadable": 0}
    keys.current("default", "anna")
    keys.current("default", "ben")
    assert here.rotation.status().counts == {2: 2}


def test_a_retired_scenario_allows_nothing(service: Service) -> None:
    """R34, R53: only the privacy officer, and from that moment on."""
    service.account()
    service.consent()
    path = "/v1/admin/scenarios/login/retire"
    for role in ("application", "operator", "auditor", "other"):
        assert code(service.call("POST", path, role=role)) == "not_allowed"
    done = service.call("POST", path, role="privacy")
    assert (done.status_code, done.json()["state"]) == (200, "retired")
    assert service.call("POST", path, role="privacy").json()["state"] == "retired"
    asked = {"purpose": "verify", "scenario": "login", "account_id": "anna"}
    assert code(service.call("POST", "/v1/sessions", json=asked)) == "consent_required"
    assert code(service.call("POST", "/v1/admin/scenarios/none/retire", role="privacy")) == "unknown_scenario"


def test_anybody_may_read_how_long_what_is_kept(service: Service) -> None:
    """R39: the public schedule, from the settings; no script, nothing from elsewhere."""
    page = service.http.get("/ui/retention")
    assert page.status_code == 200
    assert "90 days" in page.text
    assert "<script" not in page.text


def test_every_act_is_audited(service: Service) -> None:
    """R49: and the chain holds."""
    service.session()
    service.call("DELETE", "/v1/accounts/anna")
    with service.installation.data.read() as conn:
        verdict = service.installation.audit.verify(conn)
    assert verdict.intact
    assert verdict.count >= 4
