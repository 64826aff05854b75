"""The register of incidents over HTTP: the 72-hour clock, whom it reached, notices, the closing report (R54)."""

from datetime import timedelta
from typing import Any

import pytest

from faceauth.audit.events import Event
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.incidents import REPORT
from tests.api.conftest import Service
from tests.clocks import START

REGISTER = "/v1/admin/incidents"


def scope(**more: Any) -> dict[str, Any]:
    since, until = START - timedelta(days=1), START + timedelta(days=30)
    return {"reach": "used", "since": since.isoformat(), "until": until.isoformat(), **more}


def enter(service: Service, **more: Any) -> dict[str, Any]:
    body = {
        "title": "A disk was lost",
        "nature": "A backup disk, without its keys.",
        "risk": "high",
        "aware_at": service.clock.now.isoformat(),
        "scope": scope(),
        **more,
    }
    answer = service.call("POST", REGISTER, role="privacy", json=body)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def change(service: Service, incident: dict[str, Any], **body: Any) -> Any:
    return service.call("PATCH", f"{REGISTER}/{incident['incident_id']}", role="privacy", json=body)


def code(answer: Any) -> str:
    return str(answer.json()["code"])


@pytest.fixture
def used(service: Service) -> Service:
    """Three people for whom a session was opened; their records are what an incident is held against."""
    for person in ("anna@example.com", "ben", "cleo"):
        service.session(person)
    return service


def test_the_clock_runs_from_knowing_and_stops_when_the_authority_is_told(service: Service) -> None:
    """R54: 72 hours from awareness (GDPR, article 33)."""
    aware = service.clock.now - timedelta(hours=2)
    incident = enter(service, aware_at=aware.isoformat())
    place = f"{REGISTER}/{incident['incident_id']}"
    service.clock.forward(70 * 3600)
    assert service.call("GET", place, role="auditor").json()["overdue"] is False
    service.clock.forward(1)
    (listed,) = service.call("GET", REGISTER, role="privacy").json()["incidents"]
    assert (listed["overdue"], listed["incident_id"]) == (True, incident["incident_id"])
    told = change(service, incident, authority_at=service.clock.now.isoformat()).json()
    assert told["overdue"] is False
    assert told["authority_at"]
    # The first time is what counts.
    assert change(service, incident, authority_at=aware.isoformat()).json()["authority_at"] == told["authority_at"]


def test_no_risk_needs_no_notice_to_the_authority(service: Service) -> None:
    incident = enter(service, risk="none")
    service.clock.forward(100 * 3600)
    assert service.call("GET", f"{REGISTER}/{incident['incident_id']}", role="privacy").json()["overdue"] is False


def test_it_finds_whom_it_reached_under_pseudonyms_and_in_disguise(used: Service) -> None:
    """R50, R54: the log gives pseudonyms, and what is shown of a name is disguised."""
    incident = enter(used)
    place = f"{REGISTER}/{incident['incident_id']}/affected"
    told = used.call("GET", place, role="privacy").json()
    assert (told["count"], told["there"]) == (3, 3)
    assert {one["shown"] for one in told["people"]} == {"a***@example.com", "b***", "c***"}
    known = {used.installation.audit.pseudonym(DEFAULT_TENANT, one) for one in ("anna@example.com", "ben", "cleo")}
    assert {one["subject"] for one in told["people"]} == known
    assert "anna" not in used.call("GET", place, role="privacy").text
    first = used.call("GET", f"{place}?limit=2", role="privacy").json()
    rest = used.call("GET", f"{place}?limit=2&after={first['next']}", role="privacy").json()
    assert rest["next"] is None
    assert [*first["people"], *rest["people"]] == told["people"]


def test_other_windows_scenarios_and_tenants_reach_nobody(used: Service) -> None:
    later = {"since": (START + timedelta(days=2)).isoformat(), "until": (START + timedelta(days=3)).isoformat()}
    incident = enter(used)
    for wanted in (scope(**later), scope(scenario="door"), scope(reach="stored")):
        incident = enter(used, scope=wanted)
        path = f"{REGISTER}/{incident['incident_id']}/affected"
        assert used.call("GET", path, role="privacy").json()["count"] == 0
    with used.installation.data.begin() as conn:
        used.secrets["elsewhere"] = used.installation.apikeys.create(conn, tenant="other", role="privacy").secret
    assert code(used.call("GET", f"{REGISTER}/{incident['incident_id']}", role="elsewhere")) == "unknown_incident"


