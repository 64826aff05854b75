"""A made-up face that needs neither a photograph nor a network, and a challenge."""

from collections.abc import Callable
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from faceauth.types import Challenge, Image, Points, Step, StepKind

LANDMARKS = np.array([[160, 180], [240, 180], [200, 238], [168, 268], [232, 268]], np.float32)


@pytest.fixture(scope="session")
def landmarks() -> Points:
    return LANDMARKS


@pytest.fixture(scope="session")
def photo() -> Image:
    """Blurred noise with five dots of one colour each where the landmarks are."""
    rng = np.random.default_rng(3)
    noise = cv2.GaussianBlur(rng.uniform(60, 200, (480, 400, 3)).astype(np.float32), (0, 0), 4)
    picture = np.clip((noise - 130) * 5 + 130, 0, 160).astype(np.uint8)
    for x, y in LANDMARKS.astype(int).tolist():
        cv2.circle(picture, (x, y), 7, (255, 255, 255), -1)
    return np.asarray(picture, np.uint8)


@pytest.fixture
def challenge() -> Callable[..., Challenge]:
    def make(*kinds: StepKind) -> Challenge:
        steps = tuple(Step(f"s{number}", kind, 400) for number, kind in enumerate(kinds, 1))
        return Challenge(bytes(16), "motion", steps, datetime(2030, 1, 1, tzinfo=UTC))

    return make


def pixels_of(jpeg: bytes) -> Image:
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert decoded is not None
    return np.asarray(decoded, np.uint8)
