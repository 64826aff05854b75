"""The device's routes: one token, one session, and every denial the same (R13, R25)."""

import tempfile
from threading import Event
from typing import Any

import pytest

from faceauth.errors import (
    ImageTooLarge,
    InvalidImage,
    InvalidTimeline,
    SessionClosed,
    StorageError,
)
from faceauth.pipeline import SessionAnswer
from tests.api.conftest import Service


def code(answer: Any) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    found: str = answer.json()["code"]
    return found


def test_frames_and_timeline_reach_the_pipeline_as_they_came(service: Service) -> None:
    opened = service.session()
    service.pipeline.answers = [SessionAnswer("open", ("too_dark", "hold_still"))]
    frames = (b"\xff\xd8one", b"two", b"\x00" * 1_200_000)
    answer = service.post_frames(opened, frames)
    assert answer.status_code == 200
    assert answer.json() | {"message": ""} == {
        "state": "open",
        "guidance": ["too_dark", "hold_still"],
        "message": "",
    }
    assert service.pipeline.asked == [
        (opened["session_id"], opened["client_token"], frames, [{"step": "s1", "t_ms": 0}])
    ]


def test_accepted_tells_the_device_nothing_more(service: Service) -> None:
    opened = service.session()
    service.pipeline.answers = [SessionAnswer("accepted", ("ignored",))]
    answer = service.post_frames(opened).json()
    assert answer.keys() == {"state", "guidance", "message"}
    assert (answer["state"], answer["guidance"]) == ("accepted", [])


def test_every_denial_is_the_same_bytes_and_names_another_way(service: Service) -> None:
    """R13, R25: whatever the reason and whoever the person."""
    seen = set()
    for account in ("anna", "ben", "carla"):
        opened = service.session(account)
        service.pipeline.answers = [SessionAnswer("denied", ("why",) if account == "ben" else ())]
        answer = service.post_frames(opened)
        headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
        seen.add((answer.status_code, answer.content, tuple(sorted(headers.items()))))
    assert len(seen) == 1
    ((status, content, _),) = seen
    assert status == 200
    assert content.startswith(b'{"state":"denied","guidance":[],')
    assert b"Another way" in content


def test_a_wrong_token_an_unknown_session_and_another_ones_are_the_same(service: Service) -> None:
    anna, ben = service.session("anna"), service.session("ben")
    for path, method in (("frames", "POST"), ("challenge", "GET"), ("cancel", "POST")):
        seen = set()
        for session_id, token in (
            (anna["session_id"], ben["client_token"]),
            (anna["session_id"], "fc_" + "0" * 64),
            ("fs_" + "0" * 32, anna["client_token"]),
            (anna["session_id"], service.secrets["application"]),
        ):
            headers = {"Authorization": f"Bearer {token}"}
            files = {"frames": b"x"} if path == "frames" else None
            answer = service.http.request(
                method, f"/v1/sessions/{session_id}/{path}", headers=headers, files=files
            )
            body = answer.json()
            del body["request_id"]
            seen.add((answer.status_code, str(body)))
        assert len(seen) == 1, seen
        assert seen.pop()[0] == 401
    assert service.pipeline.asked == []


def test_the_client_token_opens_nothing_else(service: Service) -> None:
    opened = service.session()
    headers = {"Authorization": f"Bearer {opened['client_token']}"}
    for path in (f"/v1/sessions/{opened['session_id']}", "/v1/scenarios", "/v1/accounts/anna"):
        assert service.http.get(path, headers=headers).status_code == 401


def test_a_cancelled_session_stays_cancelled(service: Service) -> None:
    opened = service.session()
    headers = {"Authorization": f"Bearer {opened['client_token']}"}
    path = f"/v1/sessions/{opened['session_id']}"
    for _ in range(2):
        assert service.http.post(f"{path}/cancel", headers=headers).json() == {"state": "cancelled"}
    assert code(service.post_frames(opened)) == "session_closed"
    assert code(service.http.get(f"{path}/challenge", headers=headers)) == "session_closed"
    assert service.call("GET", path).json()["state"] == "cancelled"
    assert service.pipeline.asked == []


def test_an_expired_session_is_over(service: Service) -> None:
    opened = service.session()
    service.clock.forward(301)
    assert code(service.post_frames(opened)) == "session_closed"
    assert service.call("GET", f"/v1/sessions/{opened['session_id']}").json()["state"] == "expired"


