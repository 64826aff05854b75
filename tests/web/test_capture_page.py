"""The capture page in a real browser: a click first, then the steps, the frames, and the outcome."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from faceauth.pipeline import SessionAnswer
from tests.api.conftest import Service

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in English; whatever it complains about on the console fails the test."""
    context = browser.new_context(locale="en-GB", permissions=["camera"], viewport={"width": 480, "height": 800})
    opened = context.new_page()
    opened.set_default_timeout(15_000)
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    # The browser itself notes every answer above 399; anything else, such as our policy broken, is a fault. The
    # server of these tests has no WebSocket, so that the page must post.
    notes = ("Failed to load resource", "WebSocket connection to")
    assert [one for one in complaints if not any(note in one for note in notes)] == []


def open_page(page: Page, address: str, service: Service) -> dict[str, str]:
    opened: dict[str, str] = service.session()
    page.goto(f"{address}/ui/capture#session={opened['session_id']}&token={opened['client_token']}")
    return opened


def test_the_camera_starts_only_after_a_click(page: Page, address: str, service: Service) -> None:
    """R7."""
    page.add_init_script(
        "const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);"
        "window.asked = 0;"
        "navigator.mediaDevices.getUserMedia = (...a) => { window.asked++; return real(...a); };"
    )
    open_page(page, address, service)
    expect(page.locator("#start")).to_be_enabled()
    assert page.evaluate("window.asked") == 0
    expect(page.locator("#stage")).to_be_hidden()
    page.locator("#start").click()
    expect(page.locator("#stage")).to_be_visible()
    assert page.evaluate("window.asked") == 1


def test_the_token_leaves_the_address_bar(page: Page, address: str, service: Service) -> None:
    open_page(page, address, service)
    expect(page.locator("#start")).to_be_enabled()
    assert page.url == f"{address}/ui/capture"


def test_it_captures_every_step_and_tells_that_it_is_done(page: Page, address: str, service: Service) -> None:
    service.pipeline.answers = [SessionAnswer("accepted")]
    opened = open_page(page, address, service)
    page.locator("#start").click()
    expect(page.locator("#say")).to_have_text("Look straight into the camera")
    expect(page.locator("#say")).to_contain_text("Done.", timeout=40_000)
    expect(page.locator("#stage")).to_be_hidden()
    expect(page.locator("#actions")).to_be_hidden()
    ((session_id, token, frames, timeline),) = service.pipeline.asked
    assert (session_id, token) == (opened["session_id"], opened["client_token"])
    assert isinstance(timeline, list)
    assert 5 <= len(frames) == len(timeline) <= 90
    challenge = service.http.get(
        f"/v1/sessions/{session_id}/challenge", headers={"Authorization": f"Bearer {token}"}
    ).json()
    told = list(dict.fromkeys(entry["step"] for entry in timeline))
    assert told == [step["id"] for step in challenge["steps"]]
    times = [entry["t_ms"] for entry in timeline]
    assert times[0] == 0
    assert times == sorted(set(times))
    assert all(frame.startswith(b"\xff\xd8") for frame in frames)


def test_guidance_then_a_second_try_then_denied_with_another_way(
    page: Page, address: str, service: Service
) -> None:
    """R13."""
    service.pipeline.answers = [SessionAnswer("open", ("too_dark", "no_face")), SessionAnswer("denied")]
    open_page(page, address, service)
    page.locator("#start").click()
    expect(page.locator("#hints li")).to_have_text(
        ["Find more light.", "Keep your face inside the oval."], timeout=40_000
    )
    page.locator("#language").click()
    expect(page.locator("#hints li").first).to_have_text("请到光线更亮的地方。")
    page.locator("#language").click()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#say")).to_contain_text("log in another way", timeout=40_000)
    expect(page.locator("#other")).to_contain_text("another way")


def test_not_now_cancels_the_session(page: Page, address: str, service: Service) -> None:
    opened = open_page(page, address, service)
    expect(page.locator("#start")).to_be_enabled()
    with page.expect_response("**/cancel"):
        page.get_by_role("button", name="Not now").click()
    expect(page.locator("#say")).to_contain_text("Nothing was taken")
    assert service.call("GET", f"/v1/sessions/{opened['session_id']}").json()["state"] == "cancelled"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("NotAllowedError", "The camera was not allowed"),
        ("NotFoundError", "No camera was found"),
        ("NotReadableError", "Another program uses the camera"),
    ],
)
def test_without_a_camera_it_says_so_and_names_another_way(
    page: Page, address: str, service: Service, error: str, told: str
) -> None:
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = async () => "
        f"{{ throw new DOMException('no', {json.dumps(error)}); }};"
    )
    open_page(page, address, service)
    page.locator("#start").click()
    expect(page.locator("#say")).to_contain_text(told)
    expect(page.get_by_role("button", name="Try again")).to_be_enabled()
    assert service.pipeline.asked == []


@pytest.mark.parametrize("fragment", ["", "#session=fs_x", "#session=fs_x&token=fc_x", "#%00"])
def test_a_link_that_is_not_valid_says_so(page: Page, address: str, service: Service, fragment: str) -> None:
    page.goto(f"{address}/ui/capture{fragment}")
    expect(page.locator("#say:visible, #said").get_by_text("not valid any more")).to_be_visible()
    expect(page.locator("#start")).to_be_hidden()


def test_it_speaks_chinese_to_chinese_browsers(browser: Browser, address: str, service: Service) -> None:
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    open_page(page, address, service)
    expect(page.locator("h1")).to_have_text("刷脸登录")
    assert page.locator("html").get_attribute("lang") == "zh"
    context.close()


def test_it_loads_nothing_from_anywhere_else(page: Page, address: str, service: Service) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_page(page, address, service)
    expect(page.locator("#start")).to_be_enabled()
    assert len(asked) >= 4
    assert all(url.startswith(address) for url in asked)
