"""Loading packs, real and refused; the insightface package's own classes on a stand-in."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from faceauth.embed import packs
from faceauth.embed.batcher import BatchingEmbedder
from faceauth.embed.convert import any_size
from faceauth.embed.embedder import OnnxEmbedder
from faceauth.embed.fileset import ModelFile
from faceauth.embed.insightface import RecognitionSession, ScrfdDetector, load_detector, load_recognition
from faceauth.embed.manifest import EmbedderSpec, PackSpec, pack_spec
from faceauth.embed.packs import Pack, load_pack, load_spec
from faceauth.embed.session import PROVIDERS, OnnxSession, load_session
from faceauth.embed.sources import sha256_hex
from faceauth.errors import ModelAltered, ModelError, ModelMissing
from faceauth.sections import InferenceSettings
from faceauth.types import Embedder, Image
from tests.embed.graphs import embedder as small_embedder

MOBILEFACENET = "f055d9c9a4d826d198c42666590fdefa0fdc1374a75ccb6306c3d1b1bf8f74c5"


def test_open(open_pack: Pack) -> None:
    """The pack says what it is, and its networks answer."""
    assert open_pack.detector_kind == "mtcnn"
    assert set(open_pack.detector_sessions) == {"pnet", "rnet", "onet"}
    assert open_pack.detector is None
    assert "CC0" in open_pack.licence
    assert len(open_pack.digest) == 32
    promised: Embedder = open_pack.embedder
    assert len(promised.model_digest) == 32
    assert promised.template.size == 150
    answer = open_pack.detector_sessions["onet"].run({"image": np.zeros((2, 48, 48, 3), np.float32)})
    assert answer["points"].shape == (2, 5, 2)
    assert "session" not in repr(open_pack)


def test_provider_that_is_not_there_is_refused(models_dir: Path) -> None:
    """FACEAUTH_INFERENCE__PROVIDER: no silent fallback."""
    if PROVIDERS["coreml"] in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CoreML")
    with pytest.raises(ModelError, match="no provider coreml"):
        load_pack("open", models_dir, inference=InferenceSettings(provider="coreml"))


def test_on_an_accelerator_sessions_share_batches(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path an accelerator takes, with the CPU in its place: the same embeddings, and it can be closed."""
    plain = load_pack("open", models_dir)
    plain.close()

    def on_cpu(path: Path, *, expected_sha256: str, provider: str = "cpu") -> OnnxSession:
        asked.append(provider)
        return load_session(path, expected_sha256=expected_sha256)

    asked: list[str] = []
    monkeypatch.setattr(packs, "load_session", on_cpu)
    pack = load_pack("open", models_dir, inference=InferenceSettings(provider="cuda", batch=3, wait_ms=50))
    assert isinstance(pack.embedder, BatchingEmbedder)
    assert asked == ["cpu", "cpu", "cpu", "cuda"]  # the detector's three networks stay where they are
    size = pack.embedder.template.size
    chips = list(np.random.default_rng(4).integers(0, 256, (3, size, size, 3), dtype=np.uint8))
    with ThreadPoolExecutor(3) as pool:
        found = [one.result()[0] for one in [pool.submit(pack.embedder.embed, [chip]) for chip in chips]]
    assert np.abs(np.stack(found) - plain.embedder.embed(chips)).max() < 1e-5
    pack.close()
    with pytest.raises(ModelError, match="closed"):
        pack.embedder.embed(chips)


def test_missing_pack_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="faceauth models install opencv"):
        load_pack("opencv", tmp_path)


def test_altered_pack_is_refused(models_dir: Path, tmp_path: Path) -> None:
    """R22: before its graph is looked at."""
    shutil.copytree(models_dir / "open", tmp_path / "open")
    (tmp_path / "open" / "pnet.onnx").write_bytes(small_embedder())
    with pytest.raises(ModelAltered, match=r"pnet\.onnx"):
        load_pack("open", tmp_path)


def test_pack_that_is_only_described_is_not_loaded(tmp_path: Path) -> None:
    described = pack_spec("open").model_copy(update={"not_installable": "not yet."})
    with pytest.raises(ModelError, match="cannot be used yet"):
        load_spec(described, tmp_path)


def mobilefacenet(runtime: str = "onnx", **changes: Any) -> PackSpec:
    """Return a manifest entry of one's own: any ONNX embedder, with YuNet to find the faces."""
    base = pack_spec("opencv")
    made = EmbedderSpec.model_validate(
        {
            **base.embedder.model_dump(),
            "runtime": runtime,
            "file": "mobilefacenet.onnx",
            "input": "input",
            "output": "output",
            "mean": (127.5, 127.5, 127.5),
            "scale": 1 / 127.5,
            **changes,
        }
    )
    file = ModelFile(name=made.file, sha256=MOBILEFACENET, licence="MIT", source=base.files[1].source)
    return base.model_copy(update={"name": "own", "files": (base.files[0], file), "embedder": made})


@pytest.fixture
def folder(shared: Path, tmp_path: Path) -> Path:
    """YuNet as it is installed, and a MobileFaceNet."""
    published = shared / "models" / "yunet" / "face_detection_yunet_2023mar.onnx"
    (tmp_path / "detector.onnx").write_bytes(any_size.convert(published.read_bytes()))
    shutil.copy(shared / "models" / "mobilefacenet" / "mobilefacenet.onnx", tmp_path)
    return tmp_path


