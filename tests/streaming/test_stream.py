"""The WebSocket of a session: told one step at a time, decided once, and every way to err ends in a denial."""

from tests.streaming.conftest import Door
from tests.streaming.device import Device


def test_a_person_who_obeys_is_accepted(door: Door) -> None:
    opened = door.service.open("verify")
    assert door.run(opened) == "accepted"
    assert door.service.reason(opened) == ("accepted", None)
    assert 'route="/v1/sessions/{session_id}/stream",status="101"' in door.http.get("/metrics").text


def test_steps_are_told_one_at_a_time_and_are_not_those_of_the_post(door: Door) -> None:
    """API.md: step n+1 is told only when n was accepted."""
    opened = door.service.open("verify")
    with door.socket(opened) as socket:
        device = Device(socket)
        device.begin()
        assert len(device.challenge["steps"]) == 1
        assert device.challenge["nonce"] != opened.challenge.nonce.hex()
        assert device.told == ["center"]
        device.show()
        assert device.told == ["center"]
        device.obey()
        assert device.told[:2] == ["center", device.told[1]]
        assert len(device.told) == len(opened.challenge.steps)
        progress = [message["progress"] for message in device.guidance]
        assert progress[0] < progress[-1] <= 1
        assert device.wait() == "accepted"
