"""The console in Chromium: signing in by the form, every page at both widths, and axe's opinion of each."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from faceauth.db.tenants import DEFAULT_TENANT
from tests.api.conftest import Service
from tests.api.test_console_openid import provider, settings
from tests.api.test_console_operations import decided
from tests.api.test_console_people import fail, mark_of
from tests.campaigning import add_endpoint
from tests.openid_double import Provider

__all__ = ["provider", "settings"]

pytestmark = pytest.mark.browser

Looked = Callable[[Page, str], None]

ENGLISH = "# Signing in with your face"

PAGES: tuple[tuple[str, str, str], ...] = (
    ("privacy", "", "home"),
    ("privacy", "/scenarios", "scenarios"),
    ("privacy", "/scenarios/login", "scenario"),
    ("privacy", "/scenarios/login/notices/2", "notice"),
    ("privacy", "/scenarios/login/compare?older=1&newer=2", "compare"),
    ("privacy", "/drafts/new?scenario=login", "draft-notice"),
    ("privacy", "/drafts/new", "draft-scenario"),
    ("privacy", "/campaigns", "campaigns"),
    ("privacy", "/campaigns/new", "campaign-new"),
    ("privacy", "{campaign}", "campaign"),
    ("privacy", "/incidents", "incidents"),
    ("privacy", "/incidents/new", "incident-new"),
    ("privacy", "{incident}", "incident"),
    ("operator", "/approvals", "approvals"),
    ("operator", "/accounts", "accounts"),
    ("operator", "{account}", "account"),
    ("operator", "/attempts", "attempts"),
    ("operator", "/models", "models"),
    ("operator", "/keys", "keys"),
    ("operator", "/statistics", "statistics"),
    ("operator", "/health", "health"),
    ("auditor", "/audit", "audit"),
    ("auditor", "/scenarios", "refused"),
)
"""Role, path (or what `stock` made) and the pictures' name of each page, in the order of the roles."""


def stock(service: Service) -> dict[str, str]:
    """Put something onto every page; return where what was made has its page."""
    add_endpoint(service)
    service.session("anna@example.com")
    notices = {"en": f"{ENGLISH}\n\nKept 30 days.", "zh": "# 刷脸登录\n\n保存 30 天。"}
    posted(service, "scenarios/login/notices", {"notices": notices, "material": False, "recipients": ["A bank"]})
    posted(service, "drafts", {"scenario": "login", "notice": {"notices": {"en": ENGLISH}, "material": True}})
    later = (service.clock() + timedelta(days=9)).isoformat()
    asked = {"scenario": "login", "deadline": later, "on_deadline": "suspend"}
    campaign = posted(service, "campaigns", asked)["campaign"]["campaign_id"]
    known = {"title": "A disk was lost", "nature": "On its way.", "risk": "high"}
    window = {"reach": "used", "since": "2026-01-01T00:00:00Z", "until": later}
    entered = posted(service, "incidents", known | {"aware_at": service.clock().isoformat(), "scope": window})
    incident = entered["incident_id"]
    posted(service, f"incidents/{incident}/recipients", {})
    return {"campaign": f"/campaigns/{campaign}", "incident": f"/incidents/{incident}"}


def in_use(service: Service) -> str:
    """Put a fortnight of logins on record, two lockouts and a rotation; return somebody's mark."""
    here = service.installation
    stand_in: Any = here.pack
    stand_in.name = "open"
    for day in range(14):
        decided(service, 11 + day % 5)
        service.clock.forward(86_400)
    service.session("anna@example.com")
    fail(service, 5)
    fail(service, 5, "nobody@example.com")
    opened = service.session("ben@example.com", client_device="d1")
    with here.data.begin() as conn:
        for _ in range(20):
            here.desk.places.charge(conn, session_id=opened["session_id"], purpose="verify")
    here.data_keys.replace(DEFAULT_TENANT, "anna@example.com")
    assert service.call("POST", "/v1/admin/keys/rotate", role="operator", json={}).status_code == 200
    return mark_of(service)


def posted(service: Service, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = service.call("POST", f"/v1/admin/{path}", role="privacy", json=body)
    assert answer.status_code < 300, answer.text
    told: dict[str, Any] = answer.json()
    return told


def signed_in(page: Page, address: str, service: Service, role: str) -> None:
    page.get_by_label("API key").fill(service.secrets[role])
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{address}/ui/admin")


def test_every_page_can_be_seen_and_used(page: Page, address: str, service: Service, looked: Looked) -> None:
    """Issue 8, item 4: on a phone and at a desk, in both languages, with nothing asked of anybody else."""
    places = {"account": f"/accounts/{in_use(service)}"} | stock(service)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/ui/admin")
    expect(page).to_have_url(f"{address}/ui/admin/sign-in")
    looked(page, "console-sign-in")
    role = ""
    for wanted, path, name in PAGES:
        if wanted != role:
            role = wanted
            if "/sign-in" not in page.url:
                page.get_by_role("button", name="Sign out").click()
            signed_in(page, address, service, role)
        page.goto(f"{address}/ui/admin{path.format(**places)}")
        expect(page.locator("h1")).to_be_visible()
        page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        looked(page, f"console-{name}")
    # The last that was looked at is a page of one line; the audit log is verified from its own.
    page.goto(f"{address}/ui/admin/audit")
    page.get_by_role("button", name="Verify the log").click()
    expect(page.get_by_text("Whole: ")).to_be_visible()
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    looked(page, "console-home-zh")
    page.get_by_role("button", name="退出登录").click()
    expect(page).to_have_url(re.compile("/sign-in"))
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(address).netloc}


def test_progress_follows_by_itself(page: Page, address: str, service: Service) -> None:
    """Live progress: the page asks again every three seconds, and stops when the campaign is over."""
    path = stock(service)["campaign"]
    page.goto(f"{address}/ui/admin/sign-in")
    signed_in(page, address, service, "privacy")
    page.goto(f"{address}/ui/admin{path}")
    expect(page.get_by_text("0 of 1 answered")).to_be_visible()
    assert service.call("POST", f"/v1/admin{path}/cancel", role="privacy").status_code == 200
    expect(page.locator("[data-over]")).to_be_visible()
    expect(page.get_by_role("heading", name="Report")).to_be_visible()


def test_signing_in_with_the_organisation(page: Page, address: str, service: Service, provider: Provider) -> None:
    """There and back over another site: the strict cookie comes along from the page that the way ends on."""
    provider.issuer = provider.issuer.replace("127.0.0.1", "localhost")
    service.installation.settings.console.openid.issuer = provider.issuer
    service.installation.settings.issuer = address
    page.goto(f"{address}/ui/admin")
    page.get_by_role("link", name="Sign in with your organisation").click()
    expect(page).to_have_url(f"{address}/ui/admin")
    expect(page.locator("header")).to_contain_text("ann")
    kept = {one["name"]: one for one in page.context.cookies()}
    assert kept["faceauth-console"]["sameSite"] == "Strict"
    assert kept["faceauth-console"]["httpOnly"]