def chips(count: int) -> list[Image]:
    return list(np.random.default_rng(5).integers(0, 256, (count, 112, 112, 3), dtype=np.uint8))


def test_own_onnx_embedder_is_one_manifest_entry(folder: Path) -> None:
    """YuNet's and MobileFaceNet's real files, checked and run."""
    pack = load_spec(mobilefacenet(), folder)
    vectors = pack.embedder.embed(chips(3))
    assert vectors.shape == (3, 128)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    answer = pack.detector_sessions["yunet"].run({"input": np.zeros((1, 3, 640, 640), np.float32)})
    assert answer["kps_8"].shape == (1, 6400, 10)


@pytest.mark.parametrize("changes", [{"output": "fc1"}, {"dimension": 64}, {"input": "data"}])
def test_entry_that_does_not_fit_the_file_is_refused(folder: Path, changes: dict[str, Any]) -> None:
    """Nothing is guessed: what the entry says and the file does not have is an error."""
    pack = load_spec(mobilefacenet(**changes), folder)
    with pytest.raises(ModelError):
        pack.embedder.embed(chips(1))


def test_insightface_class_gives_the_same_embeddings(folder: Path) -> None:
    """ArcFaceONNX of the insightface package and our own session agree on one file; chips pass in our order."""
    pytest.importorskip("insightface.model_zoo.arcface_onnx")
    theirs = mobilefacenet("insightface", input="image", output="embedding", batch="one")
    session = load_recognition(theirs, folder)
    own = load_spec(mobilefacenet(), folder).embedder
    found = OnnxEmbedder(session, theirs).embed(chips(3))
    assert np.abs(found - own.embed(chips(3))).max() < 1e-5


@pytest.mark.parametrize("changes", [{"mean": (0.0, 0.0, 0.0)}, {"scale": 1.0}, {"size": 128}])
def test_insightface_class_that_scales_otherwise_is_refused(folder: Path, changes: dict[str, Any]) -> None:
    """The package guesses the scaling; the manifest says it; where they differ nothing runs."""
    pytest.importorskip("insightface.model_zoo.arcface_onnx")
    with pytest.raises(ModelError, match="otherwise"):
        load_recognition(mobilefacenet("insightface", **changes), folder)


def test_insightface_file_is_pinned_too(folder: Path) -> None:
    """R22."""
    pytest.importorskip("insightface.model_zoo.arcface_onnx")
    with (folder / "mobilefacenet.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelAltered):
        load_recognition(mobilefacenet("insightface"), folder)


def test_no_scrfd_file_is_taken_for_one(tmp_path: Path) -> None:
    """A graph with other outputs than SCRFD's never becomes a detector."""
    pytest.importorskip("insightface.model_zoo.scrfd")
    data = small_embedder()
    (tmp_path / "det.onnx").write_bytes(data)
    base = pack_spec("buffalo_sc")
    file = ModelFile(name="det.onnx", sha256=sha256_hex(data), licence="MIT", source=base.files[0].source)
    detector = base.detector.model_copy(update={"sessions": {"scrfd": "det.onnx"}})
    broken = base.model_copy(update={"files": (file, base.files[1]), "detector": detector})
    with pytest.raises(ModelError):
        load_detector(broken, tmp_path).detect(np.zeros((64, 64, 3), np.uint8))


class Scrfd:
    """Stands for the insightface class: remembers the picture, answers two faces."""

    def __init__(self, points: bool = True) -> None:
        self.points = points
        self.image: Any = None

    def detect(self, image: Any) -> Any:
        self.image = image
        boxes = np.array([[0, 0, 10, 10, 0.9], [20, 20, 50, 60, 0.8]], np.float32)
        return boxes, np.arange(20, dtype=np.float32).reshape(2, 5, 2) if self.points else None


def test_scrfd_answers_in_our_words() -> None:
    """BGR in; the largest first; box as left, top, width, height."""
    model = Scrfd()
    image = np.zeros((64, 64, 3), np.uint8)
    image[..., 0] = 255
    faces = ScrfdDetector(model).detect(image)
    assert model.image[0, 0].tolist() == [0, 0, 255]
    assert [face.box for face in faces] == [(20, 20, 30, 40), (0, 0, 10, 10)]
    assert faces[0].landmarks[0].tolist() == [10, 11]
    assert faces[0].score == pytest.approx(0.8)


def test_scrfd_without_landmarks_is_refused() -> None:
    with pytest.raises(ModelError, match="landmarks"):
        ScrfdDetector(Scrfd(points=False)).detect(np.zeros((64, 64, 3), np.uint8))


def test_recognition_that_fails_raises() -> None:
    """R4: whatever the package throws becomes an error of ours."""

    class Fails:
        input_mean, input_std, input_size = 127.5, 127.5, (112, 112)

        def forward(self, batch: Any) -> Any:
            raise RuntimeError(batch.shape)

    session = RecognitionSession(Fails(), mobilefacenet("insightface"))
    with pytest.raises(ModelError):
        session.run({"input": np.zeros((1, 3, 112, 112), np.float32)})
