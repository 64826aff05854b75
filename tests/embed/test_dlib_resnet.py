"""The converted embedder against dlib itself."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faceauth.embed.convert.dlib_resnet import convert, read_layers
from faceauth.embed.manifest import pack_spec
from faceauth.embed.packs import Pack
from faceauth.embed.session import OnnxSession
from faceauth.embed.sources import sha256_hex
from faceauth.errors import ModelError
from faceauth.types import Image
from tests.embed.conftest import Origin

SIX = 6  # people in the group photograph


def chips(image: Image, dlib: Any, predictor: Any) -> list[Image]:
    """Cut faces as dlib does: its own detector, its own five points."""
    boxes = dlib.get_frontal_face_detector()(image, 0)
    return [dlib.get_face_chip(image, predictor(image, box), 150, 0.25) for box in boxes]


def test_same_embeddings_as_dlib(origin: Origin, group: Image, tmp_path: Path) -> None:
    """On real chips the graph agrees with dlib's own network to 1e-5, and the bytes are the manifest's (R22)."""
    dlib = pytest.importorskip("dlib")
    data = pytest.importorskip("skimage.data")
    weights = origin("embedder.onnx")
    (tmp_path / "weights.dat").write_bytes(weights)
    (tmp_path / "predictor.dat").write_bytes(origin("predictor"))
    predictor = dlib.shape_predictor(str(tmp_path / "predictor.dat"))
    theirs = dlib.face_recognition_model_v1(str(tmp_path / "weights.dat"))
    graph = convert(weights)
    assert sha256_hex(graph) == pack_spec("open").file("embedder.onnx").sha256
    cut = chips(group, dlib, predictor) + chips(np.ascontiguousarray(data.astronaut()), dlib, predictor)
    assert len(cut) == SIX + 1
    ours = OnnxSession(graph, "embedder").run({"image": np.stack(cut).transpose(0, 3, 1, 2).astype(np.float32)})
    expected = np.array([theirs.compute_face_descriptor(chip) for chip in cut])
    assert np.abs(ours["embedding"] - expected).max() < 1e-5
    # The same people, mirrored, are near; the seven are seven: the parity above is not one of constants.
    units = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.abs(units @ units.T - np.eye(len(units))).max() > 0.5
    assert np.linalg.matrix_rank(expected) == SIX + 1


def test_embedder_of_the_pack_adds_the_mirrored_chip(open_pack: Pack) -> None:
    """A chip and its mirror image have the same embedding, of unit length."""
    chip = np.random.default_rng(7).integers(0, 256, (150, 150, 3), dtype=np.uint8)
    vectors = open_pack.embedder.embed([chip, np.ascontiguousarray(chip[:, ::-1])])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)
    assert np.allclose(vectors[0], vectors[1], atol=1e-6)


@pytest.mark.parametrize("cut", [0, 100, 400, 20_000, 1_000_000])
def test_truncated_file_is_refused(origin: Origin, cut: int) -> None:
    """A damaged file is an error of ours, wherever it ends."""
    with pytest.raises(ModelError):
        convert(origin("embedder.onnx")[:cut])


def test_layers_are_those_of_the_network(origin: Origin) -> None:
    """Stem, fourteen residual blocks, a dense layer without bias."""
    layers = read_layers(origin("embedder.onnx"))
    assert [layer.kind for layer in layers[:3]] == ["conv", "relu", "max"]
    kernels = [layer.kernel.shape for layer in layers if layer.kernel is not None]
    assert kernels[0] == (32, 3, 7, 7)
    assert kernels[-1] == (256, 128)
