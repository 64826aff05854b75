"""The pages as people see them: pictures for a reader to look at, and no serious finding by axe."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api.conftest import Service
from tests.web.conftest import visited
from tests.web.test_privacy_page import visit

pytestmark = pytest.mark.browser

Looked = Callable[[Page, str], None]


def told(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A challenge as the service tells it."""
    return {"nonce": "q0z3Yw1m0cXhY0vE2b1nJw", "profile": "motion+flash", "steps": list(steps), **more}


def challenged(page: Page, challenge: dict[str, Any]) -> None:
    """Let the page be told this challenge, whatever the session's own is."""
    page.route(re.compile("/challenge$"), lambda route: route.fulfill(json=challenge))


def open_session(page: Page, address: str, service: Service) -> None:
    opened = service.session()
    page.goto(f"{address}/ui/capture#session={opened['session_id']}&token={opened['client_token']}")


def step(kind: str, **more: Any) -> dict[str, Any]:
    return {"id": f"s-{kind}", "kind": kind, "min_ms": 6000, "colours": [], **more}


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_the_notice(page: Page, address: str, service: Service, looked: Looked, locale: str) -> None:
    service.account()
    body = {"account_id": "anna", "scenario": "login", "purpose": "verify", "locale": locale}
    proof = {"reauthenticated_at": service.clock().isoformat(), "return_url": "https://shop.example/done"}
    minted = service.call("POST", "/v1/flows", json=body | proof).json()
    page.goto(f"{address}/ui/capture{minted['flow_url'].partition('/ui/capture')[2]}")
    expect(page.locator("#agree")).to_be_visible()
    expect(page.locator("#agree")).not_to_be_checked()
    looked(page, f"notice-{locale}")


def wide(page: Page) -> dict[str, int]:
    """How much wider than the window the page is: on a narrow phone, and with words of twice the size."""
    found = {}
    for width, size in ((320, "100%"), (390, "200%")):
        page.set_viewport_size({"width": width, "height": 844})
        page.evaluate("(size) => void (document.documentElement.style.fontSize = size)", size)
        found[f"{width} at {size}"] = page.evaluate("document.documentElement.scrollWidth") - width
    return found


def test_words_of_twice_the_size_fit_a_phone(page: Page, address: str, service: Service) -> None:
    """WCAG 2.2, 1.4.4 and 1.4.10: nobody has to scroll to the side."""
    visit(page, address, service)
    assert max(wide(page).values()) <= 0, wide(page)
    body = {
        "account_id": "anna",
        "scenario": "login",
        "purpose": "verify",
        "return_url": "https://shop.example/done",
    }
    minted = service.call("POST", "/v1/flows", json=body | {"reauthenticated_at": service.clock().isoformat()})
    page.goto(f"{address}/ui/capture{minted.json()['flow_url'].partition('/ui/capture')[2]}")
    expect(page.locator("#agree")).to_be_visible()
    assert max(wide(page).values()) <= 0, wide(page)
    challenged(page, told(step("center"), step("flash")))
    open_session(page, address, service)
    expect(page.get_by_label("Without changing colours")).to_be_visible()
    assert max(wide(page).values()) <= 0, wide(page)


def test_before_the_camera_with_a_text_to_confirm(
    page: Page, address: str, service: Service, looked: Looked
) -> None:
    text = {"text": "Pay 30.00 EUR to Bea's Books", "locale": "en", "sha256": "0" * 64}
    challenged(page, told(step("center"), step("flash"), transaction=text))
    open_session(page, address, service)
    expect(page.get_by_text("Pay 30.00 EUR")).to_be_visible()
    expect(page.get_by_label("Without changing colours")).not_to_be_checked()
    looked(page, "ready")


@pytest.mark.parametrize("kind", ["center", "turn_left", "nod_up"])
def test_a_step(page: Page, address: str, service: Service, looked: Looked, kind: str) -> None:
    challenged(page, told(step(kind)))
    open_session(page, address, service)
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator("#steps li")).to_have_attribute("data-kind", kind)
    looked(page, f"step-{kind}")


def test_the_colours_cover_the_page_and_the_words_stay(
    page: Page, address: str, service: Service, looked: Looked
) -> None:
    challenged(page, told(step("flash", colours=[{"rgb": "#00ffff", "ms": 60_000}])))
    open_session(page, address, service)
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator("#live")).to_have_css("background-color", "rgb(0, 255, 255)")
    box = page.locator("#live").bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 390, 844)
    expect(page.locator("#say")).to_have_text("Hold still and look at the screen")
    expect(page.locator("#say")).to_be_in_viewport()
    looked(page, "colours")


def test_how_it_ends(page: Page, address: str, service: Service, looked: Looked) -> None:
    challenged(page, told({**step("center"), "min_ms": 100}))
    page.route(re.compile("/frames$"), lambda route: route.fulfill(json={"state": "denied", "message": ""}))
    open_session(page, address, service)
    page.get_by_role("button", name="Start the camera").click()
    expect(page.get_by_text("That did not work").first).to_be_visible()
    looked(page, "denied")


def test_a_link_that_is_over(page: Page, address: str, looked: Looked) -> None:
    page.goto(f"{address}/ui/capture")
    expect(page.get_by_text("not valid any more")).to_be_visible()
    looked(page, "gone")


def test_in_the_dark_and_from_right_to_left(
    browser: Browser, address: str, service: Service, looked: Looked
) -> None:
    with visited(browser, color_scheme="dark", reduced_motion="reduce") as page:
        open_session(page, address, service)
        # Who asked the system for less motion finds the way without colours chosen already.
        expect(page.get_by_label("Without changing colours")).to_be_checked()
        page.evaluate("document.documentElement.dir = 'rtl'")
        looked(page, "ready-dark-rtl")
        box, words = page.locator("#noflash").bounding_box(), page.locator("label span").last.bounding_box()
        assert box is not None
        assert words is not None
        assert box["x"] > words["x"]


def test_guidance_has_a_shape(page: Page, address: str, service: Service, looked: Looked) -> None:
    """What is not right yet is told by words and by shape, not by colour alone."""
    challenged(page, told(step("center")))
    open_session(page, address, service)
    # A socket that says what a service would; the real one is in test_capture_stream.
    page.evaluate(
        """() => void (window.WebSocket = class {
             static OPEN = 1;
             readyState = 1; bufferedAmount = 0;
             constructor() { setTimeout(() => this.tell()); }
             send() {}
             close() { this.readyState = 3; }
             tell() {
               this.onopen();
               const say = (message) => this.onmessage({ data: JSON.stringify(message) });
               const step = { id: "s-center", kind: "center", min_ms: 500, colours: [] };
               say({ type: "challenge", nonce: "q0z3Yw1m0cXhY0vE2b1nJw", profile: "motion", steps: [step] });
               say({ type: "step", ...step });
               say({ type: "guidance", code: "too_far", progress: 0, t_ms: 0 });
             }
           })"""
    )
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator("#hints")).to_have_text("Come closer.")
    expect(page.locator("#polite")).to_have_text("Come closer.")
    expect(page.locator("#marks path[data-on]")).to_have_count(1)
    looked(page, "guidance")
