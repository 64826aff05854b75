"""The hosted flow in a real browser: the notice, the box, the camera, the result, the way back.

The whole service is real but for the networks and the liveness gates, which the faces of tests/e2e go through.
"""

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from faceauth import pipeline as pipeline_module
from faceauth import sessions as sessions_module
from faceauth.api.app import create_app
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.liveness.challenge import make_challenge
from faceauth.settings import Settings
from faceauth.types import Challenge
from faceauth.vault.keyring import create_keyring
from tests import databases
from tests.clocks import HandClock
from tests.service import Service, everybody_is_live, make_service
from tests.web.conftest import listening, visited

pytestmark = pytest.mark.browser

SHOP = "https://shop.example"
CAMERA = Path(__file__).with_name("noise_camera.js").read_text(encoding="utf-8")


@dataclass
class Shop:
    """An application's backend, its people, and the pages that they come back to."""

    service: Service
    address: str
    http: httpx.Client

    def call(self, method: str, path: str, **more: Any) -> Any:
        answer = self.http.request(method, path, **more)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def link(self, purpose: str, **more: Any) -> tuple[str, str]:
        """Mint a flow for Anna; returns its id and its address here."""
        body = {"account_id": "anna", "scenario": "login", "purpose": purpose, "return_url": f"{SHOP}/done"}
        minted = self.call(
            "POST", "/v1/flows", json={**body, "reauthenticated_at": self.service.clock().isoformat(), **more}
        )
        fragment = minted["flow_url"].partition("#")[2]
        return minted["flow_id"], f"{self.address}/ui/capture#{fragment}"

    def outcome(self, flow_id: str) -> tuple[str, str | None]:
        told = self.call("GET", f"/v1/flows/{flow_id}")
        return told["state"], told["reason"]


def two_steps(**how: Any) -> Challenge:
    """Draw a challenge and keep its first two steps: nothing here looks at them."""
    whole = make_challenge(**how)
    return dataclasses.replace(whole, steps=whole.steps[:2])


@pytest.fixture
def shop(
    sqlite_database: databases.Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: Page
) -> Iterator[Shop]:
    monkeypatch.setattr(pipeline_module, "judge", everybody_is_live)
    monkeypatch.setattr(sessions_module, "make_challenge", two_steps)
    clock = HandClock()
    keyring = create_keyring(tmp_path / "keyring", now=clock())
    settings = Settings(data_dir=tmp_path, models_dir=tmp_path, cors_origins=[SHOP])
    service = make_service(sqlite_database, keyring, tmp_path, clock, settings=settings)
    with service.installation.data.begin() as conn:
        key = service.installation.apikeys.create(conn, tenant=DEFAULT_TENANT, role="application").secret
    page.route(
        re.compile(f"^{SHOP}"), lambda route: route.fulfill(body="<title>Shop</title>", content_type="text/html")
    )
    with (
        listening(create_app(service.installation)) as address,
        httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, trust_env=False) as http,
    ):
        shop = Shop(service, address, http)
        shop.call("PUT", "/v1/accounts/anna", json={})
        yield shop


def agree(page: Page) -> None:
    page.get_by_role("checkbox", name=re.compile("I have read this")).check()
    page.get_by_role("button", name="I agree").click()


def start(page: Page) -> None:
    page.get_by_role("button", name="Start the camera").click()


def back_with(page: Page, flow_id: str) -> None:
    expect(page).to_have_url(f"{SHOP}/done?flow={flow_id}", timeout=30_000)


