"""The privacy page in a real browser: agreeing, withdrawing, pausing, taking along, deleting (R31, R32)."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.api.conftest import Service
from tests.api.test_devices import bound
from tests.devices import RawDevice

pytestmark = pytest.mark.browser

Looked = Callable[[Page, str], None]


def visit(
    page: Page, address: str, service: Service, *, locale: str = "en", renewal: dict[str, str] | None = None
) -> None:
    """Open the page by a fresh link."""
    service.call("PUT", "/v1/accounts/anna", json={"locale": locale})
    url = service.call("POST", "/v1/accounts/anna/privacy-link", json={"renewal": renewal}).json()["privacy_url"]
    page.goto(f"{address}/ui/privacy{url.partition('/ui/privacy')[2]}")
    expect(page.locator("article").first).to_be_visible()


def test_giving_and_withdrawing_are_as_easy(page: Page, address: str, service: Service, looked: Looked) -> None:
    """R30, R31, R32: the text is there, the box unticked; agreeing takes two acts, withdrawing one."""
    visit(page, address, service)
    assert "token" not in page.url
    box = page.get_by_role("checkbox", name="My face may be used for this one thing")
    expect(box).not_to_be_checked()
    expect(page.get_by_text("You choose.")).to_be_visible()
    page.get_by_role("button", name="I agree").click()
    expect(page.get_by_role("status")).to_have_text("Tick the box if you agree.")
    box.check()
    page.get_by_role("button", name="I agree").click()
    expect(page.get_by_role("status")).to_have_text("Noted: you agreed.")
    expect(page.get_by_role("status")).to_be_focused()
    (line,) = service.call("GET", "/v1/accounts/anna/consents").json()["consents"]
    assert line["state"] == "given"
    looked(page, "privacy-agreed")
    page.get_by_role("button", name="Withdraw, and erase my face for this").click()
    expect(page.get_by_role("status")).to_contain_text("is erased")
    states = [one["state"] for one in service.call("GET", "/v1/accounts/anna/consents").json()["consents"]]
    assert states == ["given", "withdrawn"]
    expect(page.locator("#activity")).to_contain_text("You withdrew")
    expect(page.locator("#mend-told")).to_contain_text("set it up again")


def test_a_question_that_waits_stands_first(page: Page, address: str, service: Service, looked: Looked) -> None:
    """R34: open, and in the person's language."""
    service.account()
    service.consent()
    body = {"notices": {"en": "# New\n\nNew words.", "zh": "# 新\n\n新的内容。"}, "material": True}
    service.call("POST", "/v1/admin/scenarios/login/notices", role="privacy", json=body)
    other = {"scenario": "a-door", "mode": "verify", "title": {"en": "Open a door"}, "retention_days": 30}
    notices = {"notices": {"en": "It opens a door."}, "liveness_level": "motion"}
    service.call("POST", "/v1/admin/scenarios", role="privacy", json=other | notices)
    visit(page, address, service, locale="zh")
    first = page.locator("article").first
    expect(first).to_have_class("waits")
    expect(first).to_contain_text("新的内容。")
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    looked(page, "privacy-waits-zh")
    page.get_by_role("button", name="English").click()
    expect(first).to_contain_text("New words.")
    first.get_by_role("button", name="No, thank you").click()
    expect(page.get_by_role("status")).to_contain_text("you said no")
    expect(first.locator(".stance")).to_contain_text("said no to version 2")
    expect(first.get_by_role("button", name="Withdraw, and erase my face for this")).to_be_visible()
    looked(page, "privacy-declined")
    states = [one["state"] for one in service.call("GET", "/v1/accounts/anna/consents").json()["consents"]]
    assert states == ["given", "refused"]


def test_a_face_is_put_right(page: Page, address: str, service: Service, looked: Looked) -> None:
    """R14: only by a link that says so; it leads to the page that asks and takes the pictures."""
    visit(page, address, service)
    expect(page.locator("#mend")).to_be_hidden()
    now = service.clock().isoformat()
    renewal = {"scenario": "login", "return_url": "https://shop.example/done", "reauthenticated_at": now}
    page.goto("about:blank")  # only another part behind the # would not load the page anew
    visit(page, address, service, renewal=renewal)
    assert "renewal" not in page.url
    looked(page, "privacy-mend")
    page.get_by_role("button", name="Set my face up again").click()
    page.wait_for_url("**/ui/capture*")
    expect(page.get_by_role("button", name="No, thank you")).to_be_visible()


