"""The console's pages for running the service."""

import re
import threading
from datetime import timedelta
from typing import Any

import pytest

from faceauth.api.console.charts import bars, round_up
from faceauth.audit.events import Event
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import AuditUnavailable, StorageError
from tests.api.conftest import OTHER_TENANT, Service
from tests.api.test_console import Browser, browser, events
from tests.service import failing

__all__ = ["browser"]


def decided(service: Service, people: int, *, scenario: str = "login") -> None:
    """Put one accepted login of each of so many people on record, and one that was denied."""
    here = service.installation
    with here.data.begin() as conn:
        for number in range(people + 1):
            here.audit.append(
                conn,
                Event.SESSION_ACCEPTED if number < people else Event.SESSION_DENIED,
                tenant=DEFAULT_TENANT,
                account=f"person-{min(number, people - 1)}",
                actor="device",
                details={"scenario": scenario},
            )


def test_a_scale_ends_at_a_round_number() -> None:
    assert [round_up(most) for most in (0, 1, 3, 9, 10, 11, 99, 100, 101, 7_001)] == [
        *(2, 2, 4, 10, 20, 20, 100, 200, 200, 8_000)
    ]


def test_bars_stand_on_each_other_and_inside_the_drawing() -> None:
    drawn = bars([("a", (3, 1)), ("b", (0, 2))], ("accepted", "denied"))
    first, above, other = drawn.blocks
    assert first.y == pytest.approx(above.y + above.height)
    assert first.height == pytest.approx(3 * above.height, abs=0.2)
    assert other.height == pytest.approx(2 * above.height, abs=0.2)
    for one in drawn.blocks:
        assert 0 <= one.y <= one.y + one.height <= drawn.height
        assert drawn.left <= one.x <= one.x + one.width <= drawn.width
    assert [mark.text for mark in drawn.scale] == ["0", "2", "4"]
    assert bars([], ("answers",)).blocks == ()


def test_statistics_tell_no_group_of_few(service: Service, browser: Browser) -> None:
    """Issue 6, item 9, for the console: by day and scenario, with a chart, and nothing of few people."""
    decided(service, 12)
    decided(service, 3, scenario="door")
    service.clock.forward(86_400)
    browser.sign_in("operator")
    shown = browser.get("/statistics").text
    assert "<td>door" not in shown
    assert "fewer than 10 people are not told" in shown
    assert re.search(r"<title[^>]*>Logins decided a day</title>\s*<desc", shown)
    assert re.search(
        r'<td data-heading="Scenario">login</td><td class="number" data-heading="People">12</td>', shown
    )
    today = service.clock().date()
    wrong = browser.get(f"/statistics?since={today}&until={today + timedelta(days=2)}")
    assert wrong.status_code == 422
    assert browser.get("/statistics?since=&until=").status_code == 200
    for asked in ("since=x", "until=0001-01-02", "since=9999-12-01&until=9999-12-31"):
        assert browser.get(f"/statistics?{asked}").status_code == 422
    route = "/v1/admin/statistics?since=9999-12-01&until=9999-12-31"
    assert service.call("GET", route, role="operator").status_code == 422


