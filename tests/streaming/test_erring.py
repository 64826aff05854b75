"""Every way to err ends in a denial, and says no more than that (R4, R25)."""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from faceauth.errors import SessionClosed
from faceauth.sessions import OpenedSession
from faceauth.streaming.ending import Ending
from tests.service import BLUE
from tests.streaming.conftest import Door
from tests.streaming.device import HIDDEN, NOSE, Device, picture

Err = Callable[[Device], None]


def bad_json(device: Device) -> None:
    device.socket.send_text("{nonsense")


def not_an_object(device: Device) -> None:
    device.socket.send_text("[1, 2]")


def deep_json(device: Device) -> None:
    device.socket.send_text("[" * 500)


def binary_first(device: Device) -> None:
    device.socket.send_bytes(picture(seed=5))


def text_flood(device: Device) -> None:
    for _ in range(3):
        device.socket.send_text('{"t_ms": 0, "step": "s1"}')


def long_text(device: Device) -> None:
    device.socket.send_text(json.dumps({"t_ms": 0, "step": "s" * 1000}))


def too_many_bytes(device: Device) -> None:
    device.socket.send_text('{"t_ms": 0, "step": "s1"}')
    device.socket.send_bytes(bytes(2_000_001))


def too_many_frames(device: Device) -> None:
    for number in range(400):
        device.socket.send_text(json.dumps({"t_ms": number, "step": "s1"}))
        device.socket.send_bytes(b"\xff\xd8 no picture")


def unknown_step(device: Device) -> None:
    device.socket.send_text('{"t_ms": 0, "step": "s99"}')


def step_before_it_was_told(device: Device) -> None:
    """LIVENESS.md, G0."""
    device.show()
    device.step = {**device.step, "id": "s2"}
    device.send(NOSE["turn_left"])


def late_start(device: Device) -> None:
    device.socket.send_text('{"t_ms": 500, "step": "s1"}')


def time_runs_backwards(device: Device) -> None:
    device.show()
    device.t_ms -= 100
    device.send()


def t_ms_is_a_truth_value(device: Device) -> None:
    device.socket.send_text('{"t_ms": false, "step": "s1"}')


def another_chain(device: Device) -> None:
    device.show()
    device.send(chain="00" * 32)


@pytest.mark.parametrize(
    "err",
    [
        bad_json,
        not_an_object,
        deep_json,
        binary_first,
        text_flood,
        long_text,
        too_many_bytes,
        too_many_frames,
        unknown_step,
        step_before_it_was_told,
        late_start,
        time_runs_backwards,
        t_ms_is_a_truth_value,
        another_chain,
    ],
)
def test_what_no_device_of_ours_sends_is_an_injection(door: Door, err: Err) -> None:
    opened = door.service.open("verify")
    assert door.run(opened, err) == "denied"
    assert door.service.reason(opened) in {("denied", "injection"), ("denied", "quality")}


def test_bytes_that_are_no_picture_are_denied(door: Door) -> None:
    opened = door.service.open("verify")

    def text_as_jpeg(device: Device) -> None:
        device.socket.send_text('{"t_ms": 0, "step": "s1"}')
        device.socket.send_bytes(b"hello")

    assert door.run(opened, text_as_jpeg) == "denied"
    assert door.service.reason(opened) == ("denied", "quality")


def test_another_person_is_denied_with_the_same_words(door: Door) -> None:
    """R25."""
    opened = door.service.open("verify")
    assert door.run(opened, colour=BLUE) == "denied"
    assert door.service.reason(opened) == ("denied", "mismatch")


def test_a_session_is_streamed_once(door: Door) -> None:
    opened = door.service.open("verify")
    assert door.run(opened) == "accepted"
    with door.socket(opened) as socket:  # whoever comes back is told the outcome
        assert json.loads(socket.receive_text()) == {"type": "done", "state": "accepted"}
    with pytest.raises(SessionClosed):
        door.service.post(opened)


