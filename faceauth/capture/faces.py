"""From a burst of frames to the one subject's aligned faces, or to what the person can do better."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, runtime_checkable

import numpy as np

from faceauth.capture.align import align
from faceauth.capture.guidance import (
    DEFAULT,
    MANY_FACES,
    NO_FACE,
    CaptureProfile,
    light_and_blur,
    second_face,
    size_and_place,
)
from faceauth.capture.quality import measure
from faceauth.types import AlignedFace, ChipTemplate, DetectedFace, Detector, Frame

FULL_EVERY = 4
"""Every so many frames, and at every new step, the whole picture is searched, so that a second face is seen."""

MISSED = 0.1
"""The share of frames in which the face may not be found; two such frames in a row are never allowed."""


@runtime_checkable
class FollowingDetector(Protocol):
    """A detector that can look near where the faces were, which is far cheaper than a whole picture."""

    def follow(self, image: np.ndarray, faces: Sequence[DetectedFace]) -> Sequence[DetectedFace]:
        """Return the faces found near `faces`."""
        ...


class OfStep(Protocol):
    """A frame, of whatever kind, that answers a step."""

    @property
    def step(self) -> str:
        """The step's id."""
        ...


def is_searched_whole(frames: Sequence[OfStep], number: int) -> bool:
    """Say whether all of a burst's frame is searched, and not only near the face before it."""
    new_step = number == 0 or frames[number].step != frames[number - 1].step
    return new_step or number % FULL_EVERY == 0


@dataclass(frozen=True, slots=True)
class _Seen:
    """One frame's result: a face, or what to tell the person; `soft` codes matter only facing the camera."""

    face: AlignedFace | None
    code: str | None = None
    soft: bool = False


class FaceReader:
    """Reads bursts. It keeps nothing between two of them.

    Args:
        detector: the pack's.
        template: the embedder's.
        profile: limits.
    """

    def __init__(self, detector: Detector, template: ChipTemplate, profile: CaptureProfile = DEFAULT) -> None:
        self._detector = detector
        self._template = template
        self._profile = profile

    def read(
        self,
        frames: Sequence[Frame],
        *,
        facing: frozenset[str] = frozenset(),
        found: Mapping[int, Sequence[DetectedFace]] | None = None,
    ) -> tuple[tuple[AlignedFace, ...], tuple[str, ...]]:
        """Find the one subject in every frame.

        Args:
            frames: a burst, in order.
            facing: ids of the steps in which the person faces the camera: there light, blur and occlusion count;
                in the others the face moves, so only its place does. Without any, every frame counts.
            found: the faces of frames that were searched already, by the frame's number.

        Returns:
            The faces, in order, and guidance. Guidance is empty when the burst can be judged, and the faces are
            empty when it cannot.
        """
        seen: list[_Seen] = []
        known = found or {}
        before: Sequence[DetectedFace] = ()
        for number, frame in enumerate(frames):
            whole = is_searched_whole(frames, number)
            there = self.find(frame, before, whole=whole) if number not in known else known[number]
            seen.append(self._subject(frame, there, _last_face(seen)))
            before = there
        codes = _codes(frames, seen, facing)
        if codes:
            return (), codes
        return tuple(one.face for one in seen if one.face is not None), ()

    def find(self, frame: Frame, before: Sequence[DetectedFace], *, whole: bool) -> Sequence[DetectedFace]:
        """Return the faces of one frame, the largest first: near those of the frame before, or in all of it."""
        if not whole and before and isinstance(self._detector, FollowingDetector):
            near = self._detector.follow(frame.pixels, before)
            if len(near) == len(before):
                return near
        return self._detector.detect(frame.pixels)

    def look(
        self, frame: Frame, found: Sequence[DetectedFace], *, facing: bool
    ) -> tuple[AlignedFace | None, str | None]:
        """Return the subject's face in one frame, and what the person can do better, while frames still come.

        Args:
            frame: the frame.
            found: the faces in it, the largest first.
            facing: whether the person is to face the camera, so that light, blur and occlusion count.
        """
        seen = self._subject(frame, found, None)
        return seen.face, None if seen.soft and not facing else seen.code

    def _subject(self, frame: Frame, found: Sequence[DetectedFace], before: AlignedFace | None) -> _Seen:
        """Judge one frame; the subject is the largest face, and must be where it was."""
        if not found:
            return _Seen(None, NO_FACE)
        subject = found[0]
        if second_face(found, subject, self._profile):
            return _Seen(None, MANY_FACES)
        chip = align(frame.pixels, subject.landmarks, self._template)
        quality = measure(chip, subject.landmarks, self._template)
        face = AlignedFace(frame=frame, face=subject, chip=chip, quality=quality)
        # Turning shortens the way between the eyes; the size is judged as if the head faced the camera.
        eyes = quality.eye_distance / max(float(np.cos(np.radians(min(abs(quality.pose.yaw), 45)))), 0.7)
        size = (frame.pixels.shape[1], frame.pixels.shape[0])
        code = size_and_place(subject, eyes, size, self._profile)
        if code is None and before is not None and self._jumped(face, before):
            code = "hold_still"
        if code is not None:
            return _Seen(face, code)
        return _Seen(face, light_and_blur(quality, self._profile), soft=True)

    def _jumped(self, face: AlignedFace, before: AlignedFace) -> bool:
        moved = face.face.landmarks.mean(axis=0) - before.face.landmarks.mean(axis=0)
        return float(np.hypot(*moved)) > self._profile.max_step * before.quality.eye_distance


def _last_face(seen: Sequence[_Seen]) -> AlignedFace | None:
    return next((one.face for one in reversed(seen) if one.face is not None), None)


def _codes(frames: Sequence[Frame], seen: Sequence[_Seen], facing: frozenset[str]) -> tuple[str, ...]:
    """Return what stands against judging the burst, the commonest first."""
    against: Counter[str] = Counter()
    if any(one.code == MANY_FACES for one in seen):
        against[MANY_FACES] += len(seen)
    missing = [one.code == NO_FACE for one in seen]
    in_a_row = any(first and second for first, second in pairwise(missing))
    if in_a_row or sum(missing) > MISSED * len(seen) or all(missing):
        against[NO_FACE] += len(seen)
    hard = Counter(one.code for one in seen if one.code and not one.soft and one.code not in {NO_FACE, MANY_FACES})
    for code, count in hard.items():
        if count > MISSED * len(seen):
            against[code] += count
    looked_at = [
        one for frame, one in zip(frames, seen, strict=True) if one.face and (not facing or frame.step in facing)
    ]
    soft = Counter(one.code for one in looked_at if one.code and one.soft)
    for code, count in soft.items():
        if 2 * count > len(looked_at):
            against[code] += count
    return tuple(code for code, _ in against.most_common())
