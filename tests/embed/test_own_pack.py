"""Packs from a manifest of one's own, installed, loaded and used; the insightface package's classes end to end."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from faceauth.capture.align import align
from faceauth.capture.detect import build_detector
from faceauth.cli import app
from faceauth.embed.convert import any_size
from faceauth.embed.install import install, is_installed, verify
from faceauth.embed.manifest import load_manifest, pack_spec, parse_manifest
from faceauth.embed.packs import load_pack
from faceauth.embed.sources import sha256_hex
from faceauth.errors import ConfigurationError, LicenceNotAccepted, ModelError
from faceauth.types import Image
from tests.embed.scrfd_standin import as_scrfd

MOBILEFACENET = "f055d9c9a4d826d198c42666590fdefa0fdc1374a75ccb6306c3d1b1bf8f74c5"

EMBEDDER = """
layout = "nchw"
colour = "rgb"
size = 112
mean = [127.5, 127.5, 127.5]
scale = 0.00784313725490196
batch = "one"
dimension = 128
metric = "cosine"
template = [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
"""

OWN = f"""
schema = 1

[packs.mobile]
title = "A MobileFaceNet of my own"
licence = "MIT"
licence_url = "https://example.org/licence"
detector_from = "retail"

[[packs.mobile.files]]
name = "mobilefacenet.onnx"
sha256 = "{MOBILEFACENET}"
licence = "MIT"

[packs.mobile.embedder]
runtime = "onnx"
file = "mobilefacenet.onnx"
input = "input"
output = "output"
{EMBEDDER}
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        file = tmp_path / "packs.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return written


def test_any_embedder_is_one_entry(shared: Path, group: Image, tmp_path: Path, write: Write) -> None:
    """Installed from a folder of folders, checked, loaded: six faces found, six people told apart."""
    own = write(OWN)
    install("mobile", tmp_path, manifest=own, from_dir=shared / "models")
    assert is_installed("mobile", tmp_path, own)
    assert verify("mobile", tmp_path, own) == []
    pack = load_pack("mobile", tmp_path, own)
    detector = build_detector(pack.detector_kind, pack.detector_sessions, pack.detector_options)
    faces = detector.detect(group)
    chips = [align(group, face.landmarks, pack.embedder.template) for face in faces]
    vectors = pack.embedder.embed(chips)
    assert vectors.shape == (6, 128)
    assert (vectors @ vectors.T)[~np.eye(6, dtype=bool)].max() < 0.5
    # Without operating points nothing is decided with it.
    assert pack.embedder.operating_points == {}


def test_the_setting_names_the_manifest(
    shared: Path, tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FACEAUTH_MODELS_MANIFEST: the commands know the pack, beside those of the project."""
    monkeypatch.setenv("FACEAUTH_MODELS_MANIFEST", str(write(OWN)))
    monkeypatch.setenv("FACEAUTH_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("FACEAUTH_DATA_DIR", str(tmp_path / "data"))
    run = CliRunner()
    listed = run.invoke(app, ["models", "list"]).stdout
    assert "mobile" in listed
    assert "retail" in listed
    installed = run.invoke(app, ["models", "install", "mobile", "--from", str(shared / "models")])
    assert installed.exit_code == 0, installed.stderr
    assert run.invoke(app, ["models", "verify"]).exit_code == 0
    assert "MIT" in run.invoke(app, ["models", "info", "mobile"]).stdout


def test_local_file_is_never_fetched(tmp_path: Path, write: Write) -> None:
    with pytest.raises(ModelError, match=r"mobilefacenet\.onnx cannot be fetched.*--from"):
        install("mobile", tmp_path, manifest=write(OWN))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("packs.mobile", "packs.open"), "the pack open, which there is already"),
        (('detector_from = "retail"', 'detector_from = "nonesuch"'), "detector_from"),
        (('detector_from = "retail"', ""), "detector"),
        (("size = 112", 'size = "large"'), "size"),
        (("schema = 1", "schema = 2"), "schema"),
        (("schema = 1", "schema = "), "not TOML"),
        (("[packs.mobile]", "packs = 3\n[packs.mobile]"), "not TOML"),
        ((MOBILEFACENET, "f05"), "sha256"),
    ],
)
def test_wrong_manifest_is_told(write: Write, change: tuple[str, str], says: str) -> None:
    """Fail closed, in one line that says where; a pack of the project's is never replaced (R22)."""
    with pytest.raises(ConfigurationError, match=says):
        load_manifest(write(OWN.replace(*change)))


def test_manifest_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="FACEAUTH_MODELS_MANIFEST"):
        pack_spec("mobile", tmp_path / "nonesuch.toml")
    with pytest.raises(ConfigurationError, match="a table of its own"):
        parse_manifest("schema = 1\npacks = 3")


def test_insightface_pack_from_its_folder_layout(shared: Path, group: Image, tmp_path: Path, write: Write) -> None:
    """The package's own classes, SCRFD and ArcFaceONNX, from ``models/NAME/*.onnx``, behind an accepted licence.

    Stand-ins: YuNet's weights in SCRFD's form and a MobileFaceNet. The same people must come out as with our own
    runtime on the same networks.
    """
    pytest.importorskip("insightface.model_zoo.scrfd")
    published = (shared / "models" / "yunet" / "face_detection_yunet_2023mar.onnx").read_bytes()
    layout = tmp_path / ".insightface" / "models" / "standin"
    layout.mkdir(parents=True)
    detector = as_scrfd(any_size.convert(published))
    (layout / "det.onnx").write_bytes(detector)
    (layout / "rec.onnx").write_bytes((shared / "models" / "mobilefacenet" / "mobilefacenet.onnx").read_bytes())
    own = write(standin(sha256_hex(detector)))
    models = tmp_path / "models"
    with pytest.raises(LicenceNotAccepted, match="--accept-licence"):
        install("standin", models, manifest=own, from_dir=layout.parent)
    install("standin", models, manifest=own, from_dir=layout.parent, accept_licence=True)
    pack = load_pack("standin", models, own)
    assert pack.detector is not None
    faces = pack.detector.detect(group)
    assert len(faces) == 6
    found = pack.embedder.embed([align(group, face.landmarks, pack.embedder.template) for face in faces])

    install("mobile", models, manifest=write(OWN), from_dir=shared / "models")
    ours = load_pack("mobile", models, write(OWN))
    ours_found = build_detector(ours.detector_kind, ours.detector_sessions, {"side": 640}).detect(group)
    wanted = ours.embedder.embed([align(group, face.landmarks, ours.embedder.template) for face in ours_found])
    scores = found @ wanted.T
    # SCRFD's class resizes and suppresses in its own way, so the points differ by parts of a pixel.
    assert scores.max(axis=1).min() > 0.9
    assert sorted(scores.argmax(axis=1)) == list(range(6))


def standin(detector_sha256: str) -> str:
    """Return a manifest as the project's own entries for InsightFace's packs are written."""
    return f"""
schema = 1

[packs.standin]
title = "Stand-in for an InsightFace pack"
licence = "Non-commercial research only"
licence_url = "https://example.org/licence"
accept_licence = true

[[packs.standin.files]]
name = "det.onnx"
sha256 = "{detector_sha256}"
licence = "x"

[[packs.standin.files]]
name = "rec.onnx"
sha256 = "{MOBILEFACENET}"
licence = "x"

[packs.standin.detector]
kind = "scrfd"
sessions = {{ scrfd = "det.onnx" }}
layout = "nchw"
colour = "bgr"
mean = [127.5, 127.5, 127.5]
scale = 0.0078125
min_score = 0.7

[packs.standin.embedder]
runtime = "insightface"
file = "rec.onnx"
input = "image"
output = "embedding"
{EMBEDDER}
"""
