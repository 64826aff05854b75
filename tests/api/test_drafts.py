"""Drafts: written, changed, published or thrown away; nobody is shown one before (R34, R53)."""

from datetime import timedelta
from typing import Any

from tests.api.conftest import Service
from tests.api.test_routes import code

SCENARIO = {
    "scenario": "payment",
    "mode": "verify",
    "title": {"en": "Confirm payments"},
    "retention_days": 90,
    "notices": {"en": "Your face confirms payments."},
}


def admin(service: Service, method: str, path: str, body: object = None, *, role: str = "privacy") -> Any:
    return service.call(method, f"/v1/admin{path}", role=role, **({} if body is None else {"json": body}))


def test_each_act_on_a_draft_is_on_record(service: Service) -> None:
    """R49: what people will be shown, and who wrote it."""
    path = f"/drafts/{admin(service, 'POST', '/drafts', {'new_scenario': SCENARIO}).json()['draft_id']}"
    admin(service, "PUT", path, {"new_scenario": SCENARIO | {"recipients": ["The bank"]}})
    admin(service, "DELETE", path)
    told = admin(service, "GET", "/audit", role="auditor").json()["records"]
    drafts = [one for one in told if one["event"].startswith("privacy:draft:")]
    assert sorted(one["event"].split(":")[2] for one in drafts) == ["changed", "deleted", "written"]
    assert {one["details"]["scenario"] for one in drafts} == {"payment"}
    assert all(one["actor"].startswith("apikey:") for one in drafts)


def test_a_scenario_goes_its_whole_way(service: Service) -> None:
    """Draft, active, superseded, retired; every version stays readable (R38)."""
    draft = admin(service, "POST", "/drafts", {"new_scenario": SCENARIO}).json()
    assert (draft["kind"], draft["scenario"]) == ("scenario", "payment")
    names = [one["scenario"] for one in service.call("GET", "/v1/scenarios").json()["scenarios"]]
    assert "payment" not in names
    changed = SCENARIO | {"recipients": ["The bank"]}
    path = f"/drafts/{draft['draft_id']}"
    assert admin(service, "PUT", path, {"new_scenario": changed}).status_code == 200
    made = admin(service, "POST", f"{path}/publish").json()
    assert made["notice"]["substance"]["recipients"] == ["The bank"]
    assert (made["state"], made["notice"]["state"]) == ("active", "active")
    assert code(admin(service, "POST", f"{path}/publish")) == "unknown_draft"
    assert admin(service, "GET", "/drafts").json() == {"drafts": []}

    later = (service.clock() + timedelta(days=2)).isoformat()
    notice = {"notices": {"en": "In other words."}, "material": False, "effective_at": later}
    next_one = admin(service, "POST", "/drafts", {"scenario": "payment", "notice": notice}).json()
    assert admin(service, "POST", f"/drafts/{next_one['draft_id']}/publish").json()["notice"]["version"] == 1

    def states() -> list[str]:
        found = admin(service, "GET", "/scenarios/payment/notices").json()["notices"]
        return [one["state"] for one in found]

    assert states() == ["active", "scheduled"]
    service.clock.forward(3 * 86_400)
    assert states() == ["superseded", "active"]
    admin(service, "POST", "/scenarios/payment/retire")
    for _ in range(3):  # retiring a scenario may take a second person
        if states() == ["retired", "retired"]:
            break
        approve_all(service)
        admin(service, "POST", "/scenarios/payment/retire")
    assert states() == ["retired", "retired"]
    text = service.call("GET", "/v1/scenarios/payment/notices/1").json()["texts"]["en"]["text"]
    assert text == "Your face confirms payments."


def approve_all(service: Service) -> None:
    for one in admin(service, "GET", "/approvals").json()["approvals"]:
        if one["state"] == "requested":
            admin(service, "POST", f"/approvals/{one['approval_id']}", {"decision": "approve"}, role="operator")


def test_a_material_change_names_its_reason(service: Service) -> None:
    """R34: the answer says which part of the substance made it material."""
    body = {"notices": {"en": "New."}, "material": False, "retention_days": 30}
    notice = admin(service, "POST", "/scenarios/login/notices", body).json()
    assert (notice["material"], notice["material_because"]) == (True, ["retention_days"])


def test_a_draft_is_thrown_away(service: Service) -> None:
    draft = admin(service, "POST", "/drafts", {"new_scenario": SCENARIO}).json()
    assert admin(service, "DELETE", f"/drafts/{draft['draft_id']}").json()["draft_id"] == draft["draft_id"]
    assert code(admin(service, "DELETE", f"/drafts/{draft['draft_id']}")) == "unknown_draft"


def test_odd_drafts_are_refused(service: Service) -> None:
    notice = {"notices": {"en": "New."}, "material": False}
    for body in ({}, {"scenario": "login"}, {"notice": notice}, {"new_scenario": SCENARIO, "scenario": "x"}):
        assert code(admin(service, "POST", "/drafts", body)) == "invalid_request"
    unknown = {"scenario": "nothing", "notice": notice}
    assert code(admin(service, "POST", "/drafts", unknown)) == "unknown_scenario"
    draft = admin(service, "POST", "/drafts", {"scenario": "login", "notice": notice}).json()
    answer = admin(service, "PUT", f"/drafts/{draft['draft_id']}", {"new_scenario": SCENARIO})
    assert code(answer) == "invalid_request"


def test_only_the_privacy_officer_writes_drafts(service: Service) -> None:
    """R53."""
    for role in ("application", "operator", "auditor"):
        assert code(admin(service, "GET", "/drafts", role=role)) == "not_allowed"
