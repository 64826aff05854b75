"""Who plays in the demo: faces of one group photograph, or people of a folder with several pictures each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from faceauth.capture.decode import decode
from faceauth.embed.origins import PackageFile
from faceauth.embed.sources import Progress, package_file, silent
from faceauth.errors import InvalidImage, InvalidRequest
from faceauth.sections import CaptureSettings
from faceauth.types import DetectedFace, Detector, Image, Points

GROUP: Final = PackageFile(
    package="insightface",
    version="2.1",
    archive="wheel",
    archive_sha256="dcd58ee79d99d689572477315f3149353afd65a36dc575f597cbb217a7bde399",
    member="insightface/data/images/t1.jpg",
    sha256="47f682e945b659f93a9e490b9c9c4a2a864abe64dace9e1a2893845ddfd69489",
    size=128824,
)
"""A photograph of six people, from a package that the demo's environment has anyway."""

ROLES: Final = ("Ann", "Ben", "Cleo", "Dan")
LEAST: Final = 3
"""People without whom there is no story."""

PICTURES: Final = 4
"""Of one person, at most: one to enrol with, the others to log in with."""

_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})
_SMALLEST_EYES: Final = 24.0
"""Pixels between the eyes; below it a face blown up to the camera's picture shows too little."""
_FRONTAL: Final = 0.15
"""How far the nose may be off the middle between the eyes, in eye distances: the head model needs a front view.

Measured on the group photograph: heads wearing the three faces below this passed liveness in 15 of 15 sessions,
heads wearing the three above it in 5 of 15."""
_LARGEST_SIDE: Final = 1600


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """One picture with the five landmarks of the face it is taken for."""

    image: Image = field(repr=False)
    landmarks: Points = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One who plays: `name` in the story, `source` in the pictures; enrols with `first`, logs in with `others`."""

    name: str
    account: str
    source: str
    first: Photo
    others: tuple[Photo, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """Ann logs in, Ben tries to be her, the others enrol beside her; `note` says what their pictures are."""

    ann: Person
    ben: Person
    others: tuple[Person, ...]
    note: str

    @property
    def everybody(self) -> tuple[Person, ...]:
        """All of them."""
        return self.ann, self.ben, *self.others

    @property
    def enrolled(self) -> tuple[Person, ...]:
        """Who is enrolled at the end: all but Ben."""
        return self.ann, *self.others


def group_cast(detector: Detector, *, progress: Progress = silent) -> Cast:
    """Take the people of the group photograph in the insightface package, from left to right.

    Raises:
        ModelError: The package is not here and cannot be fetched.
        InvalidRequest: The detector does not find three usable faces.
    """
    image = decode(package_file(GROUP, progress=progress), t_ms=0, step="photo", limits=CaptureSettings()).pixels
    faces = sorted(detector.detect(image), key=lambda face: face.box[0])
    usable = [(number, face) for number, face in enumerate(faces, 1) if is_usable(face)]
    people = [
        _person(role, f"face {number} of t1.jpg", [Photo(image, face.landmarks)])
        for role, (number, face) in zip(ROLES, usable, strict=False)
    ]
    return _cast(
        people,
        "One photograph a person: enrolment and login are rendered from the same one, with other light, noise and "
        "motion. For different photographs: faceauth demo --images DIR",
    )


def folder_cast(folder: Path, detector: Detector) -> Cast:
    """Take up to four people, the first ones, of a folder of folders who have two usable pictures or more.

    Raises:
        InvalidRequest: There are not three such people.
    """
    if not folder.is_dir():
        raise InvalidRequest(f"There is no folder {folder}. Name one that holds a folder for each person.")
    people: list[Person] = []
    for one in sorted(path for path in folder.iterdir() if path.is_dir()):
        photos = list(_photos(one, detector))
        if len(photos) >= 2:
            people.append(_person(ROLES[len(people)], one.name, photos))
        if len(people) == len(ROLES):
            break
    return _cast(people, "Different photographs of each person for enrolment and for login.")


def is_usable(face: DetectedFace) -> bool:
    """Say whether the head model can wear this face: large enough, and seen from the front."""
    left, right, nose = face.landmarks[:3]
    eyes = float(np.hypot(*(right - left)))
    along = float((nose - (left + right) / 2) @ (right - left)) / max(eyes, 1e-6) ** 2
    return eyes >= _SMALLEST_EYES and abs(along) <= _FRONTAL


def _person(role: str, source: str, photos: Sequence[Photo]) -> Person:
    # With one picture alone, the person logs in with the one they enrolled with.
    return Person(role, role.lower(), source, photos[0], tuple(photos[1:]) or (photos[0],))


def _cast(people: Sequence[Person], note: str) -> Cast:
    if len(people) < LEAST:
        raise InvalidRequest(
            f"The demo needs {LEAST} people with two pictures or more, each with a face seen from the front "
            f"and at least {_SMALLEST_EYES:g} pixels between the eyes; {len(people)} were found."
        )
    ann, ben, *others = people
    return Cast(ann, ben, tuple(others), note)


def _photos(folder: Path, detector: Detector) -> Iterator[Photo]:
    """Yield the first usable pictures of a person's folder; the face nearest the middle is taken for theirs."""
    files = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in _SUFFIXES]
    found = 0
    for path in files:
        try:
            image = decode(path.read_bytes(), t_ms=0, step="photo", limits=CaptureSettings()).pixels
        except InvalidImage:
            continue
        image = _smaller(image)
        middle = np.asarray(image.shape[1::-1]) / 2
        faces = sorted(
            detector.detect(image), key=lambda face: float(np.hypot(*(face.landmarks.mean(axis=0) - middle)))
        )
        if faces and is_usable(faces[0]):
            yield Photo(image, faces[0].landmarks)
            found += 1
        if found == PICTURES:
            return


def _smaller(image: Image) -> Image:
    """Shrink a large photograph: the camera shows none of the detail, and detection would take its time."""
    height, width = image.shape[:2]
    share = _LARGEST_SIDE / max(height, width)
    if share >= 1:
        return image
    size = (round(width * share), round(height * share))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