def test_a_streamed_session_takes_no_post_and_tells_no_steps(door: Door) -> None:
    opened = door.service.open("verify")
    with door.socket(opened) as socket:
        Device(socket).begin()
        with pytest.raises(SessionClosed):
            door.service.post(opened)
        told = door.http.get(f"/v1/sessions/{opened.session_id}/challenge", headers=bearer(opened)).json()
        assert [step["kind"] for step in told["steps"]] == ["center"]


def test_a_posted_session_takes_no_stream(door: Door) -> None:
    opened = door.service.open("verify")
    door.service.post(opened)
    assert turned_away(door, opened) == 409


@pytest.mark.parametrize("token", ["", "fc_wrong", "fa_wrong"])
def test_a_wrong_token_opens_nothing(door: Door, token: str) -> None:
    opened = door.service.open("verify")
    assert turned_away(door, opened, headers={"Authorization": f"Bearer {token}"}) == 401
    assert turned_away(door, opened, path="/v1/sessions/fs_none/stream") == 401


def test_who_is_turned_away_is_told_as_over_http(door: Door) -> None:
    """API.md: a problem document with a `request_id`; R19: the headers of every answer. It is counted too."""
    opened = door.service.open("verify")
    path = f"/v1/sessions/{opened.session_id}"
    wrong = {"Authorization": "Bearer fc_wrong"}
    with pytest.raises(WebSocketDenialResponse) as refused, door.socket(opened, headers=wrong):
        pass
    told, posted = refused.value, door.http.get(f"{path}/challenge", headers=wrong)
    per_answer = {
        "content-length",
        "x-request-id",
        "vary",
    }  # of these, CORS writes the last and takes no WebSocket
    worn = {name: value for name, value in posted.headers.items() if name not in per_answer}
    assert {name: told.headers.get(name) for name in worn} == worn
    body = told.json()
    assert body.pop("request_id") == told.headers["x-request-id"]
    expected = posted.json()
    del expected["request_id"]
    assert body == expected
    counted = door.http.get("/metrics").text
    assert 'route="/v1/sessions/{session_id}/stream",status="401"' in counted


def test_the_token_may_come_as_a_subprotocol_and_never_in_the_address(door: Door) -> None:
    opened = door.service.open("verify")
    path = f"/v1/sessions/{opened.session_id}/stream"
    protocols = ["faceauth.v1", f"faceauth.token.{opened.client_token}"]
    with door.http.websocket_connect(path, subprotocols=protocols) as socket:
        assert str(socket.accepted_subprotocol) == "faceauth.v1"
        Device(socket).begin()
    assert turned_away(door, opened, path=f"{path}?token={opened.client_token}", headers={}) == 401


def test_another_ones_page_may_not_connect(door: Door) -> None:
    """R19: CORS does not cover WebSockets."""
    opened = door.service.open("verify")
    for origin, status in (("https://evil.example", 403), ("null", 403)):
        assert turned_away(door, opened, headers={**bearer(opened), "Origin": origin}) == status
    with door.socket(opened, headers={"Origin": "http://testserver"}) as socket:
        Device(socket).begin()


def test_two_sockets_at_once(door: Door) -> None:
    opened = door.service.open("verify")
    with door.socket(opened) as socket:
        device = Device(socket)
        device.begin()
        device.show()
        assert turned_away(door, opened) == 409
        device.obey()
        assert device.wait() == "accepted"


def test_a_dropped_connection_goes_on_and_is_charged_once(door: Door) -> None:
    """R11."""
    opened = door.service.open("verify")
    with door.socket(opened) as socket:
        device = Device(socket)
        device.begin()
        for _ in range(8):
            device.show()
    with again(door, opened) as socket:
        second = Device(socket, seed=500)
        second.begin()
        assert second.challenge["nonce"] == device.challenge["nonce"]
        assert second.told == ["center"]
        second.obey()
        assert second.wait() == "accepted"
    received = [event for event in events(door) if event == "device:burst:received"]
    assert len(received) == 2  # one when anna enrolled, one here


