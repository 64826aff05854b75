"""The console in Chromium: signing in by the form, every page at both widths, and axe's opinion of each."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.api.conftest import Service

pytestmark = pytest.mark.browser

Looked = Callable[[Page, str], None]

PAGES: tuple[tuple[str, str, str], ...] = (
    ("privacy", "", "home"),
    ("privacy", "/scenarios", "scenarios"),
    ("privacy", "/scenarios/login", "scenario"),
    ("privacy", "/scenarios/login/notices/2", "notice"),
    ("privacy", "/scenarios/login/compare?older=1&newer=2", "compare"),
    ("privacy", "/drafts/new?scenario=login", "draft-notice"),
    ("privacy", "/drafts/new", "draft-scenario"),
    ("auditor", "/scenarios", "refused"),
)
"""Role, path and the pictures' name of each page, in the order of the roles."""


def stock(service: Service) -> None:
    """Put something onto every page."""
    notices = {"en": "# Signing in with your face\n\nKept 30 days.", "zh": "# 刷脸登录\n\n保存 30 天。"}
    body = {"notices": notices, "material": False, "recipients": ["A bank"], "retention_days": 30}
    made = service.call("POST", "/v1/admin/scenarios/login/notices", role="privacy", json=body)
    assert made.status_code == 201, made.text
    draft = {"scenario": "login", "notice": {"notices": {"en": "# Again"}, "material": True}}
    assert service.call("POST", "/v1/admin/drafts", role="privacy", json=draft).status_code == 201


def test_every_page_can_be_seen_and_used(page: Page, address: str, service: Service, looked: Looked) -> None:
    """Issue 8, item 4: on a phone and at a desk, in both languages, with nothing asked of anybody else."""
    stock(service)
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
            page.get_by_label("API key").fill(service.secrets[role])
            page.get_by_role("button", name="Sign in").click()
            expect(page).to_have_url(f"{address}/ui/admin")
        page.goto(f"{address}/ui/admin{path}")
        expect(page.locator("h1")).to_be_visible()
        looked(page, f"console-{name}")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    looked(page, "console-home-zh")
    page.get_by_role("button", name="退出登录").click()
    expect(page).to_have_url(re.compile("/sign-in"))
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(address).netloc}