def test_the_page_reads_its_challenge_with_the_token(service: Service) -> None:
    opened = service.session()
    headers = {"Authorization": f"Bearer {opened['client_token']}"}
    answer = service.http.get(f"/v1/sessions/{opened['session_id']}/challenge", headers=headers)
    assert answer.json() == opened["challenge"]


@pytest.mark.parametrize(
    ("error", "status", "expected"),
    [
        (InvalidImage("x"), 422, "invalid_image"),
        (ImageTooLarge("x"), 413, "image_too_large"),
        (InvalidTimeline("x"), 422, "invalid_timeline"),
        (SessionClosed("x"), 409, "session_closed"),
        (StorageError("/secret/folder is full"), 503, "storage"),
        (RuntimeError("/secret/folder"), 500, "internal"),
    ],
)
def test_errors_of_the_pipeline(service: Service, error: Exception, status: int, expected: str) -> None:
    opened = service.session()
    service.pipeline.answers = [error]
    answer = service.post_frames(opened)
    assert (answer.status_code, code(answer)) == (status, expected)
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("frames", "more", "status", "expected"),
    [
        ((), {}, 422, "invalid_request"),
        ((b"x",) * 1000, {}, 413, "too_many_frames"),
        ((b"x" * 2_000_001,), {}, 413, "image_too_large"),
        ((b"x",), {"timeline": "nonsense"}, 422, "invalid_timeline"),
        ((b"x",), {"timeline": "[" * 65_000}, 422, "invalid_timeline"),
    ],
)
def test_odd_posts(
    service: Service, frames: tuple[bytes, ...], more: dict[str, Any], status: int, expected: str
) -> None:
    """Zero frames, 1,000 frames, one that is too large, a timeline that is none; the session stays open."""
    opened = service.session()
    answer = service.post_frames(opened, frames, **more)
    assert (answer.status_code, code(answer)) == (status, expected)
    assert service.pipeline.asked == []
    assert service.post_frames(opened).status_code == 200


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("text/plain", b"hello"),
        ("application/json", b"{}"),
        ("multipart/form-data; boundary=abc", b""),
        ("multipart/form-data; boundary=abc", b"garbage"),
        ("multipart/form-data; boundary=abc", b"--abc\r\n"),
        ("multipart/form-data", b"--abc--"),
        ("", b""),
    ],
)
def test_bodies_that_are_no_post_of_frames(service: Service, kind: str, raw: bytes) -> None:
    opened = service.session()
    headers = {"Authorization": f"Bearer {opened['client_token']}", "Content-Type": kind}
    path = f"/v1/sessions/{opened['session_id']}/frames"
    assert code(service.http.post(path, content=raw, headers=headers)) == "invalid_request"


def test_no_frame_is_ever_spooled_to_disk(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """R9."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file was made")

    opened = service.session()
    for maker in ("TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, maker, refuse)
    assert service.post_frames(opened, (bytes(1_900_000),) * 3).status_code == 200


def test_a_full_queue_answers_503_with_retry_after(service: Service) -> None:
    """R59: the places are taken by posts that are being judged."""
    opened = service.session()
    work, go = service.app.state.work, Event()
    portal = service.http.portal
    assert portal is not None

    async def fill() -> None:
        import asyncio  # noqa: PLC0415  on the app's own loop

        capacity = service.installation.settings.service.workers + service.installation.settings.service.queue
        service.app.state.busy = [asyncio.create_task(work.run(go.wait, 10)) for _ in range(capacity)]
        await asyncio.sleep(0)

    async def drain() -> None:
        import asyncio  # noqa: PLC0415  on the app's own loop

        await asyncio.gather(*service.app.state.busy)

    portal.call(fill)
    try:
        answer = service.post_frames(opened)
        assert (answer.status_code, code(answer)) == (503, "overloaded")
        assert 1 <= int(answer.headers["retry-after"]) <= 30
        assert "faceauth_shed_total 1.0" in service.http.get("/metrics").text
        assert service.call("GET", "/v1/scenarios").status_code == 200
    finally:
        go.set()
        portal.call(drain)
    assert service.post_frames(opened).status_code == 200
