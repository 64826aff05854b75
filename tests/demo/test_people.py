"""Who plays: the faces of the group photograph, or people of a folder with two usable pictures or more."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from faceauth.demo.people import ROLES, folder_cast, group_cast, is_usable
from faceauth.errors import InvalidRequest
from faceauth.types import DetectedFace, Image

FRONT = np.asarray([[60, 60], [100, 60], [80, 85], [65, 105], [95, 105]], np.float32)


class Finder:
    """Finds what a picture's red value says: nothing, a front view, a side view, or two faces."""

    def detect(self, image: Image) -> Sequence[DetectedFace]:
        kind = round(int(image[0, 0, 0]) / 60)
        side = FRONT.copy()
        side[2, 0] += 15
        far = DetectedFace((0, 0, 20, 20), FRONT * np.float32(0.25), 1.0)
        near = DetectedFace((50, 40, 60, 80), FRONT, 1.0)
        return ((), (near,), (DetectedFace((50, 40, 60, 80), side, 1.0),), (far, near))[kind]


def _picture(file: Path, kind: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    image = np.zeros((160, 160, 3), np.uint8)
    image[:, :, 2] = 60 * kind
    cv2.imwrite(str(file), image)


def test_a_folder_of_people(tmp_path: Path) -> None:
    """People with fewer than two usable pictures are passed over; the face in the middle is the person's."""
    for number in range(6):
        for picture in range(3):
            _picture(tmp_path / f"p{number}" / f"{picture}.png", 3 if picture else 1)
    _picture(tmp_path / "p0" / "0.png", 0)
    _picture(tmp_path / "p0" / "1.png", 2)
    (tmp_path / "p1" / "0.png").write_bytes(b"no picture")
    cast = folder_cast(tmp_path, Finder())
    assert [person.source for person in cast.everybody] == ["p1", "p2", "p3", "p4"]
    assert [person.name for person in cast.everybody] == list(ROLES)
    assert len(cast.ann.others) == 1
    assert len(cast.ben.others) == 2
    assert cast.ann.first is not cast.ann.others[0]
    np.testing.assert_array_equal(cast.ann.first.landmarks, FRONT)


def test_too_few_people(tmp_path: Path) -> None:
    """What is needed is said."""
    _picture(tmp_path / "p0" / "0.png", 1)
    with pytest.raises(InvalidRequest, match="two pictures"):
        folder_cast(tmp_path, Finder())
    with pytest.raises(InvalidRequest, match="no folder"):
        folder_cast(tmp_path / "nowhere", Finder())


def test_usable_faces() -> None:
    """A side view and a small face are left out: the head model needs a front view."""
    assert is_usable(DetectedFace((0, 0, 1, 1), FRONT, 1.0))
    assert not is_usable(DetectedFace((0, 0, 1, 1), FRONT * np.float32(0.5), 1.0))
    side = FRONT.copy()
    side[2, 0] += 15
    assert not is_usable(DetectedFace((0, 0, 1, 1), side, 1.0))


def test_the_group_photograph() -> None:
    """Its people are taken from left to right, and each logs in with the photograph they enrolled with."""

    class Six:
        def detect(self, image: Image) -> Sequence[DetectedFace]:
            assert image.shape == (886, 1280, 3)
            places = [(float(left), 0.0, 90.0, 90.0) for left in (500, 100, 300, 700)]
            return [DetectedFace(place, FRONT + np.float32(place[0]), 1.0) for place in places]

    cast = group_cast(Six())
    assert [person.source for person in cast.everybody] == [f"face {n} of t1.jpg" for n in (1, 2, 3, 4)]
    assert [person.name for person in cast.enrolled] == ["Ann", "Cleo", "Dan"]
    assert cast.ann.others == (cast.ann.first,)
    assert float(cast.ann.first.landmarks[0, 0]) == 160