def test_a_device_is_renamed_and_forgotten(page: Page, address: str, service: Service, looked: Looked) -> None:
    """R17: what proves the person is seen, called as they like, and taken away by themselves."""
    assert bound(service, RawDevice()).status_code == 201
    visit(page, address, service)
    name = page.get_by_role("textbox", name="Another name for Anna's phone")
    name.fill("Old phone")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("status")).to_have_text("Done. The device has its new name.")
    expect(page.locator("#devices")).to_contain_text("Old phone: added")
    expect(page.locator("#activity")).to_contain_text("A device was renamed")
    looked(page, "privacy-device")
    page.get_by_role("button", name="Forget Old phone").click()
    expect(page.get_by_role("status")).to_contain_text("signs for you no more")
    expect(page.locator("#devices-part")).to_be_hidden()
    assert service.call("GET", "/v1/accounts/anna/devices").json() == {"devices": []}


def test_a_pause_and_its_end(page: Page, address: str, service: Service) -> None:
    service.account()
    service.consent()
    visit(page, address, service)
    page.get_by_role("button", name="Suspend every use").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing uses your face now")
    assert service.call("GET", "/v1/accounts/anna").json()["restricted_at"] is not None
    page.get_by_role("button", name="Allow it again").click()
    expect(page.get_by_role("button", name="Suspend every use")).to_be_visible()


def test_data_and_receipts_can_be_kept(page: Page, address: str, service: Service, tmp_path: Path) -> None:
    service.account()
    service.consent()
    visit(page, address, service)
    for name, file in (("As data (JSON)", "my-face-data.json"), ("All signed receipts", "my-receipts.json")):
        with page.expect_download() as kept:
            page.get_by_role("button", name=name).click()
        assert kept.value.suggested_filename == file
        kept.value.save_as(tmp_path / file)
    export = json.loads((tmp_path / "my-face-data.json").read_text(encoding="utf-8"))["export"]
    assert export["account"]["account_id"] == "anna"
    assert len(json.loads((tmp_path / "my-receipts.json").read_text(encoding="utf-8"))["receipts"]) == 1
    with page.expect_download() as kept:
        page.get_by_role("button", name="As a page to read").click()
    assert kept.value.suggested_filename == "my-face-data.html"


def test_everything_is_deleted_only_when_meant(page: Page, address: str, service: Service) -> None:
    """R39: the box first, then nothing is left, and the page says so."""
    service.account()
    service.consent()
    visit(page, address, service)
    delete = page.get_by_role("button", name="Delete everything")
    delete.click()
    expect(page.get_by_role("status")).to_have_text("Tick the box to say that you mean it.")
    assert service.call("GET", "/v1/accounts/anna").status_code == 200
    page.get_by_role("checkbox", name="erase everything").check()
    delete.click()
    expect(page.get_by_role("status")).to_contain_text("Everything is erased")
    expect(page.locator("#content")).to_be_hidden()
    assert service.call("GET", "/v1/accounts/anna").status_code == 404


def test_a_link_that_is_over_says_what_to_do(page: Page, address: str, service: Service, looked: Looked) -> None:
    service.account()
    url = service.call("POST", "/v1/accounts/anna/privacy-link").json()["privacy_url"]
    service.clock.forward(timedelta(hours=1).total_seconds())
    page.goto(f"{address}/ui/privacy{url.partition('/ui/privacy')[2]}")
    expect(page.get_by_role("status")).to_contain_text("This link is not valid any more")
    looked(page, "privacy-over")


def test_a_lost_network_is_told_and_nothing_is_lost(page: Page, address: str, service: Service) -> None:
    service.account()
    service.consent()
    visit(page, address, service)
    page.route("**/v1/privacy/**", lambda route: route.abort())
    page.get_by_role("button", name="Suspend every use").click()
    expect(page.get_by_role("status")).to_contain_text("There is no connection")
    page.unroute("**/v1/privacy/**")
    page.get_by_role("button", name="Suspend every use").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing uses your face now")
