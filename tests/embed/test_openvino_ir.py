"""The converter of OpenVINO IRs: parity on real chips, the same bytes, and what it refuses."""

import re
from pathlib import Path

import numpy as np
import pytest

from faceauth.capture.align import align
from faceauth.capture.detect import build_detector
from faceauth.embed.convert import any_size
from faceauth.embed.convert.openvino_ir import convert
from faceauth.embed.embedder import to_input, to_unit
from faceauth.embed.manifest import EmbedderSpec, pack_spec
from faceauth.embed.session import OnnxSession
from faceauth.embed.sources import sha256_hex
from faceauth.errors import ModelError
from faceauth.types import Image

NAME = "face-reidentification-retail-0095"
SPEC: EmbedderSpec = pack_spec("retail").embedder

Ir = tuple[bytes, bytes]


@pytest.fixture(scope="module")
def ir(shared: Path) -> Ir:
    folder = shared / "models" / "reid-retail-0095"
    return (folder / f"{NAME}.xml").read_bytes(), (folder / f"{NAME}.bin").read_bytes()


@pytest.fixture(scope="module")
def graph(ir: Ir) -> bytes:
    return convert(*ir)


@pytest.fixture(scope="module")
def chips(shared: Path, group: Image) -> list[Image]:
    """The six faces of the group photograph, cut as the pack cuts them."""
    published = (shared / "models" / "yunet" / "face_detection_yunet_2023mar.onnx").read_bytes()
    yunet = OnnxSession(any_size.convert(published), "yunet")
    faces = build_detector("yunet", {"yunet": yunet}, {"side": 640}).detect(group)
    return [align(group, face.landmarks, SPEC.chip_template) for face in faces]


def test_bytes_are_the_manifests(ir: Ir, graph: bytes) -> None:
    """R22: the same bytes every time, and those that are pinned."""
    assert convert(*ir) == graph
    assert sha256_hex(graph) == pack_spec("retail").file("embedder.onnx").sha256


def test_parity_on_real_chips(shared: Path, graph: bytes, chips: list[Image]) -> None:
    """To 1e-5 of a conversion that another made, on embeddings of unit length; in a batch and one by one."""
    theirs = OnnxSession((shared / "models" / "reid-retail-0095" / f"{NAME}.onnx").read_bytes(), "theirs")
    ours = OnnxSession(graph, "ours")
    planes = to_input(np.stack(chips), SPEC)
    assert len(planes) == 6
    found = to_unit(ours.run({"image": planes})["embedding"])
    wanted = to_unit(theirs.run({"input": planes})["output"].reshape(len(chips), -1))
    assert found.shape == (6, 256)
    assert np.abs(found - wanted).max() < 1e-5
    alone = to_unit(np.concatenate([ours.run({"image": one[None]})["embedding"] for one in planes]))
    assert np.abs(found - alone).max() < 1e-5


def test_different_people_score_below_the_point(graph: bytes, chips: list[Image]) -> None:
    """Six people, and none passes for another at the default point; a face passes for itself, mirrored."""
    session = OnnxSession(graph, "ours")
    vectors = to_unit(session.run({"image": to_input(np.stack(chips), SPEC)})["embedding"])
    mirrored = to_unit(session.run({"image": to_input(np.stack(chips)[:, :, ::-1], SPEC)})["embedding"])
    threshold = pack_spec("retail").points()["fmr-1e-4"].threshold
    scores = vectors @ vectors.T
    assert scores[~np.eye(6, dtype=bool)].max() < threshold
    assert (vectors * mirrored).sum(axis=1).min() > threshold


@pytest.mark.parametrize(
    ("pattern", "new", "says"),
    [
        (b'type="Sigmoid"', b'type="NormalizeL2"', "does not know the operation 'NormalizeL2'"),
        (b'auto_pad="explicit"', b'auto_pad="same_upper"', "auto_pad='same_upper'"),
        (b'auto_broadcast="numpy"', b'auto_broadcast="pdpd"', "auto_broadcast='pdpd'"),
        (b'exclude-pad="true"', b'exclude-pad="false"', "exclude"),
        (b'rounding_type="floor"', b'rounding_type="ceil"', "rounding_type='ceil'"),
        (b'data element_type="f16"', b'data element_type="u4"', "type 'u4'"),
        (b'destination_type="f32"', b'destination_type="i64"', "destination_type='i64'"),
        (b'<net name="torch-jit-export" version="11">', b'<net name="x" version="7">', "versions 10 and 11"),
        (b'from-layer="1"', b'from-layer="9999"', "whose weights are computed"),
        (b'offset="12"', b'offset="999999999"', "laid out"),
        (b"</net>", b"", "cannot be read"),
    ],
)
def test_what_is_not_known_is_refused(ir: Ir, pattern: bytes, new: bytes, says: str) -> None:
    """Nothing is guessed: an operation or a form of one that was never tried is named and refused."""
    xml = re.sub(re.escape(pattern), new, ir[0], count=1)
    assert xml != ir[0]
    with pytest.raises(ModelError, match=re.escape(says)):
        convert(xml, ir[1])


def test_slope_for_each_channel_is_refused(ir: Ir) -> None:
    """The first PReLU's slope, made two numbers long."""
    old = b'<data element_type="f16" shape="1" offset="3596" size="2" />'
    new = b'<data element_type="f16" shape="2" offset="3596" size="4" />'
    assert old in ir[0]
    with pytest.raises(ModelError, match="slope for each channel"):
        convert(ir[0].replace(old, new), ir[1])


def test_cut_off_weights_are_refused(ir: Ir) -> None:
    with pytest.raises(ModelError, match="laid out"):
        convert(ir[0], ir[1][:-1])


def test_empty_network_is_refused() -> None:
    with pytest.raises(ModelError, match="no input or no output"):
        convert(b'<net name="x" version="11"><layers/><edges/></net>', b"")
