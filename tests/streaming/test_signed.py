"""A stream that a device key signs: over the chain as the service has it, whatever was still on its way."""

import json
from typing import Any

import pytest

from faceauth.identity.signed import session_message
from faceauth.liveness.chain import Chain
from faceauth.liveness.challenge import challenge_from_wire
from faceauth.sessions import OpenedSession
from tests.devices import RawDevice
from tests.streaming.conftest import Door
from tests.streaming.device import EVERY_MS, NOSE, REST, Device, Way, picture


class Signing(Device):
    """A device that hashes what it sends, and signs when it is told over how many frames."""

    key: RawDevice
    digests: list[bytes]
    chain: Chain
    frames: int = 0

    def begin(self) -> None:
        super().begin()
        wire = {**self.challenge, "steps": [{"min_ms": 0, **step} for step in self.challenge["steps"]]}
        wire["steps"] = [{k: v for k, v in step.items() if k != "colours" or v} for step in wire["steps"]]
        self.chain = Chain(challenge_from_wire(wire), told=1)
        self.digests = []

    def send(self, nose: Way = REST, **header: Any) -> None:
        self.t_ms += EVERY_MS
        self.seed += 1
        jpeg = picture(nose, seed=self.seed, colour=self.colour)
        self.digests.append(self.chain.add(self.t_ms, jpeg))
        said = {"t_ms": self.t_ms, "step": self.step["id"], "sign": True, **header}
        self.socket.send_text(json.dumps(said))
        self.socket.send_bytes(jpeg)

    def hear(self) -> dict[str, Any]:
        message = super().hear()
        if message["type"] == "evaluating":
            assert message["sign"]
            self.frames = message["frames"]
        return message

    def sign(self, opened: OpenedSession, over: int | None = None) -> None:
        """Send the signature over the first so many frames."""
        chain = self.digests[(self.frames if over is None else over) - 1]
        nonce = challenge_from_wire(
            {**self.challenge, "steps": [{"id": "s", "kind": "center", "min_ms": 0}]}
        ).nonce
        message = session_message(nonce=nonce, session_id=opened.session_id, chain=chain)
        self.socket.send_text(json.dumps({"type": "signature", "signature": self.key.answer(message)}))


@pytest.fixture
def phone(door: Door) -> RawDevice:
    device = RawDevice()
    device.bind(door.service)
    return device


def stream(door: Door, opened: OpenedSession, phone: RawDevice, over: int | None = None) -> str:
    """Stream a session with two frames more than were asked for, and sign it."""
    with door.socket(opened) as socket:
        device = Signing(socket, seed=1000 * hash(opened.session_id) % 10**6)
        device.key = phone
        device.begin()
        while not device.evaluating:
            device.show(NOSE.get(device.step["kind"], REST))
        device.send()
        device.send()
        device.sign(opened, None if over is None else device.frames + over)
        return device.wait()


def test_a_signed_stream_is_two_factors(door: Door, phone: RawDevice) -> None:
    """R17: over the WebSocket as in a post."""
    opened = door.service.open("verify")
    assert stream(door, opened, phone) == "accepted"
    view = door.service.installation.desk.view(tenant="default", session_id=opened.session_id)
    assert view.amr == ("face", "swk", "mfa")
    assert view.session.device_id == phone.device_id


@pytest.mark.parametrize("over", [-1, 1])
def test_a_signature_over_more_or_fewer_frames_is_an_injection(door: Door, phone: RawDevice, over: int) -> None:
    """R4: what was signed is what is judged."""
    opened = door.service.open("verify")
    assert stream(door, opened, phone, over) == "denied"
    assert door.service.reason(opened) == ("denied", "injection")