def test_who_closed_the_account_still_counts_and_is_not_there(used: Service) -> None:
    """Their consent's record, which stays, tells who the pseudonym was."""
    assert used.call("DELETE", "/v1/accounts/ben").status_code == 200
    incident = enter(used)
    told = used.call("GET", f"{REGISTER}/{incident['incident_id']}/affected", role="privacy").json()
    assert (told["count"], told["there"]) == (3, 2)
    assert [one["shown"] for one in told["people"] if not one["there"]] == ["b***"]


def test_names_in_the_clear_take_two_people(used: Service) -> None:
    """R52: an export of many."""
    incident = enter(used)
    place = f"{REGISTER}/{incident['incident_id']}/recipients"
    asked = used.call("POST", place, role="privacy").json()
    assert (asked["state"], asked["accounts"]) == ("requested", [])
    approval = f"/v1/admin/approvals/{asked['approval_id']}"
    assert code(used.call("POST", approval, role="privacy", json={"decision": "approve"})) == "not_allowed"
    assert used.call("POST", approval, role="operator", json={"decision": "approve"}).status_code == 200
    given = used.call("POST", place, role="privacy").json()
    assert (given["state"], given["accounts"]) == ("used", ["anna@example.com", "ben", "cleo"])
    # It counts once.
    assert used.call("POST", place, role="privacy").json()["accounts"] == []


def test_it_closes_when_all_is_done_with_a_signed_report(used: Service) -> None:
    incident = enter(used)
    place = f"{REGISTER}/{incident['incident_id']}"
    closing = {"conclusion": "Disks travel encrypted now."}
    early = used.call("POST", f"{place}/close", role="privacy", json=closing)
    assert code(early) == "invalid_request"
    for missing in ("consequences", "measures", "authority", "people"):
        assert missing in early.json()["detail"]
    used.clock.forward(3600)
    done = {"consequences": "None likely.", "measures": "Keys rotated."}
    assert change(used, incident, **done, authority_at=used.clock.now.isoformat()).status_code == 200
    texts = {"en": "A disk was lost.", "zh": "丢失了一块磁盘。"}
    told = used.call("POST", f"{place}/notices", role="privacy", json={"texts": texts, "elsewhere": True})
    assert told.status_code == 201, told.text
    assert [(one["people"], one["texts"]) for one in told.json()["notices"]] == [(3, texts)]
    closed = used.call("POST", f"{place}/close", role="privacy", json=closing).json()
    report = used.installation.signer.check(closed["report"], expected_typ=REPORT)
    assert (report["people"], report["authority_late"]) == (3, False)
    assert report["conclusion"] == closing["conclusion"]
    assert "anna" not in str(report)
    again = used.call("POST", f"{place}/close", role="privacy", json={"conclusion": "Another."}).json()
    assert again["report"] == closed["report"]
    assert code(change(used, incident, measures="More.")) == "invalid_request"


@pytest.mark.parametrize(
    "wrong",
    [
        {"aware_at": (START + timedelta(days=400)).isoformat()},
        {"scope": scope(since=START.isoformat(), until=START.isoformat())},
        {"scope": scope(model_digest="none")},
        {"risk": "some"},
        {"title": ""},
    ],
)
def test_what_makes_no_sense_is_refused(service: Service, wrong: dict[str, Any]) -> None:
    body = {"title": "x", "nature": "x", "risk": "risk", "aware_at": START.isoformat(), "scope": scope(), **wrong}
    answer = service.call("POST", REGISTER, role="privacy", json=body)
    assert (answer.status_code, code(answer)) == (422, "invalid_request")
    assert service.call("GET", REGISTER, role="privacy").json() == {"incidents": []}


def test_every_step_is_on_record(used: Service) -> None:
    """R49, R54."""
    incident = enter(used, risk="risk")
    place = f"{REGISTER}/{incident['incident_id']}"
    change(used, incident, consequences="a", measures="b", authority_at=used.clock.now.isoformat())
    used.call("POST", f"{place}/notices", role="privacy", json={"texts": {"en": "x"}, "elsewhere": True})
    used.call("POST", f"{place}/close", role="privacy", json={"conclusion": "c"})
    with used.installation.data.read() as conn:
        records = used.installation.audit.records(conn, tenant=DEFAULT_TENANT, limit=1000)
    assert [one.event for one in records if ":incident:" in one.event] == [
        Event.INCIDENT_OPENED,
        Event.INCIDENT_CHANGED,
        Event.INCIDENT_REPORTED,
        Event.INCIDENT_TOLD,
        Event.INCIDENT_CLOSED,
    ]
