"""`faceauth bench capture`: every picture ends in exactly one place, and rates tell their trials (R3)."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from faceauth.bench.capture import measure_capture
from faceauth.bench.dataset import Picture
from faceauth.errors import InvalidRequest
from faceauth.types import DetectedFace, Image
from tests.capture.conftest import TEMPLATE, face_at


class ByBrightness:
    """Finds one face in light pictures, two in grey ones, none in dark ones."""

    def detect(self, image: Image) -> list[DetectedFace]:
        level = float(image.mean())
        return [] if level < 50 else [face_at(320, 200)] if level > 150 else [face_at(200, 200), face_at(500, 200)]


def test_every_picture_is_counted_once(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(-25, 25, (120, 160, 1)).repeat(4, 0).repeat(4, 1).repeat(3, 2)
    for number, level in enumerate((200, 200, 100, 25)):
        cv2.imwrite(str(tmp_path / f"{number}.jpg"), (noise + level).astype(np.uint8))
    (tmp_path / "4.jpg").write_bytes(b"no picture")
    pictures = [Picture("p", str(number), tmp_path / f"{number}.jpg") for number in range(5)]
    seen: list[int] = []
    result = measure_capture(
        pictures, ByBrightness(), TEMPLATE, pack="none", progress=lambda _, done, __: seen.append(done)
    )
    assert seen == [1, 2, 3, 4, 5]
    assert (result.judged.events, result.refused.events, result.second_faces.events) == (2, 1, 1)
    assert {code: rate.events for code, rate in result.guidance.items()} == {"many_faces": 1, "no_face": 1}
    assert result.as_json()["judged"] == result.judged.as_json()
    assert result.quality["eye_distance"] == pytest.approx((80.0,) * 3)
    assert result.milliseconds["decode"] > 0


def test_no_pictures() -> None:
    with pytest.raises(InvalidRequest):
        measure_capture([], ByBrightness(), TEMPLATE, pack="none", progress=lambda *_: None)
