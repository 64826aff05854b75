"""The pages in Firefox: the camera after a click, the stream and the post, a refusal, consent (R7, R31).

What the pages do is told in Chromium's tests; here that another engine does it too.
"""

from collections.abc import Iterator

import pytest

from faceauth.pipeline import SessionAnswer
from tests.api.conftest import Service
from tests.web.firefox import Firefox, firefox
from tests.web.test_capture_stream import StreamedPipeline, streamed

__all__ = ["streamed"]

pytestmark = [pytest.mark.browser, pytest.mark.soak]

SAYS = "find('#say').textContent"
READY = "find('#start')?.disabled === false"
DONE = f"{SAYS}.includes('Done.')"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with firefox(tmp_path_factory.mktemp("firefox")) as found:
        yield found


@pytest.fixture
def fox(running: Firefox) -> Iterator[Firefox]:
    running.complaints.clear()
    yield running
    # A server without WebSockets is no fault.
    assert [one for one in running.complaints if "establish a connection" not in one] == []


def begin(fox: Firefox, address: str, service: Service) -> None:
    """Open the page of a new session, and wait until it can be started."""
    opened = service.session()
    # Another document first: a fragment alone would load nothing.
    fox.open("about:blank")
    fox.open(f"{address}/ui/capture#session={opened['session_id']}&token={opened['client_token']}")
    fox.until(READY)


def test_it_streams_to_the_end(fox: Firefox, service: Service, streamed: tuple[StreamedPipeline, str]) -> None:
    """R7: nothing is asked of the camera before the click; then every step is told and answered."""
    pipeline, address = streamed
    pipeline.answers = ["accepted"]
    begin(fox, address, service)
    assert fox.run("find('#stage').checkVisibility()") is False
    assert fox.run("find('video')?.srcObject ?? null") is None
    fox.click("#start")
    fox.until("find('#stage').checkVisibility()")
    fox.until(DONE)
    (burst,) = pipeline.bursts
    assert len(burst.frames) > 10
    assert burst.evidence.received_ms is not None
    assert fox.run("location.href") == f"{address}/ui/capture"


def test_it_posts_where_there_is_no_stream(fox: Firefox, service: Service, address: str) -> None:
    service.pipeline.answers = [SessionAnswer("accepted")]
    begin(fox, address, service)
    fox.click("#start")
    fox.until(DONE)
    ((_, _, frames, timeline),) = service.pipeline.asked
    assert isinstance(timeline, list)
    assert len(frames) == len(timeline) > 5
    assert all(frame.startswith(b"\xff\xd8") for frame in frames)


def test_a_refused_camera_is_told(fox: Firefox, service: Service, address: str) -> None:
    begin(fox, address, service)
    fox.run(
        "navigator.mediaDevices.getUserMedia = "
        "() => Promise.reject(new DOMException('no', 'NotAllowedError')), true"
    )
    fox.click("#start")
    assert fox.until(f"{SAYS}.includes('The camera was not allowed')")
    assert service.pipeline.asked == []


def test_consent_is_given_and_withdrawn(fox: Firefox, service: Service, address: str) -> None:
    """R31, R32."""
    service.call("PUT", "/v1/accounts/anna", json={"locale": "en"})
    url = service.call("POST", "/v1/accounts/anna/privacy-link", json={}).json()["privacy_url"]
    fox.open(f"{address}/ui/privacy{url.partition('/ui/privacy')[2]}")
    fox.until("document.querySelector('article input[type=checkbox]') !== null")
    assert fox.run("document.querySelector('article input[type=checkbox]').checked") is False
    fox.click("article input[type=checkbox]")
    fox.click("article button")
    fox.until("document.querySelector('[role=status]').textContent.includes('you agreed')")
    said = "[...document.querySelectorAll('article button')].find((one) => one.textContent.startsWith('Withdraw'))"
    fox.run(f"{said}.setAttribute('id', 'withdraw'), true")
    fox.click("#withdraw")
    fox.until("document.querySelector('[role=status]').textContent.includes('is erased')")
    consents = service.call("GET", "/v1/accounts/anna/consents").json()["consents"]
    assert [one["state"] for one in consents] == ["given", "withdrawn"]


def test_no_page_loads_anything_from_elsewhere(fox: Firefox, address: str) -> None:
    for path in ("/ui/capture", "/ui/privacy", "/ui/admin", "/ui/retention", "/ui/cookies"):
        fox.open(f"{address}{path}")
        assert fox.run("document.title")
        loaded = fox.run("performance.getEntriesByType('resource').map((one) => one.name)")
        assert [one for one in loaded if not one.startswith(f"{address}/")] == []
