"""The console's pages about campaigns, approvals and incidents."""

import re
from datetime import timedelta
from typing import Any

from faceauth.api.console.texts.approvals import APPROVALS
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.identity.approvals import Kind
from tests.api.conftest import Service
from tests.api.test_console import Browser, browser, events
from tests.campaigning import add_endpoint

__all__ = ["browser"]


def typed(when: Any) -> str:
    """A time as a browser's field sends it."""
    return f"{when:%Y-%m-%dT%H:%M}"


def test_a_campaign_from_preview_to_report(service: Service, browser: Browser) -> None:
    """Previewed with counts, begun, followed without keeping the session alive, taken back, reported."""
    add_endpoint(service)
    service.session("anna")
    browser.sign_in()
    asked = {
        "scenario": "login",
        "deadline": typed(service.clock() + timedelta(days=9)),
        "on_deadline": "suspend",
        "remind_days": "7, 1",
    }
    assert "How many it would ask: 1" in browser.post("/campaigns/preview", asked).text
    refused = browser.post("/campaigns/preview", asked | {"deadline": "", "remind_days": "soon"})
    assert refused.status_code == 422
    assert 'value="soon"' in refused.text
    nobody = browser.post("/campaigns/preview", asked | {"version_below": "1"})
    assert "Nobody would be asked." in nobody.text
    begun = browser.post("/campaigns", asked).headers["location"]
    path = begun.removeprefix("/ui/admin").partition("?")[0]
    assert "0 of 1 answered" in browser.get(path).text
    assert (
        browser.get(f"{path}/progress").text.lstrip().startswith(f'<section data-live="/ui/admin{path}/progress"')
    )
    # A page that asks by itself keeps nobody signed in.
    for _ in range(3):
        service.clock.forward(300)
        browser.get(f"{path}/progress")
    assert browser.get(path).status_code == 303
    browser.sign_in()
    assert browser.post(f"{path}/cancel").status_code == 422
    assert browser.post(f"{path}/cancel", {"sure": "on"}).status_code == 303
    assert "data-over" in browser.get(f"{path}/progress").text
    assert "Report" in browser.get(path).text
    assert "taken back" in browser.get("/campaigns").text


def test_what_takes_two_people(service: Service, browser: Browser) -> None:
    """R52: a campaign that erases waits; who asked cannot approve; another person does; then it begins."""
    add_endpoint(service)
    service.session("anna")
    browser.sign_in()
    asked = {
        "scenario": "login",
        "version_below": "2",
        "deadline": typed(service.clock() + timedelta(days=9)),
        "on_deadline": "erase",
        "remind_days": "3",
    }
    assert browser.post("/campaigns", asked).headers["location"] == "/ui/admin/approvals?done=asked"
    own = browser.get("/approvals").text
    assert "another person has to approve it" in own
    assert 'value="approve"' not in own
    found = re.search(r"/approvals/(approval_\w+)", own)
    assert found is not None
    path = f"/approvals/{found[1]}"
    assert browser.post(path, {"decision": "approve"}).status_code == 403
    assert browser.post(f"{path}/campaign").headers["location"].endswith("done=asked")
    browser.sign_in("operator")
    assert 'value="approve"' in browser.get("/approvals").text
    assert browser.post(path, {"decision": "maybe"}).status_code == 422
    assert browser.post(path, {"decision": "approve"}).headers["location"].endswith("done=approve")
    # An operator approves, and has no way to the campaigns.
    assert "Do it now" not in browser.get("/approvals").text
    assert browser.post(f"{path}/campaign").status_code == 403
    browser.sign_in()
    assert "Do it now" in browser.get("/approvals").text
    assert "/ui/admin/campaigns/campaign_" in browser.post(f"{path}/campaign").headers["location"]
    assert "privacy:campaign:created" in [event for event, _ in events(service)]
    assert "Running campaigns" in browser.get().text


def test_an_incident_from_entry_to_closing(service: Service, browser: Browser) -> None:
    """R54: the clock, how many it reached, disguised, telling, the names by two people, the signed report."""
    service.session("anna@example.com")
    now = service.clock()
    browser.sign_in()
    fields = {
        "title": "A disk <lost>",
        "nature": "A backup disk was lost.",
        "risk": "high",
        "aware_at": typed(now - timedelta(hours=1)),
        "reach": "used",
        "since": typed(now - timedelta(days=1)),
        "until": typed(now + timedelta(days=1)),
    }
    refused = browser.post("/incidents", fields | {"until": fields["since"]})
    assert refused.status_code == 422
    assert "A disk &lt;lost&gt;" in refused.text
    path = browser.post("/incidents", fields).headers["location"].removeprefix("/ui/admin").partition("?")[0]
    assert "71 hours left" in browser.get("/incidents").text
    service.clock.forward(72 * 3600)
    browser.sign_in()
    assert "overdue" in browser.get(path).text
    known = {"consequences": "None yet.", "measures": "Keys rotated.", "authority_at": typed(service.clock())}
    assert browser.post(path, known).status_code == 303
    shown = browser.get(path).text
    assert "after the 72 hours" in shown
    assert "Keys rotated." in shown
    assert "anna@example.com" not in shown
    assert browser.post(path, {"reach": "stored", "since": fields["since"], "until": fields["until"]}).is_redirect
    assert browser.post(f"{path}/close", {"conclusion": "Disks travel encrypted."}).status_code == 422
    told = browser.post(f"{path}/notices", {"text_en": "A disk was lost.", "elsewhere": "on"})
    assert told.status_code == 303
    assert "A second person has to approve it" in browser.post(f"{path}/recipients").text
    found = re.search(r"/approvals/(approval_\w+)", browser.get("/approvals").text)
    assert found is not None
    browser.sign_in("operator")
    browser.post(f"/approvals/{found[1]}", {"decision": "approve"})
    browser.sign_in("privacy")
    assert "shown this once" in browser.post(f"{path}/recipients").text
    assert browser.post(f"{path}/close", {"conclusion": "Disks travel encrypted."}).status_code == 303
    assert "The signed closing report" in browser.get(path).text


def test_a_place_for_backups_stands_until_it_is_taken_back(service: Service, browser: Browser) -> None:
    """Each kind of approval has its words; what stands once and for all can be refused later too."""
    assert {f"kind_{kind}" for kind in Kind} <= APPROVALS.keys()
    approvals, tenant = service.installation.approvals, {"tenant": DEFAULT_TENANT}
    with service.installation.data.begin() as conn:
        asked = approvals.request(conn, Kind.BACKUP_PLACE, {"what": "/there"}, actor="cli:ann", **tenant)
        approved = approvals.approve(conn, asked.approval_id, actor="cli:ben", **tenant)
        approvals.use(conn, approved, actor="cli:ann")
    browser.sign_in("operator")
    assert "Take back" in browser.get("/approvals").text
    assert browser.post(f"/approvals/{asked.approval_id}", {"decision": "reject"}).status_code == 303
    assert "Take back" not in browser.get("/approvals").text


def test_an_auditor_reads_incidents_and_enters_none(service: Service, browser: Browser) -> None:
    """R53: neither the button nor the form nor the act."""
    browser.sign_in("auditor")
    assert "/incidents/new" not in browser.get("/incidents").text
    assert browser.get("/incidents/new").status_code == 403
    assert browser.post("/incidents", {"title": "x"}).status_code in {403, 422}
    assert not [event for event, _ in events(service) if event.startswith("privacy:incident")]
