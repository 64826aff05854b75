"""Flows: a link that works once, a notice that is answered, a session, and nothing told on the way back."""

from datetime import timedelta
from typing import Any

import pytest

from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import InvalidRequest
from faceauth.flows import check_return_url
from faceauth.retention import Retention
from tests.api.conftest import Service

BACK = "https://shop.example/done?from=face"


def mint(service: Service, *, purpose: str = "verify", status: int = 201, **more: Any) -> dict[str, Any]:
    body = {"account_id": "anna", "scenario": "login", "purpose": purpose, "return_url": BACK, **more}
    body.setdefault("reauthenticated_at", service.clock().isoformat())
    answer = service.call("POST", "/v1/flows", json=body)
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


def page(service: Service, flow: str, what: str, token: str, body: object = None) -> Any:
    return service.http.post(f"/v1/flows/{flow}/{what}", json=body, headers={"Authorization": f"Bearer {token}"})


def link_token(minted: dict[str, Any]) -> str:
    before, _, token = minted["flow_url"].partition("&token=")
    assert before == f"http://127.0.0.1:8000/ui/capture#flow={minted['flow_id']}"
    return str(token)


def begin(service: Service, minted: dict[str, Any]) -> dict[str, Any]:
    answer = page(service, minted["flow_id"], "begin", link_token(minted))
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def said(begun: dict[str, Any], decision: str, **more: object) -> dict[str, Any]:
    notice = begun["notice"]
    return {
        "decision": decision,
        "notice_version": notice["version"],
        "notice_sha256": notice["texts"]["en"]["sha256"],
        "locale": "en",
        "affirmation": {"method": "checkbox", "checked_by_default": False, "text": "Yes"},
        **more,
    }


