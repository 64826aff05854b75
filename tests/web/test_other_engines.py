"""The pages in Firefox and in WebKit: camera, stream, post, refusal, consent (R7, R31).

What the pages do is told in Chromium's tests; here that other engines do it too.
"""

from collections.abc import Iterator

import pytest

from faceauth.pipeline import SessionAnswer
from tests.api.conftest import Service
from tests.web.firefox import Firefox, firefox
from tests.web.test_capture_stream import StreamedPipeline, streamed
from tests.web.webkit import WebKit, webkit

__all__ = ["streamed"]

pytestmark = [pytest.mark.browser, pytest.mark.soak]

SAYS = "find('#say').textContent"
READY = "find('#start')?.disabled === false"
DONE = f"{SAYS}.includes('Done.')"


Engine = Firefox | WebKit


@pytest.fixture(scope="module", params=[firefox, webkit], ids=["firefox", "webkit"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with request.param(tmp_path_factory.mktemp("engine")) as found:
        yield found


@pytest.fixture
def page(running: Engine) -> Iterator[Engine]:
    running.complaints.clear()
    yield running
    # A server without WebSockets is no fault.
    assert [one for one in running.complaints if "establish a connection" not in one] == []


def begin(page: Engine, address: str, service: Service) -> None:
    """Open the page of a new session, and wait until it can be started."""
    opened = service.session()
    # Another document first: a fragment alone would load nothing.
    page.open("about:blank")
    page.open(f"{address}/ui/capture#session={opened['session_id']}&token={opened['client_token']}")
    page.until(READY)


def test_it_streams_to_the_end(page: Engine, service: Service, streamed: tuple[StreamedPipeline, str]) -> None:
    """R7: nothing is asked of the camera before the click; then every step is told and answered."""
    pipeline, address = streamed
    pipeline.answers = ["accepted"]
    begin(page, address, service)
    assert page.run("find('#stage').checkVisibility()") is False
    assert page.run("find('video')?.srcObject ?? null") is None
    page.click("#start")
    page.until("find('#stage').checkVisibility()")
    page.until(DONE)
    (burst,) = pipeline.bursts
    assert len(burst.frames) > 10
    assert burst.evidence.received_ms is not None
    assert page.run("location.href") == f"{address}/ui/capture"


def test_it_posts_where_there_is_no_stream(page: Engine, service: Service, address: str) -> None:
    service.pipeline.answers = [SessionAnswer("accepted")]
    begin(page, address, service)
    page.click("#start")
    page.until(DONE)
    ((_, _, frames, timeline),) = service.pipeline.asked
    assert isinstance(timeline, list)
    assert len(frames) == len(timeline) > 5
    assert all(frame.startswith(b"\xff\xd8") for frame in frames)


def test_a_refused_camera_is_told(page: Engine, service: Service, address: str) -> None:
    begin(page, address, service)
    page.run(
        "navigator.mediaDevices.getUserMedia = "
        "() => Promise.reject(new DOMException('no', 'NotAllowedError')), true"
    )
    page.click("#start")
    assert page.until(f"{SAYS}.includes('The camera was not allowed')")
    assert service.pipeline.asked == []


def test_consent_is_given_and_withdrawn(page: Engine, service: Service, address: str) -> None:
    """R31, R32."""
    service.call("PUT", "/v1/accounts/anna", json={"locale": "en"})
    url = service.call("POST", "/v1/accounts/anna/privacy-link", json={}).json()["privacy_url"]
    page.open(f"{address}/ui/privacy{url.partition('/ui/privacy')[2]}")
    page.until("document.querySelector('article input[type=checkbox]') !== null")
    assert page.run("document.querySelector('article input[type=checkbox]').checked") is False
    page.click("article input[type=checkbox]")
    page.click("article button")
    page.until("document.querySelector('[role=status]').textContent.includes('you agreed')")
    said = "[...document.querySelectorAll('article button')].find((one) => one.textContent.startsWith('Withdraw'))"
    page.run(f"{said}.setAttribute('id', 'withdraw'), true")
    page.click("#withdraw")
    page.until("document.querySelector('[role=status]').textContent.includes('is erased')")
    consents = service.call("GET", "/v1/accounts/anna/consents").json()["consents"]
    assert [one["state"] for one in consents] == ["given", "withdrawn"]


def test_no_page_loads_anything_from_elsewhere(page: Engine, address: str) -> None:
    for path in ("/ui/capture", "/ui/privacy", "/ui/admin", "/ui/retention", "/ui/cookies"):
        page.open(f"{address}{path}")
        assert page.run("document.title")
        loaded = page.run("performance.getEntriesByType('resource').map((one) => one.name)")
        assert [one for one in loaded if not one.startswith(f"{address}/")] == []
