"""Opening a network for other picture sizes."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from faceauth.capture.detect import build_detector
from faceauth.embed.convert.any_size import convert
from faceauth.embed.manifest import pack_spec
from faceauth.embed.session import OnnxSession
from faceauth.embed.sources import sha256_hex
from faceauth.errors import ModelError
from faceauth.types import Image


@pytest.fixture(scope="module")
def published(shared: Path) -> bytes:
    return (shared / "models" / "yunet" / "face_detection_yunet_2023mar.onnx").read_bytes()


def test_bytes_are_the_manifests(published: bytes) -> None:
    """R22: both packs with YuNet pin the same graph."""
    made = sha256_hex(convert(published))
    assert made == pack_spec("retail").file("detector.onnx").sha256
    assert made == pack_spec("opencv").file("detector.onnx").sha256


def test_same_numbers_at_the_published_size(published: bytes) -> None:
    picture = np.random.default_rng(3).integers(0, 256, (1, 3, 640, 640)).astype(np.float32)
    before = OnnxSession(published, "published").run({"input": picture})
    after = OnnxSession(convert(published), "opened").run({"input": picture})
    assert all(np.array_equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("side", [480, 640, 960])
def test_same_faces_at_the_pictures_own_shape(published: bytes, group: Image, side: int) -> None:
    """The six people of a photograph; at 640 within a tenth of the distance between their eyes, 31 px and more."""
    fixed = build_detector("yunet", {"yunet": OnnxSession(published, "published")}).detect(group)
    opened = build_detector("yunet", {"yunet": OnnxSession(convert(published), "opened")}, {"side": side})
    found = opened.detect(group)
    assert len(found) == len(fixed) == 6
    for one in fixed:
        eyes = float(np.linalg.norm(one.landmarks[0] - one.landmarks[1]))
        nearest = min(float(np.abs(other.landmarks - one.landmarks).max()) for other in found)
        assert nearest < (0.1 if side == 640 else 0.35) * eyes


def model(node: object, *weights: object) -> bytes:
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node],
        "small",
        [value("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [value("y", TensorProto.FLOAT, [1, 192])],
        list(weights),
    )
    return bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString())


def test_size_that_is_written_into_the_graph_is_refused() -> None:
    """A Reshape to fixed extents, and operators that may hold the size."""
    shape = helper.make_tensor("s", TensorProto.INT64, [2], [1, 192])
    with pytest.raises(ModelError, match="Reshape"):
        convert(model(helper.make_node("Reshape", ["x", "s"], ["y"]), shape))
    with pytest.raises(ModelError, match="Slice"):
        convert(model(helper.make_node("Slice", ["x", "s", "s"], ["y"]), shape))


def test_no_model_is_refused() -> None:
    with pytest.raises(ModelError):
        convert(b"no model")
    with pytest.raises(ModelError, match="one input"):
        convert(bytes(onnx.ModelProto().SerializeToString()))
