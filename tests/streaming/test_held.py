"""The stream's `done` comes as late after a denial as a post's answer does (R25)."""

from time import monotonic

from faceauth.api.holding import WRITING_S, Deadlines, Holding
from tests.service import BLUE, RED
from tests.streaming.conftest import Door
from tests.streaming.device import Device

HELD_S = 0.6


def test_a_denial_is_held_and_an_acceptance_is_not(door: Door) -> None:
    pipeline = door.service.installation.pipeline
    took: dict[str, float] = {}
    for outcome, colour in (("denied", BLUE), ("accepted", RED)):
        door.streams._holding = Holding(pipeline.refuse, Deadlines(HELD_S))
        opened = door.service.open("verify")
        with door.socket(opened) as socket:
            device = Device(socket, seed=len(took) * 1000, colour=colour)
            device.begin()
            device.obey()
            began = monotonic()
            assert door.service.reason(opened)[0] == "open"
            assert device.wait() == outcome
            took[outcome] = monotonic() - began
        assert door.service.reason(opened)[0] == outcome
    # What was judged before the test heard of it is not counted here.
    assert took["denied"] > HELD_S + WRITING_S - 0.1
    assert took["accepted"] < took["denied"]
