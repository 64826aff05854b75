"""Sessions before the simulated camera, with the true landmarks: no detector and no network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceauth.capture.align import align
from faceauth.capture.decode import decode
from faceauth.capture.quality import measure
from faceauth.liveness.colours import draw_colours
from faceauth.liveness.decision import judge
from faceauth.liveness.profiles import MOTION, PROFILES, Profile
from faceauth.sections import CaptureSettings
from faceauth.simulate import Head, SimulatedFrame, Subject, simulate_session
from faceauth.simulate.motion import Manner
from faceauth.types import (
    AlignedFace,
    Challenge,
    ChipTemplate,
    DetectedFace,
    Image,
    LiveCapture,
    OperatingPoint,
    Points,
    Step,
    StepKind,
)

LANDMARKS = np.array([[160, 180], [240, 180], [200, 232], [170, 268], [230, 268]], np.float32)
TEMPLATE = ChipTemplate(64, np.array([[20, 24], [44, 24], [32, 38], [23, 50], [41, 50]], np.float32))
Burst = tuple[AlignedFace, ...]


@dataclass
class MeanEmbedder:
    """Sees nothing but where the chip is bright and dark; enough to tell two noises apart."""

    threshold: float = 0.6
    model_digest: bytes = bytes(32)

    @property
    def template(self) -> ChipTemplate:
        return TEMPLATE

    @property
    def operating_points(self) -> Mapping[str, OperatingPoint]:
        name = MOTION.same_point
        return {name: OperatingPoint(name, self.threshold, 0.01, 0.02, 100, 0.1, 100, "made up")}

    def embed(self, chips: Sequence[Image]) -> NDArray[np.float32]:
        small = [cv2.resize(chip[16:52, 12:52], (5, 5), interpolation=cv2.INTER_AREA).ravel() for chip in chips]
        vectors = np.asarray(small, np.float32)
        vectors -= vectors.mean(axis=1, keepdims=True)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def portrait(seed: int) -> Image:
    """Return skin with blotches, and five dots where the landmarks are; another seed is another person."""
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.uniform(0, 255, (480, 400, 3)).astype(np.float32), (0, 0), 3)
    coarse = cv2.GaussianBlur(rng.uniform(0, 255, (480, 400, 3)).astype(np.float32), (0, 0), 25)
    picture = np.clip((noise - 127) * 3 + (coarse - 127) * 12 + 120, 20, 200).astype(np.uint8)
    for x, y in LANDMARKS.astype(int).tolist():
        cv2.circle(picture, (x, y), 6, (250, 250, 250), -1)
    return np.asarray(picture, np.uint8)


def challenge_of(*kinds: StepKind, profile: Profile = MOTION, seed: int = 1) -> Challenge:
    chance = Random(seed)  # noqa: S311  repeatable, no secret
    steps = tuple(
        Step(
            f"s{number}",
            kind,
            profile.min_ms(kind, first=number == 1),
            draw_colours(profile.colours, profile.colour_ms, chance.randbytes) if kind == "flash" else (),
        )
        for number, kind in enumerate(kinds, 1)
    )
    return Challenge(bytes(16), profile.name, steps, datetime(2030, 1, 1, tzinfo=UTC))


def to_face(frame: SimulatedFrame, landmarks: Points | None = None) -> AlignedFace:
    """Return a frame as the capture stage would, with the true landmarks or with those told."""
    points = frame.landmarks if landmarks is None else landmarks
    decoded = decode(frame.jpeg, t_ms=frame.t_ms, step=frame.step, limits=CaptureSettings())
    chip = align(decoded.pixels, points, TEMPLATE)
    low, top = points.min(axis=0), points.max(axis=0)
    box = (float(low[0]) - 40, float(low[1]) - 60, float(top[0] - low[0]) + 80, float(top[1] - low[1]) + 120)
    return AlignedFace(decoded, DetectedFace(box, points, 1.0), chip, measure(chip, points, TEMPLATE))


def film(
    subject: Subject,
    challenge: Challenge,
    *,
    seed: int,
    manner: Manner = "obey",
    told: Burst | None = None,
    power: float = 0.08,
    shown: Challenge | None = None,
    late_ms: float = 0.0,
) -> Burst:
    """Return a session's faces; `told` lends them its landmarks, as a picture that fools the detector might."""
    frames = simulate_session(
        subject, challenge, seed=seed, manner=manner, power=power, shown=shown, late_ms=late_ms
    )
    if told is None:
        return tuple(to_face(frame) for frame in frames)
    return tuple(to_face(frame, face.face.landmarks) for frame, face in zip(frames, told, strict=True))


def decide(challenge: Challenge, faces: Burst, embedder: MeanEmbedder | None = None) -> LiveCapture:
    return judge(
        "fs_1", challenge, faces, embedder=embedder or MeanEmbedder(), profile=PROFILES[challenge.profile]
    )


@pytest.fixture(scope="session")
def turns() -> Challenge:
    return challenge_of("center", "turn_left", "center", "turn_right")


@pytest.fixture(scope="session")
def person() -> Head:
    return Head(portrait(1), LANDMARKS, seed=1)


@pytest.fixture(scope="session")
def genuine(person: Head, turns: Challenge) -> Burst:
    """One bona fide session."""
    return film(person, turns, seed=3)
