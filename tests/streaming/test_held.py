"""The stream's `done` comes as late after a denial as a post's answer does (R25)."""

from time import monotonic

import pytest

from faceauth.api.holding import WRITING_S, Deadlines, Holding
from tests.service import BLUE, RED
from tests.streaming.conftest import Door
from tests.streaming.device import Device

HELD_S = 0.6


class Noting(Holding):
    """Notes how often it waited."""

    waited = 0

    async def _until(self, at_s: float) -> None:
        self.waited += 1
        await super()._until(at_s)


@pytest.mark.parametrize(("outcome", "colour", "waits"), [("denied", BLUE, 2), ("accepted", RED, 0)])
def test_a_denial_is_held_and_an_acceptance_is_not(
    door: Door, outcome: str, colour: tuple[int, int, int], waits: int
) -> None:
    holding = Noting(door.service.installation.pipeline.refuse, Deadlines(HELD_S))
    door.streams._holding = holding
    opened = door.service.open("verify")
    with door.socket(opened) as socket:
        device = Device(socket, colour=colour)
        device.begin()
        device.obey()
        began = monotonic()
        assert device.wait() == outcome
        took = monotonic() - began
    assert door.service.reason(opened)[0] == outcome
    assert holding.waited == waits
    # What was judged before the test heard of it is not counted here.
    assert took > (HELD_S + WRITING_S - 0.2 if waits else 0)