def state(service: Service, minted: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = service.call("GET", f"/v1/flows/{minted['flow_id']}").json()
    return told


def test_from_the_notice_to_the_session(service: Service) -> None:
    """R29, R30, R31: the exact text is shown and its hash recorded before any session."""
    service.account()
    minted = mint(service, purpose="enrol")
    assert state(service, minted)["state"] == "open"
    begun = begin(service, minted)
    notice = service.call("GET", "/v1/scenarios").json()["scenarios"][0]["notice"]
    assert begun["notice"] == {"version": notice["version"], "texts": notice["texts"]}
    assert begun["return_url"] == f"{BACK}&flow={minted['flow_id']}"
    answered = page(service, minted["flow_id"], "answer", begun["page_token"], said(begun, "given"))
    assert answered.status_code == 200, answered.text
    (consent,) = service.call("GET", "/v1/accounts/anna/consents").json()["consents"]
    assert (consent["state"], consent["receipt"]) == ("given", answered.json()["receipt"])
    assert consent["notice_sha256"] == notice["texts"]["en"]["sha256"]
    opened = page(service, minted["flow_id"], "session", begun["page_token"])
    assert opened.status_code == 201, opened.text
    device = {"Authorization": f"Bearer {opened.json()['client_token']}"}
    session_id = opened.json()["session_id"]
    assert service.http.get(f"/v1/sessions/{session_id}/challenge", headers=device).status_code == 200
    assert state(service, minted)["session_id"] == session_id
    service.http.post(f"/v1/sessions/{session_id}/cancel", headers=device)
    assert state(service, minted)["state"] == "cancelled"


def test_who_made_a_link_is_on_record(service: Service) -> None:
    """R49: whoever holds it captures in the person's name."""
    service.account()
    mint(service)
    records = service.call("GET", "/v1/admin/audit?event=application:capture:linked", role="auditor").json()
    (told,) = records["records"]
    assert told["actor"].startswith("apikey:")
    assert told["details"] == {"scenario": "login", "purpose": "verify"}
    assert told["subject"] is not None


def test_a_link_opens_once_and_a_page_opens_one_session(service: Service) -> None:
    service.account()
    service.consent()
    minted = mint(service)
    begun = begin(service, minted)
    assert begun["notice"] is None
    again = page(service, minted["flow_id"], "begin", link_token(minted))
    assert (again.status_code, again.json()["code"]) == (401, "not_authenticated")
    assert page(service, minted["flow_id"], "session", link_token(minted)).status_code == 401
    assert page(service, minted["flow_id"], "session", begun["page_token"]).status_code == 201
    second = page(service, minted["flow_id"], "session", begun["page_token"])
    assert (second.status_code, second.json()["code"]) == (409, "session_closed")


def test_the_pages_token_goes_on_until_the_links_time_is_over(service: Service) -> None:
    """A page that was reloaded has its token still; neither the link nor that token outlives the flow."""
    service.account()
    minted = mint(service)
    begun = begin(service, minted)
    service.clock.forward(299)
    for token in (link_token(minted), begun["page_token"][:-1]):
        for what in ("begin", "session"):
            assert page(service, minted["flow_id"], what, token).status_code == 401
    late = mint(service)
    late_token = begin(service, late)["page_token"]
    assert page(service, minted["flow_id"], "session", begun["page_token"]).status_code == 201
    service.clock.forward(300)
    assert page(service, late["flow_id"], "session", late_token).status_code == 409


def test_a_refusal_is_recorded_and_ends_the_flow(service: Service) -> None:
    """R36."""
    service.account()
    minted = mint(service)
    begun = begin(service, minted)
    assert (
        page(service, minted["flow_id"], "answer", begun["page_token"], said(begun, "refused")).status_code == 200
    )
    assert state(service, minted)["state"] == "refused"
    (consent,) = service.call("GET", "/v1/accounts/anna/consents").json()["consents"]
    assert consent["state"] == "refused"
    assert page(service, minted["flow_id"], "session", begun["page_token"]).status_code == 409


def test_who_refuses_a_newer_text_refuses_the_flow(service: Service) -> None:
    """R34, R36: written down beside the older consent, which allows nothing any more and is not ended by it."""
    service.account()
    service.consent()
    text = {"notices": {"en": "Another text."}, "material": True}
    assert service.call("POST", "/v1/admin/scenarios/login/notices", role="privacy", json=text).status_code == 201
    service.clock.forward(1)
    minted = mint(service)
    begun = begin(service, minted)
    assert begun["notice"]["texts"]["en"]["text"] == "Another text."
    answered = page(service, minted["flow_id"], "answer", begun["page_token"], said(begun, "refused"))
    assert answered.json()["receipt"] is not None
    assert state(service, minted)["state"] == "refused"
    lines = service.call("GET", "/v1/accounts/anna/consents").json()["consents"]
    assert [(one["state"], one["notice_version"]) for one in lines] == [("given", 1), ("refused", 2)]
    assert lines[0]["consent_id"] != lines[1]["consent_id"]


def test_a_no_while_everything_is_suspended_is_no_withdrawal(service: Service) -> None:
    """The page asks, as no face may be used now; the ledger keeps the yes to this very text."""
    service.account()
    service.consent()
    service.call("PUT", "/v1/accounts/anna/restriction", json={"restricted": True})
    minted = mint(service)
    begun = begin(service, minted)
    answered = page(service, minted["flow_id"], "answer", begun["page_token"], said(begun, "refused"))
    assert answered.json() == {"decision": "refused", "receipt": None}
    assert state(service, minted)["state"] == "refused"
    assert len(service.call("GET", "/v1/accounts/anna/consents").json()["consents"]) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"notice_sha256": "0" * 64},
        {"notice_version": 7},
        {"affirmation": {"method": "checkbox", "checked_by_default": True, "text": "Yes"}},
    ],
)
def test_another_text_or_a_ticked_box_is_no_answer(service: Service, wrong: dict[str, object]) -> None:
    """R30, R31."""
    service.account()
    minted = mint(service)
    begun = begin(service, minted)
    answered = page(service, minted["flow_id"], "answer", begun["page_token"], said(begun, "given", **wrong))
    assert answered.status_code in {404, 422}
    assert service.call("GET", "/v1/accounts/anna/consents").json() == {"consents": []}


def test_without_an_answer_nobody_enrols_and_the_page_is_not_told_why(service: Service) -> None:
    """R25, R29."""
    service.account()
    minted = mint(service, purpose="enrol")
    begun = begin(service, minted)
    denied = page(service, minted["flow_id"], "session", begun["page_token"])
    assert (denied.status_code, denied.json()["code"]) == (403, "denied")
    assert "consent" not in denied.text
    told = state(service, minted)
    assert (told["state"], told["reason"], told["session_id"]) == ("denied", "consent_required", None)


