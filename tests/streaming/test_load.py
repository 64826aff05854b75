"""A busy service: nobody's minute is spent in a queue, and whoever is too many is told before they begin."""

from typing import Any

import pytest
from starlette.testclient import WebSocketDenialResponse

import faceauth.pipeline as pipeline_module
from faceauth.api.streams import LONGEST_WAIT_S
from faceauth.api.work import Work
from faceauth.errors import LivenessInconclusive
from faceauth.streaming.ending import JUDGED_WITHIN
from tests.service import everybody_is_live
from tests.streaming.conftest import Door
from tests.streaming.device import Device


@pytest.mark.parametrize(("waited_s", "state"), [(90, "accepted"), (JUDGED_WITHIN.total_seconds() + 1, "denied")])
def test_a_burst_that_came_in_time_does_not_expire_while_it_waits(
    door: Door, monkeypatch: pytest.MonkeyPatch, waited_s: float, state: str
) -> None:
    """R15 counts what the person does; R59: but nothing is accepted however late."""

    def late(*args: Any, **more: Any) -> Any:
        door.service.clock.forward(waited_s)
        return everybody_is_live(*args, **more)

    monkeypatch.setattr(pipeline_module, "judge", late)
    opened = door.service.open("enrol")
    assert door.run(opened) == state
    assert door.service.reason(opened)[0] == ("accepted" if state == "accepted" else "expired")


def test_one_more_step_buys_no_more_time(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """R15: frames count for a minute from the first, however long the first burst waited."""

    def unclear(*args: Any, **more: Any) -> Any:
        door.service.clock.forward(61)
        raise LivenessInconclusive("parallax", "motion")

    monkeypatch.setattr(pipeline_module, "judge", unclear)
    opened = door.service.open("verify")
    assert door.run(opened) == "denied"
    assert door.service.reason(opened)[0] == "expired"


def test_nobody_is_let_in_who_would_wait_too_long(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """R59: told before the person starts."""
    opened = door.service.open("verify")
    with monkeypatch.context() as busy:
        busy.setattr(Work, "expected_s", property(lambda _: LONGEST_WAIT_S + 1))
        with pytest.raises(WebSocketDenialResponse) as away, door.socket(opened):
            pass
        assert away.value.status_code == 503
    assert door.run(opened) == "accepted"


def breach(device: Device) -> None:
    device.show()
    device.socket.send_text("{nonsense")


def charged(door: Door) -> int:
    with door.service.installation.data.read() as conn:
        return sum(row[0] for row in conn.exec_driver_sql("SELECT total FROM attempts"))


def test_a_breach_is_charged_to_whoever_verifies(door: Door) -> None:
    """Beyond R11: nothing was compared, but the protocol is not to be tried without end."""
    assert door.run(door.service.open("verify"), breach) == "denied"
    assert charged(door) == 1
    assert door.run(door.service.open("enrol"), breach) == "denied"
    assert charged(door) == 1


def test_a_breach_after_the_charge_is_not_charged_again(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def unclear(*args: Any, **more: Any) -> Any:
        raise LivenessInconclusive("parallax", "motion")

    monkeypatch.setattr(pipeline_module, "judge", unclear)

    def twice(device: Device) -> None:
        device.obey()
        while len(device.told) != 1:
            device.hear()
        breach(device)

    opened = door.service.open("verify")
    assert door.run(opened, twice) == "denied"
    assert door.service.reason(opened) == ("denied", "injection")
    assert charged(door) == 1


def test_cancelling_is_not_charged(door: Door) -> None:
    opened = door.service.open("verify")

    def leave(device: Device) -> None:
        device.show()
        headers = {"Authorization": f"Bearer {opened.client_token}"}
        assert door.http.post(f"/v1/sessions/{opened.session_id}/cancel", headers=headers).is_success

    assert door.run(opened, leave) == "denied"
    assert charged(door) == 0
