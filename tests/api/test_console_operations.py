"""The console's pages for running the service."""

import re
from datetime import timedelta
from typing import Any

import pytest

from faceauth.api.console.charts import bars, round_up
from faceauth.audit.events import Event
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import StorageError
from tests.api.conftest import Service
from tests.api.test_console import Browser, browser
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
    assert browser.get("/statistics?since=x").status_code == 422


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
