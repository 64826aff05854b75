"""Quality is measured on what can be seen, and moves the way it should."""

import cv2
import numpy as np
import pytest

from faceauth.capture.align import align
from faceauth.capture.detect.mtcnn import MtcnnDetector
from faceauth.capture.quality import estimate_pose, measure
from faceauth.types import Image, Points, Quality
from tests.capture.conftest import TEMPLATE, face_at


def seen(image: Image, landmarks: Points) -> Quality:
    return measure(align(image, landmarks, TEMPLATE), landmarks, TEMPLATE)


@pytest.fixture(scope="module")
def landmarks(mtcnn: MtcnnDetector, portrait: Image) -> Points:
    return mtcnn.detect(portrait)[0].landmarks


def test_a_blurred_face_is_less_sharp(portrait: Image, landmarks: Points) -> None:
    sharp = seen(portrait, landmarks)
    blurred = seen(np.asarray(cv2.GaussianBlur(portrait, (0, 0), 3), np.uint8), landmarks)
    assert blurred.sharpness < 0.3 * sharp.sharpness
    assert blurred.weight < sharp.weight


@pytest.mark.parametrize("gain", [0.15, 0.4])
def test_a_dark_face_is_darker_and_weighs_less(portrait: Image, landmarks: Points, gain: float) -> None:
    light = seen(portrait, landmarks)
    dark = seen((portrait * gain).astype(np.uint8), landmarks)
    assert dark.brightness == pytest.approx(gain * light.brightness, rel=0.05)
    assert dark.weight < light.weight


def test_a_smooth_thing_over_the_mouth_is_noticed(portrait: Image, landmarks: Points) -> None:
    covered = portrait.copy()
    x, y = (landmarks[3] + landmarks[4]) / 2
    eyes = float(np.linalg.norm(landmarks[1] - landmarks[0]))
    top, bottom = int(y - 0.5 * eyes), int(y + 0.5 * eyes)
    covered[top:bottom, int(x - 0.8 * eyes) : int(x + 0.8 * eyes)] = (150, 120, 110)
    assert seen(covered, landmarks).features < 0.2 < seen(portrait, landmarks).features


def test_weights_stay_between_0_and_1_whatever_is_seen() -> None:
    rng = np.random.default_rng(3)
    for _ in range(30):
        chip = rng.integers(0, 256, (100, 100, 3), dtype=np.uint8)
        points = rng.uniform(0, 640, (5, 2)).astype(np.float32)
        quality = measure(chip, points, TEMPLATE)
        assert 0 <= quality.weight <= 1
        assert np.isfinite([quality.pose.yaw, quality.pose.pitch, quality.pose.roll]).all()


def test_pose_has_the_signs_of_the_types() -> None:
    """Yaw grows as the nose moves to the picture's right, pitch as it moves up."""
    points = face_at(320, 240).landmarks
    right, up = points.copy(), points.copy()
    right[2, 0] += 15
    up[2, 1] -= 15
    assert estimate_pose(points).yaw == pytest.approx(0, abs=1)
    assert estimate_pose(right).yaw > 15
    assert estimate_pose(up).pitch > estimate_pose(points).pitch + 15


def test_pose_is_read_along_the_eyes_of_a_tilted_head() -> None:
    points = face_at(0, 0).landmarks
    angle = np.radians(25)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    tilted = estimate_pose((points @ turn.T).astype(np.float32))
    upright = estimate_pose(points)
    assert tilted.roll == pytest.approx(25, abs=0.1)
    assert tilted.yaw == pytest.approx(upright.yaw, abs=0.1)
    assert tilted.pitch == pytest.approx(upright.pitch, abs=0.1)