def test_health_says_what_works_and_what_waits(
    service: Service, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.sign_in("operator")
    shown = browser.get("/health").text
    assert "The service can serve." in shown
    assert '<rect class="answers"' in shown
    monkeypatch.setattr(type(service.installation.data), "check_writable", failing(StorageError("full")))
    broken = browser.get("/health").text
    assert "The service cannot serve now." in broken
    assert "<code>storage</code>" in broken
    assert service.http.get("/readyz").status_code == 503


def test_latencies_are_told_by_their_step(service: Service) -> None:
    found: Any = service.call("GET", "/v1/admin/health", role="operator").json()
    before = sum(one["answers"] for one in found["latencies"])
    assert service.http.get("/healthz").status_code == 200
    after = service.call("GET", "/v1/admin/health", role="operator").json()["latencies"]
    assert sum(one["answers"] for one in after) == before + 2
    assert after[-1]["up_to_s"] is None


def pages_of_audit(browser: Browser, path: str) -> list[int]:
    return [int(one) for one in re.findall(r'<th scope="row">(\d+)</th>', browser.get(path).text)]


def test_audit_shows_the_newest_records_first(service: Service, browser: Browser) -> None:
    """R50: by event and day, a page at a time, and nobody by name."""
    service.session("anna@example.com")
    decided(service, 60)
    browser.sign_in("auditor")
    newest = pages_of_audit(browser, "/audit")
    assert newest == sorted(newest, reverse=True)
    assert len(newest) == 50
    shown = browser.get("/audit").text
    assert "anna" not in shown
    older = pages_of_audit(browser, f"/audit?before={newest[-1]}")
    assert f"/ui/admin/audit?before={newest[-1]}" in shown
    assert max(older) == newest[-1] - 1
    assert len(pages_of_audit(browser, "/audit?event=person:consent:given")) == 1
    today = service.clock().date()
    assert pages_of_audit(browser, f"/audit?day={today}") == newest
    assert pages_of_audit(browser, f"/audit?day={today + timedelta(days=1)}") == []
    assert pages_of_audit(browser, f"/audit?day={today}&before={newest[-1]}&event=service:session:denied") == []
    for wrong in ("event=none", "day=soon", "before=x", f"day={'9' * 60}"):
        refused = browser.get(f"/audit?{wrong}")
        assert refused.status_code == 422, wrong
        assert 'role="alert"' in refused.text


def test_audit_is_verified_from_the_page(service: Service, browser: Browser) -> None:
    """R51: the walk is begun, followed, and names the first record that does not fit."""
    service.session()
    browser.sign_in("auditor")
    assert "Not verified since" in browser.get("/audit").text
    checking = service.app.state.checking
    assert browser.post("/audit/check").headers["location"] == "/ui/admin/audit"
    checking.wait()
    assert "Whole: " in browser.get("/audit/check").text
    note = browser.post("/audit/checkpoint").text.partition("<pre>")[2].partition("</pre>")[0]
    kept = service.call("GET", "/v1/admin/audit/checkpoint", role="auditor").json()["note"]
    assert note.splitlines()[0] == kept.splitlines()[0]
    browser.post("/audit/check", {"checkpoint": kept.replace("\n", "\r\n")})
    checking.wait()
    assert "Whole: " in browser.get("/audit").text
    assert browser.post("/audit/check", {"checkpoint": "not one"}).status_code == 422
    with service.installation.data.begin() as conn:
        conn.exec_driver_sql("DROP TRIGGER IF EXISTS audit_log_no_update")
        conn.exec_driver_sql("UPDATE audit_log SET actor = 'somebody' WHERE seq = 2")
    browser.post("/audit/check")
    checking.wait()
    assert "Record 2 was altered" in browser.get("/audit/check").text


def test_a_walk_that_fails_says_that_nothing_is_known(
    service: Service, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    checking = service.app.state.checking
    for error, code in ((StorageError("gone"), "storage"), (RuntimeError("odd"), "internal")):
        monkeypatch.setattr(type(service.installation.audit), "verify_in_pages", failing(error))
        assert checking.begin().state == "running"
        checking.wait()
        assert (checking.check.state, checking.check.code) == ("failed", code)
    browser.sign_in("auditor")
    assert "nothing is known" in browser.get("/audit/check").text


def test_a_walk_ends_with_the_service(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """One at a time; who asks meanwhile is told of the one that goes on."""
    checking = service.app.state.checking
    goes_on = threading.Event()

    def walk(*_: Any, progress: Any, **__: Any) -> None:
        while True:
            progress(1, 2)
            goes_on.set()

    monkeypatch.setattr(type(service.installation.audit), "verify_in_pages", walk)
    checking.begin()
    assert goes_on.wait(5)
    assert checking.begin() == checking.check
    assert (checking.check.state, checking.check.done, checking.check.of) == ("running", 1, 2)
    checking.close()
    assert (checking.check.state, checking.check.code) == ("failed", "closing")
    assert checking.begin().state == "failed"


def shown_once(answer: Any) -> str:
    found = re.search(r'class="secret"><code>(fa_[\w-]+)<', answer.text)
    assert found is not None, answer.text
    return found[1]


def test_an_application_s_key_is_made_shown_once_exchanged_and_revoked(service: Service, browser: Browser) -> None:
    browser.sign_in("operator")
    secret = shown_once(browser.post("/keys/issue", {"role": "application", "label": "The shop"}))
    service.secrets["shop"] = secret
    assert service.call("GET", "/v1/scenarios", role="shop").status_code == 200
    page = browser.get("/keys").text
    assert secret not in page
    (key_id,) = [one["key_id"] for one in listed(service) if one["label"] == "The shop"]
    newer = shown_once(browser.post(f"/keys/{key_id}/rotate", {"overlap_hours": "0"}))
    assert service.call("GET", "/v1/scenarios", role="shop").status_code == 401
    service.secrets["shop"] = newer
    assert service.call("GET", "/v1/scenarios", role="shop").status_code == 200
    (key_id,) = [one["key_id"] for one in listed(service) if one["label"] == "The shop" and not one["expires_at"]]
    assert browser.post(f"/keys/{key_id}/revoke").status_code == 422
    assert browser.post(f"/keys/{key_id}/revoke", {"sure": "on"}).status_code == 303
    assert service.call("GET", "/v1/scenarios", role="shop").status_code == 401
    wrong = browser.post("/keys/issue", {"role": "application", "expires_days": "x", "label": "Kept"})
    assert wrong.status_code == 422
    assert 'value="Kept"' in wrong.text
    told = [one for one, _ in events(service) if ":apikey:" in one]
    assert [one.rpartition(":")[2] for one in told] == ["created", "rotated", "revoked"]


def listed(service: Service) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.call("GET", "/v1/admin/apikeys", role="operator").json()["keys"]
    return found


def test_nobody_gets_a_second_administrator_s_key_alone(service: Service, browser: Browser) -> None:
    """R52: who held two of them could approve what they asked for themselves."""
    (mine,) = [one["key_id"] for one in listed(service) if one["role"] == "operator"]
    browser.sign_in("operator")
    for path, asked in (
        ("/keys/issue", {"role": "privacy", "label": "Ben"}),
        (f"/keys/{mine}/rotate", {"overlap_hours": "1"}),
    ):
        before = len(listed(service))
        assert browser.post(path, asked).headers["location"] == "/ui/admin/approvals?done=asked"
        assert browser.post(path, asked).status_code == 303
        assert len(listed(service)) == before
        waiting = service.call("GET", "/v1/admin/approvals", role="operator").json()["approvals"]
        (one,) = [one["approval_id"] for one in waiting if one["state"] == "requested"]
        body = {"decision": "approve"}
        own = service.call("POST", f"/v1/admin/approvals/{one}", role="operator", json=body)
        assert own.status_code == 403
        assert service.call("POST", f"/v1/admin/approvals/{one}", role="privacy", json=body).status_code == 200
        other = browser.post(path, {**asked, "label": "Carl", "overlap_hours": "2"})
        assert other.status_code == 303  # another act than the approved one
        shown_once(browser.post(path, asked))
        assert len(listed(service)) == before + 1
        for left in service.call("GET", "/v1/admin/approvals", role="operator").json()["approvals"]:
            if left["state"] == "requested":
                service.call(
                    "POST",
                    f"/v1/admin/approvals/{left['approval_id']}",
                    role="operator",
                    json={"decision": "reject"},
                )


def test_another_tenant_s_key_is_none(service: Service) -> None:
    with service.installation.data.read() as conn:
        (other,) = service.installation.apikeys.list(conn, OTHER_TENANT)
    for method, path in (("POST", f"{other.key_id}/rotate"), ("DELETE", other.key_id)):
        body: dict[str, Any] = {"json": {}} if method == "POST" else {}
        assert service.call(method, f"/v1/admin/apikeys/{path}", role="operator", **body).status_code == 404


def test_no_record_no_key(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """R49."""
    before = listed(service)
    monkeypatch.setattr(type(service.installation.audit), "append", failing(AuditUnavailable("full")))
    answer = service.call("POST", "/v1/admin/apikeys", role="operator", json={"role": "application"})
    assert answer.status_code == 503
    revoked = service.call("DELETE", f"/v1/admin/apikeys/{before[0]['key_id']}", role="operator")
    assert revoked.status_code == 503
    assert listed(service) == before


def test_wrapping_keys_are_rotated_and_destroyed_from_the_page(service: Service, browser: Browser) -> None:
    """R45, R52: what is wrapped under each version is told; destroying one takes two people."""
    here = service.installation
    here.data_keys.replace(DEFAULT_TENANT, "anna")
    browser.sign_in("operator")
    assert 'class="number" data-heading="Data keys under it">1<' in browser.get("/keys").text
    assert "Destroy version 1" not in browser.get("/keys").text
    assert "1 data keys were wrapped anew, 0 did not open" in browser.post("/keys/wrapping", {"retire": "on"}).text
    shown = browser.get("/keys").text
    assert "Destroy version 1" in shown
    for key in (*here.place.load().kek.values(), here.place.load().pseudonym_key):
        assert bytes(key).hex() not in shown
    asked = {"version": "1", "sure": "on"}
    assert browser.post("/keys/destroy", {"version": "1"}).status_code == 422
    assert browser.post("/keys/destroy", asked).headers["location"] == "/ui/admin/approvals?done=asked"
    (one,) = service.call("GET", "/v1/admin/approvals", role="privacy").json()["approvals"]
    approve = {"decision": "approve"}
    service.call("POST", f"/v1/admin/approvals/{one['approval_id']}", role="privacy", json=approve)
    assert "Version 1 is destroyed." in browser.post("/keys/destroy", asked).text
    assert service.call("GET", "/v1/admin/keys", role="operator").json()["versions"] == [
        {"version": 1, "destroyed": True, "data_keys": 0},
        {"version": 2, "destroyed": False, "data_keys": 1},
    ]
