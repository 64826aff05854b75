"""The console's pages about scenarios, notices and drafts."""

import re

import pytest

from tests.api.conftest import Service
from tests.api.test_console import Browser, browser, events

__all__ = ["browser"]

WORDS = "# Logging in\nKept 90 days."


def draft_of(location: str) -> str:
    found = re.search(r"/drafts/(draft_\w+)", location)
    assert found is not None
    return found[1]


def test_a_notice_from_draft_to_publication(service: Service, browser: Browser) -> None:
    """A draft is compared with what is in force; publishing takes a tick; the audit log names the key."""
    browser.sign_in()
    typed = {"kind": "notice", "scenario": "login", "text_en": WORDS, "recipients": "A bank\r\nA shop"}
    answer = browser.post("/drafts/new", typed)
    draft = draft_of(answer.headers["location"])
    shown = browser.get(f"/drafts/{draft}").text
    assert '<li class="new">' in shown
    assert "A bank\nA shop" in shown
    assert browser.post(f"/drafts/{draft}", typed | {"text_en": f"{WORDS}\nMore."}).status_code == 303
    assert browser.post(f"/drafts/{draft}/publish").status_code == 422
    answer = browser.post(f"/drafts/{draft}/publish", {"sure": "on"})
    assert answer.headers["location"] == "/ui/admin/scenarios/login?done=published"
    shown = browser.get("/scenarios/login?done=published").text
    assert "Published." in shown
    assert "Version 2" in shown
    assert "(Recipients)" in shown
    assert "privacy:notice:published" in [event for event, _ in events(service)]
    compared = browser.get("/scenarios/login/compare?older=1&newer=2").text
    assert "A bank" in compared
    assert '<li class="new">' in compared
    assert WORDS.partition("\n")[2] in browser.get("/scenarios/login/notices/2").text
    assert browser.get(f"/drafts/{draft}").status_code == 404
    assert browser.get("/scenarios/login/compare?older=1&newer=9").status_code == 404
    assert browser.get("/scenarios/login/compare?older=x&newer=2").status_code == 422


def test_a_scenario_is_drafted_kept_and_thrown_away(service: Service, browser: Browser) -> None:
    """What is malformed is told on the form, which keeps what was typed."""
    browser.sign_in()
    typed = {
        "kind": "scenario",
        "scenario": "Payment!",
        "mode": "verify",
        "liveness_level": "motion+flash",
        "device_key": "required",
        "title_en": "Pay <b>",
        "retention_days": "90",
        "text_en": "# Paying",
        "other_locale": "fr",
        "other_text": "# Payer",
    }
    refused = browser.post("/drafts/new", typed)
    assert refused.status_code == 422
    assert "scenario" in refused.text
    assert "Pay &lt;b&gt;" in refused.text
    assert "# Payer" in refused.text
    draft = draft_of(browser.post("/drafts/new", typed | {"scenario": "payment"}).headers["location"])
    assert "payment" in browser.get("/scenarios").text
    assert service.call("GET", "/v1/scenarios").json()["scenarios"][0]["scenario"] == "login"
    assert browser.post(f"/drafts/{draft}/delete").headers["location"].endswith("done=deleted")
    assert browser.get(f"/drafts/{draft}").status_code == 404


@pytest.mark.parametrize("sure", [False, True])
def test_closing_a_scenario_takes_a_tick(service: Service, browser: Browser, sure: bool) -> None:
    browser.sign_in()
    saved = browser.post("/scenarios/login/settings", {"device_key": "required"})
    assert saved.status_code == 303
    page = browser.get("/scenarios/login").text
    assert 'value="required" selected' in page
    assert 'name="flash_choice" type="checkbox">' in page
    answer = browser.post("/scenarios/login/retire", {"sure": "on"} if sure else {})
    assert answer.status_code == (303 if sure else 422)
    assert ("privacy:scenario:retired" in [event for event, _ in events(service)]) is sure
