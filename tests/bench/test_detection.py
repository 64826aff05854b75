"""`faceauth bench detection`: misses and jitter are counted as said, on detectors told what to see."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from faceauth.bench.detection import Following, jitter, measure_detection
from faceauth.errors import InvalidRequest
from faceauth.types import DetectedFace, Image
from tests.capture.conftest import face_at


class Light:
    """Finds a face in light pictures, at `x`."""

    def __init__(self, x: int = 320) -> None:
        self._x = x

    def detect(self, image: Image) -> Sequence[DetectedFace]:
        return (face_at(self._x, 240),) if image.mean() > 100 else ()


def _quiet(label: str, done: int, total: int) -> None:
    """Tell nobody."""


def test_misses_and_faces_found_elsewhere(tmp_path: Path) -> None:
    """A set is the pictures of folders beside each other; misses tell their trials (R3)."""
    for number, level in enumerate((200, 200, 20)):
        folder = tmp_path / "live" / f"p{number}"
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / "1.png"), np.full((480, 640, 3), level, np.uint8))
    result = measure_detection(tmp_path, {"one": Light(), "other": Light(40)}, {}, limit=10, progress=_quiet)
    found = result.stills["live"]
    assert (found["one"].missed.events, found["one"].missed.trials, found["one"].apart) == (1, 3, None)
    assert found["other"].apart is not None
    assert found["other"].apart.events == 2
    assert result.speed["one"].ratio == 1.0
    assert result.speed["other"].pictures == 3
    assert result.as_json()["clips"] == {}


def test_a_clip(tmp_path: Path) -> None:
    """Every frame is a trial, and landmarks that stand still do not jitter."""
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 480))
    for level in (200, 200, 200, 20, 200):
        writer.write(np.full((480, 640, 3), level, np.uint8))
    writer.release()
    result = measure_detection(tmp_path, {"one": Light()}, {}, limit=10, progress=_quiet)
    clip = result.clips["clip.avi"]["one"]
    assert (clip.missed.events, clip.missed.trials, clip.triples) == (1, 5, 1)
    assert clip.jitter == (0.0, 0.0)


def test_jitter_is_what_even_motion_does_not_explain() -> None:
    """Even motion gives none; one landmark 1 % of the eyes' distance off gives half of that around it."""
    still = face_at(320, 240).landmarks
    eyes = float(np.linalg.norm(still[1] - still[0]))
    moving = [still + 3 * at for at in range(5)]
    assert jitter(moving, [1, 2, 3]) == pytest.approx((0, 0), abs=1e-6)
    moving[2] = moving[2] + np.asarray([eyes / 100, 0], np.float32)
    assert jitter(moving, [2])[0] == pytest.approx(0.01, rel=1e-3)
    assert jitter(moving, [1])[0] == pytest.approx(0.005, rel=1e-3)
    assert jitter(moving, []) == ()


class Tracker(Light):
    """Follows until it is told that the face has gone."""

    def __init__(self) -> None:
        super().__init__()
        self.searches = 0

    def detect(self, image: Image) -> Sequence[DetectedFace]:
        self.searches += 1
        return super().detect(image)

    def follow(self, image: Image, faces: Sequence[DetectedFace]) -> Sequence[DetectedFace]:
        return faces if image.mean() > 150 else ()


def test_following_searches_only_where_nothing_is_followed() -> None:
    """The first frame and those that lost the face are searched whole."""
    tracker = Tracker()
    following = Following(tracker)
    found = [len(following.detect(np.full((8, 8, 3), level, np.uint8))) for level in (200, 200, 120, 20, 200)]
    assert found == [1, 1, 1, 0, 1]
    assert tracker.searches == 4


def test_nothing_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="no pictures"):
        measure_detection(tmp_path, {"one": Light()}, {}, limit=3, progress=_quiet)
