"""Scenarios that allow only the stream, and one more step when a gate cannot tell."""

from typing import Any

import pytest

import faceauth.pipeline as pipeline_module
from faceauth.errors import LivenessInconclusive, SessionClosed
from tests.service import everybody_is_live
from tests.streaming.conftest import Door
from tests.streaming.device import Device


def test_a_scenario_that_allows_only_the_stream(door: Door) -> None:
    """API.md: scenarios may allow only that."""
    door.service.make_door(mode="verify", stream_only=True)
    door.service.agree("anna", "door")
    opened = door.service.open("enrol", scenario="door")
    assert [step.kind for step in opened.challenge.steps] == ["center"]
    with pytest.raises(SessionClosed):
        door.service.post(opened)
    assert door.run(opened) == "accepted"


def test_one_more_step_once(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def unclear(session_id: str, challenge: Any, *args: Any, **more: Any) -> Any:
        asked.append(len(challenge.steps))
        if not challenge.extra:
            raise LivenessInconclusive("parallax", "motion")
        return everybody_is_live(session_id, challenge, *args, **more)

    monkeypatch.setattr(pipeline_module, "judge", unclear)
    opened = door.service.open("verify")
    with door.socket(opened) as socket:
        device = Device(socket, seed=7)
        device.begin()
        device.obey()
        while len(device.told) != 1:  # until the challenge and its first step come again
            device.hear()
        assert device.told == ["center"]
        device.obey()
        assert device.wait() == "accepted"
    assert asked[1] > asked[0]
    assert len(device.told) == asked[1]
