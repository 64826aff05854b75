"""A device for tests: it answers a streamed session before a camera whose pictures say where the nose is."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from faceauth.types import DetectedFace, Image
from tests.service import RED, TEMPLATE

Way = tuple[float, float, float]
"""Where the nose is, in eye distances, and by how much the face is nearer, as a share."""

REST: Way = (0.0, 0.0, 0.0)

NOSE: dict[str, Way] = {
    "turn_left": (0.4, 0.0, 0.0),
    "turn_right": (-0.4, 0.0, 0.0),
    "nod_up": (0.0, -0.3, 0.0),
    "nod_down": (0.0, 0.3, 0.0),
    "closer": (0.0, 0.0, 0.4),
}
"""What an obedient person does."""

EVERY_MS = 100


def picture(nose: Way = REST, *, seed: int, colour: tuple[int, int, int] = RED) -> bytes:
    """A JPEG that `Puppet` reads: one block for each part of a `Way`."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(0, 40, (48, 64, 1)).astype(np.float32)
    noise = cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC)[..., None]
    pixels = np.clip(np.array(colour, np.float32) + noise, 0, 255)
    for number, way in enumerate(nose):
        pixels[:32, 32 * number : 32 * number + 32] = 128 + 100 * way
    return bytes(cv2.imencode(".jpg", np.asarray(pixels, np.uint8)[..., ::-1])[1])


class Puppet:
    """A detector that sees one face, whose nose is where the picture's corner says; a white corner hides it."""

    def __init__(self) -> None:
        self.looks = 0

    def detect(self, image: Image) -> Sequence[DetectedFace]:
        self.looks += 1
        way = [(float(image[8:24, 32 * n + 8 : 32 * n + 24].mean()) - 128) / 100 for n in range(3)]
        if way[0] > 1:
            return ()
        landmarks = (TEMPLATE.points * 2 + np.array([200, 100])).astype(np.float32)
        landmarks[2] += np.array(way[:2], np.float32) * 80
        landmarks = (landmarks - landmarks[2]) * np.float32(1 + way[2]) + landmarks[2]
        return [DetectedFace(box=(230, 130, 150, 180), landmarks=landmarks, score=0.99)]


HIDDEN: Way = (1.2, 0.0, 0.0)
"""Instead of a nose: nobody is there."""


@dataclass
class Device:
    """One side of a WebSocket, in lockstep: it waits for the guidance on each frame."""

    socket: Any
    seed: int = 0
    t_ms: int = -EVERY_MS
    challenge: dict[str, Any] = field(default_factory=dict)
    step: dict[str, Any] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    guidance: list[dict[str, Any]] = field(default_factory=list)
    evaluating: bool = False
    done: str | None = None
    colour: tuple[int, int, int] = RED

    def hear(self) -> dict[str, Any]:
        """Take one message."""
        message: dict[str, Any] = json.loads(self.socket.receive_text())
        kind = message["type"]
        if kind == "challenge":
            self.challenge, self.told, self.t_ms, self.evaluating = message, [], -EVERY_MS, False
        elif kind == "step":
            self.step = message
            self.told.append(message["kind"])
        elif kind == "guidance":
            self.guidance.append(message)
        elif kind == "evaluating":
            self.evaluating = True
        else:
            self.done = message["state"]
        return message

    def begin(self) -> None:
        """Take the challenge and the first step."""
        assert self.hear()["type"] == "challenge"
        assert self.hear()["type"] == "step"

    def send(self, nose: Way = REST, **header: Any) -> None:
        """Send one frame."""
        self.t_ms += EVERY_MS
        self.seed += 1
        self.socket.send_text(json.dumps({"t_ms": self.t_ms, "step": self.step["id"], **header}))
        self.socket.send_bytes(picture(nose, seed=self.seed, colour=self.colour))

    def show(self, nose: Way = REST, **header: Any) -> None:
        """Send one frame and wait until it was looked at."""
        self.send(nose, **header)
        sent, began = self.t_ms, self.challenge["nonce"]
        while self.done is None and not self.evaluating and self.challenge["nonce"] == began:
            message = self.hear()
            if message["type"] == "guidance" and message["t_ms"] == sent:
                return
            if message["type"] == "challenge":
                return

    def obey(self, frames: int = 200) -> None:
        """Do what is asked until it is judged."""
        for _ in range(frames):
            if self.evaluating or self.done:
                break
            self.show(NOSE.get(self.step["kind"], REST))

    def wait(self) -> str:
        """Wait for the outcome."""
        while self.done is None:
            self.hear()
        return self.done