def test_consent_enrolment_and_login_and_the_clicks_they_take(page: Page, shop: Shop) -> None:
    """R7, R30, R31."""
    clicks = "window.clicks = 0; addEventListener('click', (event) => event.isTrusted && window.clicks++, true);"
    page.add_init_script(clicks)
    page.add_init_script(CAMERA)
    flow_id, link = shop.link("enrol")
    page.goto(link)
    shown = page.locator("#text")
    expect(shown).to_contain_text("You choose.")
    with shop.service.installation.data.read() as conn:
        notice = shop.service.installation.notices.current(conn, DEFAULT_TENANT, "login", shop.service.clock())
    words = re.sub(r"\*\*|^# ", "", notice.texts["en"].text, flags=re.MULTILINE)
    assert re.sub(r"\s+", "", shown.inner_text()) == re.sub(r"\s+", "", words)
    agree(page)
    expect(page.locator("h1")).to_have_text("Set up login with your face")
    expect(page.locator("h1")).to_be_focused()
    start(page)
    expect(page.get_by_text("Done.").first).to_be_visible(timeout=30_000)
    enrolled = page.evaluate("window.clicks")
    back_with(page, flow_id)
    assert shop.outcome(flow_id) == ("accepted", None)
    (consent,) = shop.call("GET", "/v1/accounts/anna/consents")["consents"]
    assert (consent["state"], consent["notice_sha256"]) == ("given", notice.texts["en"].sha256)

    flow_id, link = shop.link("verify")
    page.goto(link)
    expect(page.get_by_role("button", name="Start the camera")).to_be_enabled()
    start(page)
    expect(page.get_by_text("Done.").first).to_be_visible(timeout=30_000)
    clicked = page.evaluate("window.clicks")
    session_id = shop.call("GET", f"/v1/flows/{flow_id}")["session_id"]
    assert shop.call("GET", f"/v1/sessions/{session_id}")["id_token"]
    back_with(page, flow_id)
    # A tick is a click on the box; agreeing and starting the camera are one each.
    assert (enrolled, clicked) == (3, 1)


def test_a_refusal_is_kept_and_nothing_is_captured(page: Page, shop: Shop) -> None:
    """R36."""
    flow_id, link = shop.link("enrol")
    page.goto(link)
    page.get_by_role("button", name="No, thank you").click()
    expect(page.get_by_text("You said no, and that is fine")).to_be_visible()
    assert shop.outcome(flow_id) == ("refused", None)
    page.get_by_role("link", name="Go back").click()
    back_with(page, flow_id)
    (consent,) = shop.call("GET", "/v1/accounts/anna/consents")["consents"]
    assert consent["state"] == "refused"


def test_without_a_tick_nothing_is_agreed_to(page: Page, shop: Shop) -> None:
    """R31."""
    _, link = shop.link("enrol")
    page.goto(link)
    page.get_by_role("button", name="I agree").click()
    expect(page.get_by_text("Tick the box if you agree")).to_be_visible()
    expect(page.get_by_role("checkbox")).to_be_focused()
    assert shop.call("GET", "/v1/accounts/anna/consents") == {"consents": []}


def test_a_link_works_once(page: Page, shop: Shop) -> None:
    _, link = shop.link("enrol")
    page.goto(link)
    expect(page.get_by_role("checkbox")).to_be_visible()
    assert page.url == f"{shop.address}/ui/capture"
    page.goto("about:blank")
    page.goto(link)
    expect(page.get_by_text("not valid any more")).to_be_visible()


KEPT = "JSON.stringify(sessionStorage)"


def test_a_page_that_is_reloaded_goes_on_where_it_was(page: Page, shop: Shop) -> None:
    """At the notice, before the camera, before it again, and in the end; R7, R31: nothing is ticked or filmed."""
    page.add_init_script(CAMERA)
    flow_id, link = shop.link("enrol")
    page.goto(link)
    box = page.get_by_role("checkbox", name=re.compile("I have read this"))
    box.check()
    page.reload()
    expect(box).not_to_be_checked()
    assert (page.url, page.evaluate(KEPT)) == (f"{shop.address}/ui/capture", "{}")
    agree(page)
    ready = page.get_by_role("button", name="Start the camera")
    expect(ready).to_be_enabled()
    session_id = shop.call("GET", f"/v1/flows/{flow_id}")["session_id"]
    page.reload()
    expect(page.locator("h1")).to_have_text("Set up login with your face")
    expect(ready).to_be_enabled()
    start(page)
    expect(page.locator("#steps li").first).to_be_attached()
    page.reload()
    expect(page.locator("#stage")).to_be_hidden()
    # The way back fails once, so that the page is still there to be reloaded in the end.
    page.route(re.compile(f"^{SHOP}"), lambda route: route.abort("aborted"), times=1)
    with page.expect_event("requestfailed", lambda failed: failed.url.startswith(SHOP), timeout=60_000):
        start(page)
    page.reload()
    back_with(page, flow_id)
    told = shop.call("GET", f"/v1/flows/{flow_id}")
    assert (told["state"], told["session_id"]) == ("accepted", session_id)
    assert len(shop.call("GET", "/v1/accounts/anna/consents")["consents"]) == 1


