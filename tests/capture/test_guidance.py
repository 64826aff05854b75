"""Each guidance code has its cause, and a good face gets none."""

from dataclasses import replace
from typing import Any

import pytest

from faceauth.capture.guidance import DEFAULT, light_and_blur, second_face, size_and_place
from faceauth.types import Pose, Quality
from tests.capture.conftest import face_at

GOOD = Quality(
    eye_distance=80, pose=Pose(0, 0, 0), sharpness=60, brightness=130, contrast=35, weight=0.8, features=0.6
)
SIZE = (640, 480)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, None),
        ({"brightness": 30.0}, "too_dark"),
        ({"brightness": 245.0}, "too_bright"),
        ({"contrast": 3.0, "brightness": 60.0}, "too_dark"),
        ({"contrast": 3.0, "brightness": 200.0}, "too_bright"),
        ({"sharpness": 5.0}, "blurred"),
        ({"features": 0.05}, "occluded"),
    ],
)
def test_light_blur_and_occlusion(change: dict[str, Any], code: str | None) -> None:
    assert light_and_blur(replace(GOOD, **change), DEFAULT) == code


@pytest.mark.parametrize(
    ("x", "y", "eyes", "code"),
    [
        (320, 220, 80.0, None),
        (320, 220, 45.0, "too_far"),
        (320, 220, 300.0, "too_close"),
        (20, 220, 80.0, "off_centre"),
        (320, 20, 80.0, "off_centre"),
        (620, 220, 80.0, "off_centre"),
        (320, 450, 80.0, "off_centre"),
    ],
)
def test_size_and_place(x: float, y: float, eyes: float, code: str | None) -> None:
    assert size_and_place(face_at(x, y, eyes=eyes), eyes, SIZE, DEFAULT) == code


def test_somebody_far_behind_does_not_disturb_but_somebody_beside_does() -> None:
    subject = face_at(300, 200)
    assert not second_face([subject], subject, DEFAULT)
    assert not second_face([subject, face_at(550, 200, eyes=30)], subject, DEFAULT)
    assert second_face([subject, face_at(550, 200, eyes=60)], subject, DEFAULT)
