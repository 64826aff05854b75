"""A burst becomes one subject's faces, or guidance."""

from collections.abc import Sequence

import numpy as np
import pytest

from faceauth.capture.detect.mtcnn import MtcnnDetector
from faceauth.capture.faces import FaceReader
from faceauth.types import DetectedFace, Frame, Image
from tests.capture.conftest import TEMPLATE, face_at, frame_of

TEXTURED = np.random.default_rng(0).integers(60, 200, (480, 640, 3), dtype=np.uint8)
MIDDLE = face_at(320, 200)


class Script:
    """A detector that answers what each frame's time says."""

    def __init__(self, answers: Sequence[Sequence[DetectedFace]]) -> None:
        self.answers = answers
        self.calls = 0

    def detect(self, image: Image) -> Sequence[DetectedFace]:
        assert image.shape[2] == 3
        self.calls += 1
        return self.answers[self.calls - 1]


def burst(count: int, pixels: Image = TEXTURED) -> list[Frame]:
    return [frame_of(pixels, t_ms=80 * number) for number in range(count)]


def read(answers: Sequence[Sequence[DetectedFace]], pixels: Image = TEXTURED) -> tuple[int, tuple[str, ...]]:
    faces, guidance = FaceReader(Script(answers), TEMPLATE).read(burst(len(answers), pixels))
    return len(faces), guidance


def test_a_good_burst_needs_no_guidance() -> None:
    assert read([[MIDDLE]] * 10) == (10, ())


def test_nobody_is_no_face() -> None:
    assert read([[]] * 10) == (0, ("no_face",))


def test_one_missed_frame_is_let_pass_and_two_in_a_row_are_not() -> None:
    good: list[Sequence[DetectedFace]] = [[MIDDLE]] * 20
    assert read([*good, [], *good]) == (40, ())
    assert read([*good, [], [], *good]) == (0, ("no_face",))


def test_a_second_face_in_one_frame_is_enough() -> None:
    """One subject a session: somebody who appears once may be the one whose turn was recorded."""
    good: list[Sequence[DetectedFace]] = [[MIDDLE]] * 20
    assert read([*good, [MIDDLE, face_at(520, 200, eyes=60)], *good]) == (0, ("many_faces",))


def test_a_face_at_the_border_is_off_centre() -> None:
    assert read([[face_at(15, 200)]] * 10) == (0, ("off_centre",))


def test_a_face_that_jumps_about_is_told_to_hold_still() -> None:
    jumping = [[face_at(200 + 240 * (number % 2), 200, eyes=60)] for number in range(10)]
    assert read(jumping) == (0, ("hold_still",))


@pytest.mark.parametrize(("level", "code"), [(8, "too_dark"), (250, "too_bright")])
def test_light_is_looked_at(level: int, code: str) -> None:
    assert read([[MIDDLE]] * 10, np.full((480, 640, 3), level, np.uint8)) == (0, (code,))


def test_blur_counts_only_while_facing_the_camera() -> None:
    """A turning head is blurred by its own movement."""
    smooth = np.repeat(np.tile(np.linspace(60, 240, 640), (480, 1))[..., None], 3, axis=2).astype(np.uint8)
    frames = [
        frame_of(TEXTURED if number < 10 else smooth, t_ms=80 * number, step="s1" if number < 10 else "s2")
        for number in range(20)
    ]
    reader = FaceReader(Script([[MIDDLE]] * 20), TEMPLATE)
    assert reader.read(frames, facing=frozenset({"s1"}))[1] == ()
    reader = FaceReader(Script([[MIDDLE]] * 20), TEMPLATE)
    assert reader.read(frames, facing=frozenset({"s2"}))[1] == ("blurred",)


def test_the_real_detector_reads_a_real_portrait(mtcnn: MtcnnDetector, portrait: Image) -> None:
    """Every chip has its eyes on the template, also in the frames that were only followed."""
    frames = [
        frame_of(np.ascontiguousarray(np.roll(portrait, 3 * number, axis=1)), t_ms=80 * number)
        for number in range(9)
    ]
    faces, guidance = FaceReader(mtcnn, TEMPLATE).read(frames)
    assert guidance == ()
    assert [face.frame.t_ms for face in faces] == [frame.t_ms for frame in frames]
    assert {face.chip.shape for face in faces} == {(100, 100, 3)}
    eyes = np.array([face.face.landmarks[0] for face in faces])
    assert np.diff(eyes[:, 0]) == pytest.approx(np.full(8, 3.0), abs=3.0)


def test_the_real_detector_sees_the_second_person(mtcnn: MtcnnDetector, group: Image) -> None:
    """Two people of the group photograph side by side: nobody is judged."""
    two = np.ascontiguousarray(group[180:520, 420:900])
    assert FaceReader(mtcnn, TEMPLATE).read(burst(6, two)) == ((), ("many_faces",))
