"""The capture page in a real browser: a click first, then the steps, the frames, and the outcome."""

import hashlib
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from faceauth.liveness.chain import chain_of
from faceauth.pipeline import SessionAnswer
from faceauth.types import Challenge, Step, Transaction
from tests.api.conftest import Service
from tests.web.conftest import visited

pytestmark = pytest.mark.browser


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


def short_challenge(page: Page, *kinds: str) -> dict[str, Any]:
    """Let the page be told a challenge of short steps, whatever the session's own is."""
    steps = [{"id": f"s{n}", "kind": kind, "min_ms": 100, "colours": []} for n, kind in enumerate(kinds, 1)]
    told = {"nonce": "q0z3Yw1m0cXhY0vE2b1nJw", "profile": "motion", "steps": steps}
    page.route(re.compile("/challenge$"), lambda route: route.fulfill(json=told))
    return told


def test_it_captures_every_step_and_tells_that_it_is_done(page: Page, address: str, service: Service) -> None:
    service.pipeline.answers = [SessionAnswer("accepted")]
    told = short_challenge(page, "center", "turn_left", "center")
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
    assert list(dict.fromkeys(entry["step"] for entry in timeline)) == ["s1", "s2", "s3"]
    times = [entry["t_ms"] for entry in timeline]
    assert times[0] == 0
    assert times == sorted(set(times))
    assert all(frame.startswith(b"\xff\xd8") for frame in frames)
    # The page hashed the very bytes that it sent.
    assert service.pipeline.chains == [chained(told, times, frames, service)]


def chained(
    told: dict[str, Any], times: Sequence[int], frames: Sequence[bytes], service: Service, text: str | None = None
) -> str:
    """Return the chain over a post as the service computes it, in hex."""
    shown = None if text is None else Transaction(hashlib.sha256(text.encode()).digest(), text)
    challenge = Challenge(
        nonce=urlsafe_b64decode(told["nonce"] + "=="),
        profile=told["profile"],
        steps=tuple(Step(step["id"], step["kind"], step["min_ms"]) for step in told["steps"]),
        expires_at=service.clock(),
        transaction=shown,
    )
    return chain_of(challenge, zip(times, frames, strict=True)).digest.hex()


def test_the_text_that_was_shown_is_what_is_chained(page: Page, address: str, service: Service) -> None:
    """What you see is what you sign: the digest is of the words on the page, not of what came with them."""
    told = short_challenge(page, "center")
    text = "Pay 30.00 EUR to Bea\u2019s Books"
    told["transaction"] = {"text": text, "locale": "en", "sha256": "0" * 64}
    service.pipeline.answers = [SessionAnswer("accepted")]
    open_page(page, address, service)
    expect(page.locator("#transaction")).to_have_text(text)
    page.locator("#start").click()
    expect(page.locator("#say")).to_contain_text("Done.", timeout=20_000)
    ((_, _, frames, timeline),) = service.pipeline.asked
    assert isinstance(timeline, list)
    times = [entry["t_ms"] for entry in timeline]
    assert service.pipeline.chains == [chained(told, times, frames, service, text)]


def test_frames_follow_what_the_connection_carries(page: Page, address: str) -> None:
    """Fewer and smaller within a burst; another size only between two, for points are followed through one."""
    page.goto(f"{address}/ui/capture")
    found = page.evaluate(
        """async () => {
          const { Pace } = await import("/ui/static/pace.js");
          const told = [];
          const tell = (pace) => told.push([pace.shape.width, pace.shape.quality, Math.round(pace.everyMs)]);
          const pace = new Pace(20);
          tell(pace);
          pace.sent(50_000, 0);
          told.push(pace.tooMany(100_000), pace.tooMany(200_000));
          tell(pace);
          pace.heard(2000);
          tell(pace);
          pace.heard(2000);
          tell(pace);
          pace.begin();
          tell(pace);
          for (let n = 0; n < 72; n += 1) pace.sent(20_000, 0);
          tell(pace);
          tell(new Pace(900));
          return told;
        }"""
    )
    fast, fewer, least = [640, 0.9, 83], [640, 0.8, 91], [640, 0.7, 100]
    assert found == [fast, False, True, fewer, least, least, [480, 0.7, 100], [480, 0.9, 83], [480, 0.8, 91]]


def test_guidance_then_a_second_try_then_denied_with_another_way(
    page: Page, address: str, service: Service
) -> None:
    """R13."""
    service.pipeline.answers = [SessionAnswer("open", ("too_dark", "no_face")), SessionAnswer("denied")]
    short_challenge(page, "center")
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


def test_a_camera_that_calls_itself_virtual_is_refused(page: Page, address: str, service: Service) -> None:
    """A hurdle and no more: names are easily changed."""
    page.add_init_script(
        "Object.defineProperty(MediaStreamTrack.prototype, 'label', { get: () => 'OBS Virtual Camera' });"
    )
    open_page(page, address, service)
    page.locator("#start").click()
    expect(page.locator("#say")).to_contain_text("This is no real camera")
    expect(page.locator("#stage")).to_be_hidden()


def test_a_camera_that_stops_is_told(page: Page, address: str, service: Service) -> None:
    page.add_init_script(
        "const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);"
        "navigator.mediaDevices.getUserMedia = async (...a) => (window.given = await real(...a));"
    )
    open_page(page, address, service)
    page.locator("#start").click()
    expect(page.locator("#stage")).to_be_visible()
    page.evaluate("window.given.getTracks().forEach((track) => track.stop())")
    expect(page.locator("#say")).to_contain_text("The camera stopped")
    assert service.pipeline.asked == []


