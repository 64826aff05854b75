"""The gates with the pack's own detector and embedder, on heads made from real photographs."""

from datetime import UTC, datetime, timedelta
from importlib.metadata import distribution
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest

from faceauth.capture.decode import decode
from faceauth.capture.detect import build_detector
from faceauth.capture.faces import FaceReader
from faceauth.embed.packs import Pack, load_pack
from faceauth.errors import LivenessDenied
from faceauth.liveness.challenge import make_challenge
from faceauth.liveness.decision import judge
from faceauth.liveness.profiles import MOTION
from faceauth.sections import CaptureSettings
from faceauth.simulate import Head, SimulatedFrame, record, simulate_session
from faceauth.simulate.attacks import Species
from faceauth.types import Challenge, DetectedFace, Detector, Image, LiveCapture

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def pack(models_dir: Path) -> Pack:
    return load_pack("open", models_dir)


@pytest.fixture(scope="module")
def detector(pack: Pack) -> Detector:
    return build_detector(pack.detector_kind, pack.detector_sessions, pack.detector_options)


@pytest.fixture(scope="module")
def group() -> Image:
    """The photograph of six people in the insightface package."""
    image = cv2.imread(str(distribution("insightface").locate_file("insightface/data/images/t1.jpg")))
    assert image is not None
    return np.ascontiguousarray(image[..., ::-1], dtype=np.uint8)


@pytest.fixture(scope="module")
def people(detector: Detector, group: Image) -> list[DetectedFace]:
    return sorted(detector.detect(group), key=lambda face: face.box[0])


def drawn(seed: int) -> Challenge:
    chance = Random(seed)  # noqa: S311  repeatable, no secret
    return make_challenge(profile=MOTION, now=NOW, random=chance.randbytes, expires_at=NOW + timedelta(minutes=5))


def put_through(challenge: Challenge, frames: list[SimulatedFrame], pack: Pack, detector: Detector) -> LiveCapture:
    decoded = [decode(frame.jpeg, t_ms=frame.t_ms, step=frame.step, limits=CaptureSettings()) for frame in frames]
    faces, guidance = FaceReader(detector, pack.embedder.template).read(decoded)
    assert guidance == ()
    return judge("fs_1", challenge, faces, embedder=pack.embedder, profile=MOTION)


@pytest.mark.parametrize("who", range(6))
def test_each_of_six_people_is_accepted(
    pack: Pack, detector: Detector, group: Image, people: list[DetectedFace], who: int
) -> None:
    challenge = drawn(100 + who)
    frames = simulate_session(Head(group, people[who].landmarks, seed=who), challenge, seed=who)
    assert len(put_through(challenge, frames, pack, detector).faces) >= MOTION.least_faces


@pytest.mark.parametrize("species", ["still_photograph", "flat_print_turned", "bent_print_turned"])
def test_a_picture_of_one_of_them_is_denied(
    pack: Pack, detector: Detector, group: Image, people: list[DetectedFace], species: Species
) -> None:
    challenge = drawn(7)
    frames = record(species, group, people[0].landmarks, challenge, seed=7)
    with pytest.raises(LivenessDenied) as denied:
        put_through(challenge, frames, pack, detector)
    assert denied.value.gate == "motion"