def test_whoever_drops_it_again_and_again_is_denied(door: Door) -> None:
    opened = door.service.open("verify")
    device = Device(None)
    for number in range(4):
        with again(door, opened) as socket:
            device = Device(socket, seed=100 * number)
            device.hear()
            if device.done:
                break
            device.hear()
            device.show()
    assert device.done == "denied"
    assert door.service.reason(opened) == ("denied", "quality")


def test_a_face_that_goes_away_starts_over(door: Door) -> None:
    opened = door.service.open("verify")

    def leave(device: Device) -> None:
        while device.told != ["center", device.step["kind"]]:
            device.show()
        nonce = device.challenge
        for _ in range(2):
            device.show(HIDDEN)
        while device.challenge is nonce:
            device.hear()
        device.hear()
        assert device.told == ["center"]
        device.obey()

    assert door.run(opened, leave) == "accepted"


def test_cancelling_ends_the_stream(door: Door) -> None:
    opened = door.service.open("verify")
    with door.socket(opened) as socket:
        device = Device(socket)
        device.begin()
        device.show()
        assert door.http.post(f"/v1/sessions/{opened.session_id}/cancel", headers=bearer(opened)).is_success
        assert device.wait() == "denied"
    assert door.service.reason(opened)[0] == "cancelled"


def test_a_withdrawal_while_it_streams(door: Door) -> None:
    """R33."""
    opened = door.service.open("verify")

    def withdraw(device: Device) -> None:
        device.show()
        door.service.withdraw()
        device.obey()

    assert door.run(opened, withdraw) == "denied"
    assert door.service.reason(opened) == ("denied", "consent_required")


def test_a_service_that_stops_denies_what_is_not_decided(door: Door) -> None:
    opened = door.service.open("verify")
    with door.socket(opened) as socket:
        device = Device(socket)
        device.begin()
        device.show()
        assert door.http.portal is not None
        door.http.portal.call(door.streams.close)
        assert device.wait() == "denied"
    assert door.service.reason(opened) == ("denied", "unavailable")


def test_a_denial_that_cannot_be_written_still_ends_the_session(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R4: the device is told, the service forgets the session, and nothing is accepted."""
    opened = door.service.open("verify")

    def broken(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(Ending, "refuse", broken)
    assert door.run(opened, unknown_step) == "denied"
    assert door.streams.open_now == 0
    assert door.service.reason(opened)[0] != "accepted"


def test_one_too_many_is_told_to_come_back(door: Door) -> None:
    """R59."""
    door.service.installation.settings.stream.sessions = 1
    first, second = door.service.open("verify"), door.service.open("verify")
    with door.socket(first) as socket:
        Device(socket).begin()
        with pytest.raises(WebSocketDenialResponse) as away, door.socket(second):
            pass
        assert away.value.status_code == 503
        assert int(away.value.headers["retry-after"]) > 0
    assert door.run(second) == "accepted"


def bearer(opened: OpenedSession) -> dict[str, str]:
    return {"Authorization": f"Bearer {opened.client_token}"}


def turned_away(
    door: Door, opened: OpenedSession, *, path: str = "", headers: dict[str, str] | None = None
) -> int:
    """Connect, and return the status that it is refused with."""
    path = path or f"/v1/sessions/{opened.session_id}/stream"
    try:
        with door.http.websocket_connect(path, headers=bearer(opened) if headers is None else headers):
            return 101
    except WebSocketDenialResponse as answer:
        return int(answer.status_code)
    except WebSocketDisconnect as closed:
        return int(closed.code)


def again(door: Door, opened: OpenedSession) -> AbstractContextManager[Any]:
    """Connect once the service has seen that the connection before is gone."""
    until = time.monotonic() + 10
    while door.streams.connected(opened.session_id):
        assert time.monotonic() < until
        time.sleep(0.002)
    return door.socket(opened)


def events(door: Door) -> list[str]:
    with door.service.installation.data.read() as conn:
        return [row[0] for row in conn.exec_driver_sql("SELECT event FROM audit_log ORDER BY seq")]
