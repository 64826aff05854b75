"""The console's frame: signing in and out, how long that lasts, who sees what, and what a form needs."""

import importlib
import pkgutil
import re
from datetime import timedelta
from typing import Any

import pytest

from faceauth.api.access import rule_of
from faceauth.api.console import texts
from faceauth.api.console.menu import MENU
from faceauth.console import ADMINISTRATORS
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import AuditUnavailable
from faceauth.identity.console_sessions import FAILURES
from tests.api.conftest import Service
from tests.service import failing

ADMIN = "/ui/admin"


class Browser:
    """A browser at the console of a service under test."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.http = service.http
        self.http.cookies.clear()

    def sign_in(self, role: str = "privacy", *, key: str | None = None) -> Any:
        secret = self.service.secrets[role] if key is None else key
        return self.http.post(f"{ADMIN}/sign-in", data={"key": secret}, follow_redirects=False)

    def get(self, path: str = "", **more: Any) -> Any:
        return self.http.get(f"{ADMIN}{path}", follow_redirects=False, **more)

    def token(self) -> str:
        found = re.search(r'name="form_token" value="(\w+)"', self.get().text)
        assert found is not None
        return found[1]

    def post(self, path: str, fields: dict[str, Any] | None = None, **more: Any) -> Any:
        told = {"form_token": self.token()} | (fields or {})
        return self.http.post(f"{ADMIN}{path}", data=told, follow_redirects=False, **more)


@pytest.fixture
def browser(service: Service) -> Browser:
    return Browser(service)


def events(service: Service) -> list[tuple[str, str]]:
    with service.installation.data.read() as conn:
        return [(one.event, one.actor) for one in service.installation.audit.records(conn, limit=500)]


def test_signing_in_and_out(service: Service, browser: Browser) -> None:
    """Both are on record, under the key; the cookie is the console's alone and no script reads it."""
    assert browser.get().headers["location"] == f"{ADMIN}/sign-in"
    answer = browser.sign_in()
    assert (answer.status_code, answer.headers["location"]) == (303, ADMIN)
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "Path=/ui/admin", "SameSite=strict"} <= set(cookie.split("; "))
    assert service.secrets["privacy"] not in cookie
    home = browser.get()
    assert home.status_code == 200
    assert service.secrets["privacy"] not in home.text
    assert browser.post("/sign-out").headers["location"] == f"{ADMIN}/sign-in?done=out"
    assert browser.get().status_code == 303
    (opened, closed) = [one for one in events(service) if ":console:" in one[0]]
    assert (opened[0], closed[0]) == ("operator:console:opened", "operator:console:closed")
    assert opened[1] == closed[1]
    assert opened[1].startswith("apikey:key_")


def test_who_is_let_in(service: Service, browser: Browser) -> None:
    """An administrator's key and no other; nothing of a refusal tells why a key is none."""
    for secret, status in ((service.secrets["application"], 403), ("fa_nothing", 401), ("", 401)):
        answer = browser.sign_in(key=secret)
        assert answer.status_code == status
        assert "set-cookie" not in answer.headers
    for role, word in (("operator", "operator"), ("privacy", "privacy officer"), ("auditor", "auditor")):
        assert browser.sign_in(role).status_code == 303
        assert f"<b>{word}</b>" in browser.get().text


def test_too_many_failures_from_a_network(service: Service, browser: Browser) -> None:
    for _ in range(FAILURES):
        assert browser.sign_in(key="fa_guess").status_code == 401
    assert browser.sign_in().status_code == 403
    assert "quarter of an hour" in browser.sign_in().text
    service.clock.forward(15 * 60)
    assert browser.sign_in().status_code == 303


