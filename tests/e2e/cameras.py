"""Simulated people before a browser's camera: as frames for a script, or as a film that Chromium plays."""

import dataclasses
import itertools
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from faceauth.simulate import simulate_session
from faceauth.simulate.surface import Subject
from tests.e2e.conftest import SEEDS, challenge_of

FPS = 15
SHOWN_MS, SHORTEST_MS = 700, 1200
"""How much longer than asked the page shows a step that is posted, and for how long at least (post.js)."""
SPARE_MS = 300
"""The simulated person goes on a little longer still, so that no step runs out of frames."""
OPENING_MS = 400
"""A film begins with the camera, and the page's first step a little later: when the first picture has come."""


def bursts(subject: Subject, told: dict[str, Any], *, spare_ms: int = SPARE_MS) -> list[list[bytes]]:
    """Return JPEGs for each step of a challenge as the service told it, at `FPS`."""
    challenge = challenge_of({"challenge": told})
    steps = tuple(dataclasses.replace(step, min_ms=shown_ms(step.min_ms) + spare_ms) for step in challenge.steps)
    frames = simulate_session(
        subject, dataclasses.replace(challenge, steps=steps), seed=next(SEEDS), fps=FPS, mild=True
    )
    return [[one.jpeg for one in frames if one.step == step.id] for step in steps]


def shown_ms(min_ms: int) -> int:
    """Return how long the page shows a step."""
    return max(SHORTEST_MS, min_ms + SHOWN_MS)


def for_script(found: Sequence[Sequence[bytes]]) -> list[list[str]]:
    """Return bursts in base64, for fake_camera.js."""
    return [[b64encode(jpeg).decode() for jpeg in burst] for burst in found]


def write_film(subject: Subject, told: dict[str, Any], path: Path) -> None:
    """Write a session as YUV4MPEG2, whose header carries the frame rate; Chromium plays it round and round."""
    found = bursts(subject, told, spare_ms=SPARE_MS + OPENING_MS)
    lasts = [shown_ms(step["min_ms"]) for step in told["steps"]]
    lasts[0] += OPENING_MS
    lasts[-1] += SPARE_MS  # what comes after the end, until the page has closed the camera
    jpegs = itertools.chain.from_iterable(
        burst[: round(ms * FPS / 1000)] for burst, ms in zip(found, lasts, strict=True)
    )
    with path.open("wb") as film:
        film.write(b"YUV4MPEG2 W640 H480 F%d:1 Ip A1:1 C420\n" % FPS)
        for jpeg in jpegs:
            picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
            assert picture is not None
            film.write(b"FRAME\n")
            film.write(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).tobytes())
