"""`faceauth bench recognition`: whole ways from a JPEG to a decision, counted on the same pictures."""

import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from faceauth.bench.dataset import Picture, read_folder, several_each
from faceauth.bench.embeddings import Cache, Floats, embed_pictures
from faceauth.bench.recognisers import Ours, decides, peers
from faceauth.bench.recognition import accuracy
from faceauth.embed.packs import load_pack
from faceauth.errors import InvalidRequest


class _ByBytes:
    """A recogniser whose embedding is what the file says: two numbers, or nothing for no face."""

    name = "by bytes"
    threshold = 0.9

    def embed(self, jpeg: bytes) -> Floats | None:
        if not jpeg:
            return None
        vector = np.asarray([float(part) for part in jpeg.split()], np.float32)
        return np.asarray(vector / np.linalg.norm(vector), np.float32)

    def compare(self, probes: Floats, references: Floats) -> NDArray[np.float64]:
        return np.asarray(probes @ references.T, np.float64)


def _quiet(label: str, done: int, total: int) -> None:
    """Tell nobody."""


def _written(folder: Path, files: dict[str, bytes]) -> list[Picture]:
    pictures = []
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        pictures.append(Picture(path.parent.name, path.stem, path))
    return pictures


def test_errors_are_counted_all_against_all(tmp_path: Path) -> None:
    """R3: 25 people with two pictures each: 25 mated comparisons, 1,200 others; one picture has no face."""
    files = {}
    for person in range(25):
        angle = person * np.pi / 50
        files[f"p{person:02}/a.jpg"] = f"{np.cos(angle)} {np.sin(angle)}".encode()
        files[f"p{person:02}/b.jpg"] = f"{np.cos(angle + 1e-3)} {np.sin(angle + 1e-3)}".encode()
    files["p00/c.jpg"] = b""
    found = accuracy(_ByBytes(), _written(tmp_path, files), progress=_quiet)
    assert (found.acquired.events, found.acquired.trials) == (50, 51)
    assert found.comparisons == 1_200
    # 1,200 comparisons are enough to speak about 1e-2 (rule of 3: 300) and not about 1e-3.
    assert list(found.matches) == [1e-2]
    assert (found.matches[1e-2].events, found.matches[1e-2].trials) == (25, 25)


def test_nothing_to_compare_is_told(tmp_path: Path) -> None:
    pictures = _written(tmp_path, {"p0/a.jpg": b"1 0", "p0/b.jpg": b"1 0", "p1/a.jpg": b""})
    with pytest.raises(InvalidRequest, match="Too few pictures"):
        accuracy(_ByBytes(), pictures, progress=_quiet)


def test_no_face_is_no_match() -> None:
    """R4: nor is a face that is not alike enough."""
    mine = np.asarray([1, 0], np.float32)
    assert decides(_ByBytes(), b"1 0", mine)
    assert not decides(_ByBytes(), b"0 1", mine)
    assert not decides(_ByBytes(), b"", mine)


def test_who_is_not_here_is_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "face_recognition", None)
    there, absent = peers(tmp_path)
    assert there == []
    assert [one.name.split(",")[0] for one in absent] == [
        "face_recognition",
        "OpenCV",
        "insightface FaceAnalysis",
    ]
    assert all("install" in one.why for one in absent)


def test_ours_is_the_way_the_service_embeds(shared: Path, models_dir: Path) -> None:
    """Bit by bit what `bench accuracy` compares, and a decision at the shipped threshold."""
    pictures = [one for one in several_each(read_folder(shared / "data" / "lfw")) if one.person == "Aaron_Peirsol"]
    pack = load_pack("open", models_dir)
    ours = Ours.of(pack)
    embedded = embed_pictures(
        pictures[:2],
        ours.detector,
        pack.embedder,
        cache=Cache(None, pack_digest=pack.digest),
        workers=1,
        progress=_quiet,
    )
    mine = ours.embed(pictures[0].path.read_bytes())
    assert mine is not None
    assert np.array_equal(mine, embedded.vectors[0])
    assert decides(ours, pictures[0].path.read_bytes(), mine)
    stranger = read_folder(shared / "data" / "lfw", limit=1)[0].path.read_bytes()
    assert not decides(ours, stranger, mine)
