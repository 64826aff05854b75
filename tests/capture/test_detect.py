"""The detectors on real photographs; boxes and points were read off the pictures by eye."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from faceauth.capture.detect import build_detector
from faceauth.capture.detect.boxes import suppress
from faceauth.capture.detect.mtcnn import MtcnnDetector
from faceauth.capture.detect.yunet import YunetDetector
from faceauth.embed.session import OnnxSession
from faceauth.errors import ModelError
from faceauth.types import Detector, Image

# The six people from left to right: the eye at the picture's left, the one at its right, nose tip, mouth corners.
PEOPLE = np.array(
    [
        [[86, 331], [128, 309], [119, 341], [112, 374], [149, 354]],
        [[290, 209], [324, 189], [308, 227], [310, 247], [341, 232]],
        [[491, 320], [543, 332], [510, 364], [482, 370], [529, 381]],
        [[762, 400], [804, 401], [776, 432], [764, 443], [807, 443]],
        [[920, 118], [955, 112], [927, 151], [934, 175], [961, 171]],
        [[1150, 324], [1194, 322], [1165, 349], [1156, 367], [1197, 364]],
    ],
    np.float32,
)


def check_group(detector: Detector, group: Image, tolerance: float) -> None:
    faces = sorted(detector.detect(group), key=lambda face: face.box[0])
    assert len(faces) == 6
    for face, points in zip(faces, PEOPLE, strict=True):
        eyes = float(np.linalg.norm(points[1] - points[0]))
        assert np.linalg.norm(face.landmarks - points, axis=1).max() < tolerance * eyes
        left, top, width, height = face.box
        inside = points - np.array([left, top])
        assert (inside > 0).all()
        assert (inside < np.array([width, height])).all()
        assert 1.8 * eyes < width < 4 * eyes


@pytest.mark.parametrize("over", ["union", "smaller"])
@pytest.mark.parametrize("many", [0, 1, 40, 500])
def test_of_boxes_on_each_other_the_best_is_kept(many: int, over: Literal["union", "smaller"]) -> None:
    """Against the rule as it is told, one box after the other; 500 are more than are held together at once."""
    chance = np.random.default_rng(many)
    corners = chance.uniform(0, 300, (many, 2))
    boxes = np.concatenate([corners, corners + chance.uniform(5, 150, (many, 2))], axis=1).astype(np.float32)
    scores = chance.integers(0, 50, many).astype(np.float32)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    for one in sorted(range(many), key=lambda index: -scores[index]):
        for other in kept:
            width = min(boxes[one, 2], boxes[other, 2]) - max(boxes[one, 0], boxes[other, 0])
            height = min(boxes[one, 3], boxes[other, 3]) - max(boxes[one, 1], boxes[other, 1])
            shared = max(width, 0) * max(height, 0)
            both = areas[one] + areas[other] - shared
            if shared > 0.5 * (min(areas[one], areas[other]) if over == "smaller" else both):
                break
        else:
            kept.append(one)
    assert suppress(boxes, scores, 0.5, over=over).tolist() == kept


def test_mtcnn_finds_the_six_people(mtcnn: MtcnnDetector, group: Image) -> None:
    check_group(mtcnn, group, tolerance=0.2)


def test_mtcnn_orders_faces_by_size(mtcnn: MtcnnDetector, group: Image) -> None:
    areas = [face.box[2] * face.box[3] for face in mtcnn.detect(group)]
    assert areas == sorted(areas, reverse=True)


def test_mtcnn_follows_faces_to_the_next_frame(mtcnn: MtcnnDetector, group: Image) -> None:
    faces = mtcnn.detect(group)
    moved = np.ascontiguousarray(np.roll(group, (3, 5), axis=(0, 1)))
    followed = mtcnn.follow(moved, faces)
    assert len(followed) == 6
    here = {tuple(np.rint(face.landmarks[2] / 20)) for face in followed}
    expected = {tuple(np.rint((face.landmarks[2] + np.array([5, 3])) / 20)) for face in faces}
    assert len(here & expected) >= 4


def test_mtcnn_does_not_look_for_faces_smaller_than_asked(
    mtcnn: MtcnnDetector, group: Image, pack: object
) -> None:
    from faceauth.embed.packs import Pack  # noqa: PLC0415  only for the type

    assert isinstance(pack, Pack)
    large = build_detector(pack.detector_kind, pack.detector_sessions, {"min_face": 400})
    assert len(large.detect(group)) < len(mtcnn.detect(group))


@pytest.mark.parametrize("shape", [(1, 1, 3), (11, 300, 3), (480, 640, 3)])
def test_mtcnn_finds_nothing_where_nothing_is(mtcnn: MtcnnDetector, shape: tuple[int, int, int]) -> None:
    assert not mtcnn.detect(np.full(shape, 90, np.uint8))


def test_yunet_finds_the_six_people(shared: Path, group: Image) -> None:
    data = (shared / "models" / "yunet" / "face_detection_yunet_2023mar.onnx").read_bytes()
    check_group(YunetDetector(OnnxSession(data, "yunet")), group, tolerance=0.45)


class EmptyNetwork:
    """A YuNet that sees nothing, or one face of a known cell."""

    def __init__(self, cell: int | None = None) -> None:
        self.cell = cell

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        assert inputs["input"].shape == (1, 3, 640, 640)
        answer: dict[str, np.ndarray] = {}
        for stride in (8, 16, 32):
            cells = (640 // stride) ** 2
            for name, width in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
                answer[f"{name}_{stride}"] = np.zeros((1, cells, width), np.float32)
        if self.cell is not None:
            answer["cls_16"][0, self.cell] = answer["obj_16"][0, self.cell] = 1
            answer["bbox_16"][0, self.cell] = [0.5, 0.5, np.log(4), np.log(6)]
        return answer


def test_yunet_decodes_cell_and_scale() -> None:
    """Cell 41 of the 40 wide grid is column 1, row 1: its centre lies at 1.5 · 16 pixels of the 640 square."""
    (face,) = YunetDetector(EmptyNetwork(cell=41)).detect(np.zeros((320, 320, 3), np.uint8))
    assert face.box == pytest.approx((24 / 2 - 16, 24 / 2 - 24, 32, 48))
    assert face.landmarks == pytest.approx(np.full((5, 2), 8.0))


def test_yunet_finds_nothing_where_nothing_is() -> None:
    assert not YunetDetector(EmptyNetwork()).detect(np.zeros((480, 640, 3), np.uint8))


def test_unknown_kinds_and_missing_networks_are_refused() -> None:
    with pytest.raises(ModelError, match="no detector of kind 'haar'"):
        build_detector("haar", {})
    with pytest.raises(ModelError, match="lacks its network"):
        build_detector("mtcnn", {})