def test_escape_ends_it_and_the_keyboard_is_enough(page: Page, address: str, service: Service) -> None:
    opened = open_page(page, address, service)
    expect(page.locator("#start")).to_be_enabled()
    for _ in range(3):  # the language, the choice without colours, the button
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#stage")).to_be_visible()
    expect(page.locator("#say")).to_be_focused()
    with page.expect_response("**/cancel"):
        page.keyboard.press("Escape")
    expect(page.locator("#say")).to_contain_text("Nothing was taken")
    assert service.call("GET", f"/v1/sessions/{opened['session_id']}").json()["state"] == "cancelled"


def test_who_left_before_the_socket_failed_is_shown_no_step(page: Page, address: str, service: Service) -> None:
    """The page then goes over to posting, and must not begin to: a first step may flash."""
    page.add_init_script(
        "window.WebSocket = class { constructor() {"
        "  window.fails = () => this.onerror();"
        "  document.documentElement.dataset.socket = 'tried';"
        "} };"
    )
    open_page(page, address, service)
    page.locator("#start").click()
    expect(page.locator("html[data-socket]")).to_be_attached()
    with page.expect_response("**/cancel"):
        page.keyboard.press("Escape")
    expect(page.locator("#say")).to_contain_text("Nothing was taken")
    page.evaluate("window.fails()")
    page.evaluate("new Promise((done) => setTimeout(done, 50))")
    expect(page.locator("#say")).to_contain_text("Nothing was taken")
    expect(page.locator("#stage")).to_be_hidden()


def test_a_screen_reader_is_told_each_step_at_once(page: Page, address: str, service: Service) -> None:
    open_page(page, address, service)
    page.locator("#start").click()
    expect(page.locator("#assertive")).to_have_text("Look straight into the camera")
    assert page.locator("#assertive").get_attribute("aria-live") == "assertive"
    assert page.locator("#polite").get_attribute("aria-live") == "polite"
    # What is seen is not read out a second time.
    assert page.locator("#say").get_attribute("aria-live") is None


def test_without_colours_another_challenge_is_asked_for(page: Page, address: str, service: Service) -> None:
    """WCAG 2.2, 2.3.1: nothing flashes at who chose so."""
    opened = open_page(page, address, service)
    page.get_by_label("Without changing colours").check()
    page.locator("#start").click()
    expect(page.locator("#steps li")).to_have_count(1)
    challenge = service.http.get(
        f"/v1/sessions/{opened['session_id']}/challenge",
        headers={"Authorization": f"Bearer {opened['client_token']}"},
    ).json()
    assert challenge["profile"] == "motion"
    assert "flash" not in {step["kind"] for step in challenge["steps"]}


def test_where_colours_are_needed_nothing_flashes_at_who_said_no(
    page: Page, address: str, service: Service
) -> None:
    refused = {"code": "flashes_needed", "status": 409}
    open_page(page, address, service)
    page.route(re.compile("/challenge$"), lambda route: route.fulfill(status=409, json=refused))
    page.get_by_label("Without changing colours").check()
    page.locator("#start").click()
    expect(page.locator("#say")).to_contain_text("This login cannot do without the colours")
    expect(page.get_by_label("Without changing colours")).to_be_visible()
    expect(page.locator("#stage")).to_be_hidden()


def test_a_page_of_another_origin_embeds_it(browser: Browser, address: str, service: Service) -> None:
    """R19: an origin of the allow-list, under a policy without anything inline."""
    opened = service.session()
    policy = (
        f"default-src 'none'; script-src {address} 'self'; style-src {address}; "
        f"connect-src {address} {address.replace('http', 'ws')}"
    )
    html = f'<!doctype html><script type="module" src="{address}/ui/static/face-capture.js"></script>'
    html += '<script type="module" src="/login.js"></script><face-capture lang="zh"></face-capture>'
    script = (
        "const face = document.querySelector('face-capture'); window.heard = [];"
        "for (const name of ['ready', 'accepted', 'denied', 'cancelled', 'error'])"
        "  face.addEventListener(name, ({ detail }) => (document.title = heard.push([name, detail])));"
        f"face.session = '{opened['session_id']}'; face.token = '{opened['client_token']}';"
    )
    # A page on https that calls 127.0.0.1 needs a permission of its own in Chromium; services are elsewhere.
    granted = ["camera", "local-network-access"]
    with visited(browser, permissions=granted) as page:
        page.route(
            "https://shop.example/",
            lambda route: route.fulfill(
                body=html, content_type="text/html", headers={"Content-Security-Policy": policy}
            ),
        )
        page.route(
            "https://shop.example/login.js",
            lambda route: route.fulfill(body=script, content_type="text/javascript"),
        )
        page.goto("https://shop.example/")
        expect(page.get_by_role("button", name="开启摄像头")).to_be_enabled()
        assert page.locator("face-capture").get_attribute("token") is None
        assert page.evaluate("document.querySelector('face-capture').token") is None
        page.get_by_role("button", name="暂不使用").click()
        expect(page.get_by_text("没有拍摄任何照片").first).to_be_visible()
        expect(page).to_have_title("2")
        told = {"session": opened["session_id"]}
        assert page.evaluate("window.heard") == [["ready", told], ["cancelled", told]]
    assert service.call("GET", f"/v1/sessions/{opened['session_id']}").json()["state"] == "cancelled"


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
