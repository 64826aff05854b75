"""The console's pages about people, and the routes behind them."""

import re
from datetime import timedelta
from typing import Any

import pytest

from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import AuditUnavailable
from tests.api.conftest import OTHER_TENANT, Service
from tests.api.test_console import Browser, browser, events
from tests.service import failing

__all__ = ["browser"]

ANNA = "anna@example.com"


def mark_of(service: Service, account: str = ANNA) -> str:
    return service.installation.audit.pseudonym(DEFAULT_TENANT, account)


def fail(service: Service, times: int, account: str = ANNA) -> None:
    for _ in range(times):
        with service.installation.data.begin() as conn:
            service.installation.attempts.charge(conn, tenant=DEFAULT_TENANT, account=account)


def test_everybody_is_listed_disguised(service: Service, browser: Browser) -> None:
    """R50: no name in the clear, on no page and in no address; those of another tenant not at all."""
    service.session(ANNA)
    with service.installation.data.begin() as conn:
        for number in range(55):
            name = f"zoe-{number}"
            service.installation.accounts.ensure(conn, tenant=DEFAULT_TENANT, account=name, now=service.clock())
        service.installation.accounts.ensure(
            conn, tenant=OTHER_TENANT, account="bert@x.example", now=service.clock()
        )
    browser.sign_in("operator")
    shown = browser.get("/accounts").text
    assert "a***@example.com" in shown
    assert ANNA not in shown
    assert "x.example" not in shown
    assert shown.count("/ui/admin/accounts/") == 50 + 1  # and the search
    rest = browser.get("/accounts?number=2").text
    assert rest.count("z***") == 6
    assert browser.get("/accounts?number=0").status_code == 422


def test_a_search_takes_the_whole_name_and_is_on_record(service: Service, browser: Browser) -> None:
    service.session(ANNA)
    browser.sign_in("operator")
    found = browser.post("/accounts/search", {"account_id": ANNA})
    assert found.headers["location"] == f"/ui/admin/accounts/{mark_of(service)}"
    for wrong, status in (("anna", 404), ("ANNA@example.com", 404), ("no such name", 422), ("", 422)):
        assert browser.post("/accounts/search", {"account_id": wrong}).status_code == status
    with service.installation.data.read() as conn:
        every = service.installation.audit.records(conn, limit=500)
    told = [(one.subject, one.details["state"]) for one in every if one.event == "operator:account:searched"]
    assert told == [
        (mark_of(service), "found"),
        (mark_of(service, "anna"), "none"),
        (mark_of(service, "ANNA@example.com"), "none"),
    ]


def test_one_person_with_consents_devices_and_acts_by_role(service: Service, browser: Browser) -> None:
    """R53: an operator unlocks; suspending and closing are the privacy officer's. Looking is on record."""
    service.session(ANNA)
    path = f"/accounts/{mark_of(service)}"
    browser.sign_in("operator")
    shown = browser.get(path).text
    assert "a***@example.com" in shown
    assert ANNA not in shown
    assert re.search(r'<th scope="row">login</th>\s*<td[^>]*><span class="badge good">agreed', shown)
    assert "The face may be tried." in shown
    assert f"{path}/close" not in shown
    for act in ("restriction", "close"):
        assert browser.post(f"{path}/{act}", {"sure": "on"}).status_code == 403
    assert browser.get(f"/accounts/{'0' * 64}").status_code == 404
    assert browser.get("/accounts/anna").status_code == 422
    browser.sign_in("privacy")
    assert browser.post(f"{path}/restriction", {"restricted": "yes"}).status_code == 303
    assert "Suspended since" in browser.get(path).text
    assert service.call("GET", f"/v1/accounts/{ANNA}").json()["restricted_at"] is not None
    assert browser.post(f"{path}/restriction", {"restricted": "no"}).status_code == 303
    assert service.call("GET", f"/v1/accounts/{ANNA}").json()["restricted_at"] is None
    assert browser.post(f"{path}/close").status_code == 422
    receipt = re.search(r"<pre>(ey[\w.-]+)</pre>", browser.post(f"{path}/close", {"sure": "on"}).text)
    assert receipt is not None
    assert service.call("GET", f"/v1/accounts/{ANNA}").status_code == 404
    assert browser.get(path).status_code == 404
    told = [(event, actor.partition(":")[0]) for event, actor in events(service)]
    for event in ("person:processing:restricted", "person:account:closed", "operator:account:read"):
        assert (event, "apikey") in told


def test_lockouts_by_each_limit(service: Service, browser: Browser) -> None:
    """R10: who, since when, until when, by which limit; a name that is no account is told as one."""
    service.session(ANNA)
    fail(service, 5)
    fail(service, 5, "nobody@example.com")
    opened = service.session("ben", client_device="d1", client_address="192.0.2.1")
    with service.installation.data.begin() as conn:
        for _ in range(20):
            service.installation.desk.places.charge(conn, session_id=opened["session_id"], purpose="verify")
    browser.sign_in("operator")
    shown = browser.get("/attempts").text
    until = service.clock() + timedelta(seconds=30)
    assert f"{until:%Y-%m-%d %H:%M:%S}" in shown
    assert "levels with the flash are open" in shown
    assert re.search(r'n\*\*\*@example.com <span class="badge soft">no account', shown)
    assert '<th scope="row">device: logins</th>' in shown
    assert "network:" not in shown
    for hidden in (ANNA, "nobody@", "192.0.2.1", "d1<"):
        assert hidden not in shown
    service.clock.forward(3600)
    browser.sign_in("operator")
    later = browser.get("/attempts").text
    assert "Nobody is locked out." in later
    assert "No device and no network is locked out." in later


def test_unlocking_takes_a_fresh_proof(service: Service, browser: Browser) -> None:
    """R10: by hand as by the application, only after another factor was seen just now."""
    service.session(ANNA)
    fail(service, 5)
    path = f"/accounts/{mark_of(service)}"
    browser.sign_in("operator")
    assert "Face login is locked" in browser.get(path).text
    assert browser.post(f"{path}/unlock").status_code == 422
    assert browser.post(f"{path}/unlock", {"sure": "on"}).headers["location"].endswith("?done=unlocked")
    assert "The face may be tried." in browser.get(path).text
    old = {"reauthenticated_at": (service.clock() - timedelta(hours=1)).isoformat()}
    route = f"/v1/admin{path}/attempts/restore"
    assert service.call("POST", route, role="operator", json=old).status_code == 403
    assert ("application:attempts:restored", "apikey") in [(e, a.partition(":")[0]) for e, a in events(service)]


def test_no_record_nothing_told(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """R49: a search or a look that cannot be audited answers nothing."""
    service.account(ANNA)
    monkeypatch.setattr(type(service.installation.audit), "append", failing(AuditUnavailable("full")))
    asked: dict[str, Any] = {"json": {"account_id": ANNA}}
    assert service.call("POST", "/v1/admin/accounts/search", role="privacy", **asked).status_code == 503
    assert service.call("GET", f"/v1/admin/accounts/{mark_of(service)}", role="privacy").status_code == 503