def test_a_session_ends_by_lying_idle_and_by_age(service: Service, browser: Browser) -> None:
    limits = service.installation.settings.console
    browser.sign_in()
    for _ in range(limits.longest_hours * 60 // limits.idle_minutes):
        assert browser.get().status_code == 200
        service.clock.forward(limits.idle_minutes * 60 - 1)
    service.clock.forward(limits.longest_hours)
    assert browser.get().status_code == 303
    browser.sign_in()
    service.clock.forward(limits.idle_minutes * 60)
    assert browser.get().status_code == 303


def test_a_revoked_key_ends_its_sessions_at_once(service: Service, browser: Browser) -> None:
    browser.sign_in()
    key_id = re.search(r"<code>(key_\w+)</code>", browser.get().text)
    assert key_id is not None
    with service.installation.data.begin() as conn:
        service.installation.apikeys.revoke(conn, key_id[1])
    assert browser.get().headers["location"] == f"{ADMIN}/sign-in"


def test_a_key_that_expires_ends_its_sessions(service: Service, browser: Browser) -> None:
    soon = service.clock() + timedelta(minutes=5)
    with service.installation.data.begin() as conn:
        made = service.installation.apikeys.create(conn, tenant=DEFAULT_TENANT, role="auditor", expires_at=soon)
    browser.sign_in(key=made.secret)
    assert browser.get().status_code == 200
    service.clock.forward(300)
    assert browser.get().status_code == 303


def test_a_form_comes_from_the_console_s_own_pages(service: Service, browser: Browser) -> None:
    """Without the session's own token, or from another site, nothing is done; a stranger's token opens nothing."""
    browser.sign_in()
    stranger = browser.token()
    browser.sign_in()
    assert browser.token() != stranger
    for told, headers in (
        ({"form_token": ""}, {}),
        ({"form_token": stranger}, {}),
        ({}, {"Sec-Fetch-Site": "cross-site"}),
        ({}, {"Sec-Fetch-Site": "same-site"}),
    ):
        assert browser.post("/sign-out", told, headers=headers).status_code == 403
    assert browser.get().status_code == 200
    key = {"key": service.secrets["privacy"]}
    crossed = {"Sec-Fetch-Site": "cross-site"}
    assert service.http.post(f"{ADMIN}/sign-in", data=key, headers=crossed).status_code == 403
    assert browser.post("/sign-out", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303


def test_the_language_can_be_chosen(browser: Browser) -> None:
    browser.sign_in()
    assert browser.post("/language", {"language": "zh"}).status_code == 303
    shown = browser.get().text
    assert '<html lang="zh">' in shown
    assert "管理控制台" in shown


def test_the_pages_may_load_nothing_from_elsewhere(browser: Browser) -> None:
    browser.sign_in()
    for answer in (browser.get(), browser.get("/sign-in"), browser.get("/nothing")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "form-action 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"


def test_no_record_no_session(service: Service, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """R49: what cannot be audited is not done."""
    monkeypatch.setattr(type(service.installation.audit), "append", failing(AuditUnavailable("full")))
    assert "set-cookie" not in browser.sign_in().headers
    assert browser.get().status_code == 303


def test_every_word_is_there_in_both_languages() -> None:
    for module in pkgutil.iter_modules(texts.__path__):
        there = vars(importlib.import_module(f"{texts.__name__}.{module.name}"))
        for table in (one for name, one in there.items() if name.isupper()):
            assert all(english.strip() and chinese.strip() for english, chinese in table.values())
            for english, chinese in table.values():
                assert re.findall(r"{(\w+)}", english) == unordered(re.findall(r"{(\w+)}", chinese), english)


def unordered(found: list[str], english: str) -> list[str]:
    """The names in the order of the English text, which Chinese need not keep."""
    return sorted(found, key=lambda name: english.index(f"{{{name}}}"))


def test_every_page_of_the_menu_belongs_to_a_route(service: Service, browser: Browser) -> None:
    """R53: a page is in the menu of those, and answers those, whom the route behind it lets in."""
    for role in ADMINISTRATORS:
        browser.sign_in(role)
        shown = browser.get().text
        for entry in MENU:
            may = entry.route is None or role in rule_of(entry.route).roles
            assert (f'href="{entry.path}"' in shown.partition("</nav>")[0].partition("<nav")[2]) is may
            assert browser.get(entry.path.removeprefix(ADMIN)).status_code == (200 if may else 403), entry.name