def test_a_login_goes_the_same_way_whatever_is_in_its_way(service: Service) -> None:
    """R25: a session is opened all the same, and cannot be accepted."""
    service.account()
    minted = mint(service)
    begun = begin(service, minted)
    assert page(service, minted["flow_id"], "session", begun["page_token"]).status_code == 201
    told = state(service, minted)
    assert told["state"] == "open"
    with service.installation.data.begin() as conn:
        session = service.installation.desk.sessions.for_backend(
            conn, tenant=DEFAULT_TENANT, session_id=told["session_id"], now=service.clock()
        )
    assert session.withheld == "consent_required"


@pytest.mark.parametrize("proof", [None, 301])
def test_who_only_typed_a_name_neither_learns_whether_it_agreed_nor_agrees_for_it(
    service: Service, proof: int | None
) -> None:
    """R25, R29: without a fresh proof by another factor the page is one for everybody, and takes no answer."""
    at = None if proof is None else (service.clock() - timedelta(seconds=proof)).isoformat()
    service.account()
    service.account("ben")
    service.consent("ben")
    notice = service.call("GET", "/v1/scenarios").json()["scenarios"][0]["notice"]
    began = {}
    for account in ("anna", "ben"):
        minted = mint(service, account_id=account, reauthenticated_at=at)
        began[account] = begin(service, minted)
        answered = page(
            service, minted["flow_id"], "answer", began[account]["page_token"], said({"notice": notice}, "given")
        )
        assert (answered.status_code, answered.json()["code"]) == (403, "reauthentication_required")
        assert page(service, minted["flow_id"], "session", began[account]["page_token"]).status_code == 201
    assert [one["notice"] for one in began.values()] == [None, None]
    assert service.call("GET", "/v1/accounts/anna/consents").json() == {"consents": []}


def test_enrolling_needs_a_fresh_proof_and_the_link_lives_no_longer_than_it(service: Service) -> None:
    """R14."""
    service.account()
    assert (
        mint(service, purpose="enrol", reauthenticated_at=None, status=403)["code"] == "reauthentication_required"
    )
    old = service.clock() - timedelta(seconds=300)
    assert mint(service, purpose="enrol", reauthenticated_at=old.isoformat(), status=403)
    proof = service.clock() - timedelta(seconds=200)
    minted = mint(service, purpose="enrol", reauthenticated_at=proof.isoformat())
    service.clock.forward(100)
    assert page(service, minted["flow_id"], "begin", link_token(minted)).status_code == 409
    assert state(service, minted)["state"] == "expired"


def test_another_tenant_sees_nothing(service: Service) -> None:
    service.account()
    minted = mint(service)
    answer = service.call("GET", f"/v1/flows/{minted['flow_id']}", role="other")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_flow")


def test_closing_the_account_takes_its_flows(service: Service) -> None:
    """R39, R40."""
    service.account()
    minted = mint(service)
    assert service.call("DELETE", "/v1/accounts/anna").status_code == 200
    assert service.call("GET", f"/v1/flows/{minted['flow_id']}").status_code == 404
    assert page(service, minted["flow_id"], "begin", link_token(minted)).status_code == 401


def test_records_of_flows_go_a_day_after_their_time(service: Service) -> None:
    """R39."""
    service.account()
    minted = mint(service)
    service.clock.forward(300 + 24 * 3600)
    Retention.of(service.installation).run()
    assert state(service, minted)["state"] == "expired"
    service.clock.forward(1)
    Retention.of(service.installation).run()
    assert service.call("GET", f"/v1/flows/{minted['flow_id']}").status_code == 404


ALLOWED = ["https://shop.example", "http://127.0.0.1:9000", "com.example.shop:"]


@pytest.mark.parametrize("url", ["https://shop.example/a?b=c", "http://127.0.0.1:9000/", "com.example.shop:/done"])
def test_pages_and_apps_on_the_list_may_be_returned_to(url: str) -> None:
    check_return_url(url, ALLOWED)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "https://shop.example.evil.example/",
        "https://shop.example@evil.example/",
        "https://shop.example:444/",
        "http://shop.example/",
        "//shop.example/",
        "/done",
        "javascript:alert(1)",
        "https://evil.example\\@shop.example/",
        "https://shop.example/#token",
        "https://shop.example/ x",
        "https://shop.example/\n",
        "https://[shop.example/",
        "org.example.other:/done",
        "https://shop.example/" + "a" * 2000,
    ],
)
def test_nowhere_else_is_returned_to(url: str) -> None:
    """R19."""
    with pytest.raises(InvalidRequest):
        check_return_url(url, [*ALLOWED, "javascript:"])
