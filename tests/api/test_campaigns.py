"""Campaigns over HTTP: begun by the privacy officer, answered by people through the application (R34, R53)."""

from datetime import timedelta
from typing import Any

import pytest

from faceauth.asking import Asking
from tests.api.conftest import Service
from tests.campaigning import add_endpoint

PLACE = "/v1/admin/campaigns"


@pytest.fixture
def asking(service: Service) -> Service:
    """A service with an endpoint and two people who agreed."""
    add_endpoint(service)
    for account in ("anna", "ben"):
        service.account(account)
        service.consent(account)
    return service


def body(service: Service, **more: Any) -> dict[str, Any]:
    deadline = (service.clock() + timedelta(days=10)).isoformat()
    return {"scenario": "login", "deadline": deadline, "on_deadline": "suspend", **more}


def post(service: Service, path: str = PLACE, *, status: int = 201, role: str = "privacy", **more: Any) -> Any:
    answer = service.call("POST", path, role=role, json=body(service, **more))
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_campaign_from_preview_to_report(asking: Service) -> None:
    assert post(asking, f"{PLACE}/preview", status=200) == {
        "people": 2,
        "by_version": {"1": 2},
        "notice_version": 1,
    }
    begun = post(asking)
    campaign = begun["campaign"]
    place = f"{PLACE}/{begun['campaign_id']}"
    assert (campaign["state"], campaign["progress"]["waiting"]) == ("open", 2)
    Asking.of(asking.installation).run()
    asking.consent("ben")
    read = asking.call("GET", place, role="privacy").json()
    for place_of_counts in (read, read["progress"]):  # the contract's place, and beside all the others
        told = {name: place_of_counts[name] for name in ("asked", "given", "refused", "pending")}
        assert told == {"asked": 2, "given": 1, "refused": 0, "pending": 1}

    asking.clock.forward(10 * 86_400)
    Asking.of(asking.installation).run()
    closed = asking.call("GET", PLACE, role="privacy").json()["campaigns"]
    assert [(one["state"], one["progress"]["suspended"], one["undelivered"]) for one in closed] == [
        ("closed", 1, 1)
    ]


def test_a_login_that_meets_a_question_is_told_what_to_show(asking: Service) -> None:
    """R13, R34: the notice with its hash, the campaign and its deadline, and that there is another way."""
    campaign = post(asking)["campaign"]
    Asking.of(asking.installation).run()
    opening = {"purpose": "verify", "scenario": "login", "account_id": "anna"}
    answer = asking.call("POST", "/v1/sessions", json=opening)
    assert answer.status_code == 403
    told = answer.json()
    assert told["code"] == "consent_required"
    assert told["question"]["campaign_id"] == campaign["campaign_id"]
    assert told["question"]["on_deadline"] == "suspend"
    assert told["question"]["deadline"] == campaign["deadline"]
    assert told["notice"]["version"] == 1
    assert told["alternative"]
    asking.consent("anna")
    assert asking.call("POST", "/v1/sessions", json=opening).status_code == 201


def test_erasing_waits_for_a_second_person(asking: Service) -> None:
    """R52."""
    waiting = post(asking, status=202, on_deadline="erase")
    assert waiting["campaign"] is None
    approve = f"/v1/admin/approvals/{waiting['approval_id']}"
    own = asking.call("POST", approve, role="privacy", json={"decision": "approve"})
    assert own.status_code == 403
    assert asking.call("POST", approve, role="operator", json={"decision": "approve"}).status_code == 200
    assert post(asking, on_deadline="erase")["campaign"]["on_deadline"] == "erase"


def test_a_question_can_be_taken_back(asking: Service) -> None:
    place = f"{PLACE}/{post(asking)['campaign']['campaign_id']}"
    Asking.of(asking.installation).run()
    assert asking.call("POST", f"{place}/cancel", role="privacy").json()["state"] == "cancelled"
    opening = {"purpose": "verify", "scenario": "login", "account_id": "anna"}
    assert asking.call("POST", "/v1/sessions", json=opening).status_code == 201


def test_only_the_privacy_officer_asks(asking: Service) -> None:
    """R53."""
    for role in ("application", "operator", "auditor"):
        post(asking, status=403, role=role)
        assert asking.call("GET", PLACE, role=role).status_code == 403


def test_what_is_wrong_is_told(asking: Service) -> None:
    assert post(asking, status=422, on_deadline="assume_yes")["code"] == "invalid_request"
    assert post(asking, status=422, remind_days=[0])["code"] == "invalid_request"
    assert post(asking, status=404, scenario="nothing")["code"] == "unknown_scenario"
    post(asking)
    assert post(asking, status=409)["code"] == "already_exists"
    missing = asking.call("GET", f"{PLACE}/campaign_0", role="privacy")
    assert (missing.status_code, missing.json()["code"]) == (404, "unknown_campaign")