def test_only_the_tab_that_was_reloaded_goes_on(page: Page, browser: Browser, shop: Shop) -> None:
    """R14: a link, a copied tab, or a closed one that somebody opens again, is of no use to whoever comes next."""
    _, link = shop.link("enrol")
    page.goto(link)
    expect(page.get_by_role("checkbox")).to_be_visible()
    # What a copy of the tab has, as the browser makes one: the address and the tab's storage.
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    copied = page.evaluate(KEPT)
    assert "page_token" in copied
    page.goto("about:blank")
    page.goto(f"{shop.address}/ui/capture")
    expect(page.get_by_text("not valid any more")).to_be_visible()
    assert page.evaluate(KEPT) == "{}"
    # A new link is followed where the page is open already, though only what is behind the # is another.
    page.goto(shop.link("enrol")[1])
    expect(page.get_by_role("checkbox")).to_be_visible()
    assert page.url == f"{shop.address}/ui/capture"
    # Another device, with the link from a log or a history.
    with visited(browser) as other:
        other.goto(link)
        expect(other.get_by_text("not valid any more")).to_be_visible()
        other.reload()
        expect(other.get_by_text("not valid any more")).to_be_visible()


def test_who_said_no_reads_that_again_and_still_finds_the_way_back(page: Page, shop: Shop) -> None:
    flow_id, link = shop.link("enrol")
    page.goto(link)
    page.get_by_role("button", name="No, thank you").click()
    expect(page.get_by_text("You said no, and that is fine")).to_be_visible()
    page.reload()
    expect(page.get_by_text("You said no, and that is fine")).to_be_visible()
    page.get_by_role("link", name="Go back").click()
    back_with(page, flow_id)


def test_a_consent_withdrawn_before_the_camera_is_over_denies(page: Page, shop: Shop) -> None:
    """R33, R25: the page learns that it did not work, and the backend why."""
    shop.service.agree()
    flow_id, link = shop.link("enrol")
    page.goto(link)
    start(page)
    expect(page.locator("#steps li").nth(1)).to_be_attached()
    shop.service.withdraw()
    expect(page.get_by_text("That did not work. Please log in another way.").first).to_be_visible(timeout=30_000)
    assert shop.outcome(flow_id) == ("denied", "consent_required")
    page.get_by_role("link", name="Go back").click()
    back_with(page, flow_id)


def test_without_a_network_the_answer_waits_for_another_try(page: Page, shop: Shop) -> None:
    flow_id, link = shop.link("enrol")
    page.goto(link)
    page.get_by_role("checkbox").check()
    page.context.set_offline(True)
    page.get_by_role("button", name="I agree").click()
    expect(page.get_by_text("There is no connection")).to_be_visible()
    page.context.set_offline(False)
    page.get_by_role("button", name="I agree").click()
    expect(page.get_by_role("button", name="Start the camera")).to_be_enabled()
    assert shop.outcome(flow_id) == ("open", None)


def test_a_session_that_could_not_be_asked_for_is_asked_for_again(page: Page, shop: Shop) -> None:
    shop.service.agree()
    asked: list[str] = []

    def once_lost(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.abort()
        else:
            route.continue_()

    page.route(re.compile("/session$"), once_lost)
    _, link = shop.link("verify")
    page.goto(link)
    expect(page.get_by_text("There is no connection")).to_be_visible()
    expect(page.get_by_role("button", name="Start the camera")).to_be_enabled()
    assert len(asked) == 2


def test_who_agreed_before_sees_no_notice_and_another_language_is_kept(page: Page, shop: Shop) -> None:
    shop.service.agree()
    _, link = shop.link("verify", locale="zh")
    page.goto(link)
    expect(page.get_by_role("button", name="开启摄像头")).to_be_enabled()
    expect(page.locator("#notice")).to_be_hidden()


@pytest.mark.parametrize(
    ("path", "followed"),
    [
        ("/oauth2/continue/or_1", True),
        ("//evil.example/oauth2/continue/or_1", False),
        ("https://evil.example/", False),
        ("/oauth2/continue/../../elsewhere", False),
    ],
)
def test_a_session_returns_to_the_login_of_this_service_and_nowhere_else(
    page: Page, shop: Shop, path: str, *, followed: bool
) -> None:
    """R19."""
    shop.service.agree()
    opened = shop.service.open("verify")
    page.goto(f"{shop.address}/ui/capture#session={opened.session_id}&token={opened.client_token}&return={path}")
    page.get_by_role("button", name="Not now").click()
    expect(page.get_by_text("Nothing was taken").first).to_be_visible()
    back = page.get_by_role("link", name="Go back")
    if followed:
        expect(back).to_have_attribute("href", path)
    else:
        expect(back).to_be_hidden()
