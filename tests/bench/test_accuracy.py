"""The whole measurement, on a made-up data set with a detector and an embedder that are told what to see."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceauth.bench.accuracy import AccuracyResult, measure_accuracy
from faceauth.bench.dataset import read_folder
from faceauth.bench.embeddings import Cache, embed_pictures, nearest_centre
from faceauth.bench.plots import write_plots
from faceauth.bench.report import as_json, rows
from faceauth.embed.packs import Pack
from faceauth.errors import InvalidImage, InvalidRequest
from faceauth.types import ChipTemplate, DetectedFace, Embedder, Image, OperatingPoint

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FIVE = np.asarray([[10, 10], [22, 10], [16, 16], [11, 22], [21, 22]], np.float32)
PEOPLE, PICTURES = 12, 6


class OneFace:
    """Finds one face in every picture that is not black."""

    def detect(self, image: Image) -> Sequence[DetectedFace]:
        return () if image.max() < 30 else (DetectedFace((8, 8, 16, 16), FIVE, 1.0),)


@dataclass
class ColourEmbedder:
    """Embeds the chip's mean colour; counts its calls."""

    calls: int = 0
    model_digest: bytes = b"m" * 32
    template: ChipTemplate = field(default_factory=lambda: ChipTemplate(32, FIVE))

    @property
    def operating_points(self) -> dict[str, OperatingPoint]:
        return {"fmr-1e-3": OperatingPoint("fmr-1e-3", 0.9, 1e-3, 1e-3, 1000, 0.1, 10, "a test")}

    def embed(self, chips: Sequence[Image]) -> NDArray[np.float32]:
        self.calls += len(chips)
        means = np.asarray([chip.mean(axis=(0, 1)) - 128 for chip in chips], np.float32)
        return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), np.float32)


def colours() -> Pack:
    """A pack that knows people by their colours."""
    return Pack(
        name="colours",
        licence="",
        digest=b"p" * 32,
        embedder=ColourEmbedder(),
        detector_kind="double",
        detector_sessions={},
        detector_options={},
        detector=OneFace(),
    )


def _quiet(label: str, done: int, total: int) -> None:
    """Tell nobody."""


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Twelve people, six pictures each, in their own colours; one picture black, one no picture; and pairs."""
    rng = np.random.default_rng(5)
    folder = tmp_path / "faces"
    for person in range(PEOPLE):
        colour = rng.uniform(40, 216, 3)
        (folder / f"P{person}").mkdir(parents=True)
        for number in range(1, PICTURES + 1):
            seen = np.clip(colour + rng.normal(0, 6, 3), 31, 255).astype(np.uint8)
            image = np.tile(seen, (64, 64, 1))
            assert cv2.imwrite(str(folder / f"P{person}" / f"P{person}_{number:04d}.png"), image)
    cv2.imwrite(str(folder / "P0" / "P0_0006.png"), np.zeros((64, 64, 3), np.uint8))
    (folder / "P1" / "P1_0006.png").write_bytes(b"no picture")
    mated = [f"P{person}\t1\t2" for person in range(10)]
    others = [f"P{person}\t1\tP{person + 1}\t2" for person in range(10)]
    folds = [line for n in range(5) for line in (*mated[2 * n : 2 * n + 2], *others[2 * n : 2 * n + 2])]
    (folder / "pairs.txt").write_text("\n".join(["5\t2", *folds]) + "\n")
    return folder


def _measured(faces: Path, pack: Pack, **options: Any) -> AccuracyResult:
    return measure_accuracy(faces, pack, now=NOW, workers=2, progress=_quiet, **options)


def test_the_whole_measurement(faces: Path) -> None:
    """Every number of comparisons is what the pictures allow; failures to acquire are counted."""
    result = _measured(faces, colours())
    assert (result.failure_to_acquire.events, result.failure_to_acquire.trials) == (2, PEOPLE * PICTURES)
    there = PEOPLE * PICTURES - 2
    mated = 10 * 15 + 2 * 10
    assert result.gallery.comparisons == there * (there - 1) // 2 - mated
    assert result.pairs is not None
    assert result.pairs.accuracy.pairs == 20
    assert result.pairs.accuracy.mean > 0.6
    assert [one.people for one in result.fused] == [PEOPLE] * 5
    assert result.points == ()
    assert len(result.warnings) == 3


def test_report_and_plots(faces: Path, tmp_path: Path) -> None:
    """The report holds every rate with its trials (R3), and names no person and no path."""
    result = _measured(faces, colours())
    report = as_json(result)
    text = json.dumps(report, allow_nan=False)
    assert str(tmp_path) not in text
    assert "P0" not in text
    assert report["failure_to_acquire"]["trials"] == PEOPLE * PICTURES
    assert report["shipped_points"][0]["single"]["fmr"]["trials"] == result.gallery.comparisons
    assert report["pack"]["pack_digest"] == (b"p" * 32).hex()
    told = [row.told for row in rows(result)]
    assert all(" of " in line or "rule of 3" in line or "folds" in line for line in told)
    for file in write_plots(result, tmp_path / "out"):
        assert cv2.imread(str(file)) is not None
        assert file.stat().st_size < 200_000


def test_pairs_are_optional_and_limits_hold(faces: Path) -> None:
    """Without a list of pairs the rest is measured; a limit takes the first pictures."""
    (faces / "pairs.txt").unlink()
    result = _measured(faces, colours(), limit=10)
    assert result.pairs is None
    assert as_json(result)["pairs"] is None
    assert result.pictures == 10


def test_the_cache_saves_work_for_the_same_pack_only(faces: Path, tmp_path: Path) -> None:
    """A second run embeds nothing; another pack's embeddings are never taken (R23)."""
    file = tmp_path / "cache.npz"
    embedder = ColourEmbedder()
    pack = replace(colours(), embedder=embedder)
    first = _measured(faces, pack, cache_file=file)
    assert embedder.calls == PEOPLE * PICTURES - 2
    again = _measured(faces, pack, cache_file=file)
    assert embedder.calls == PEOPLE * PICTURES - 2
    assert as_json(again)["all_against_all"] == as_json(first)["all_against_all"]
    assert again.failure_to_acquire == first.failure_to_acquire
    other = ColourEmbedder()
    _measured(faces, replace(colours(), digest=b"q" * 32, embedder=other), cache_file=file)
    assert other.calls == PEOPLE * PICTURES - 2


def test_a_broken_cache_is_told(tmp_path: Path) -> None:
    """A file that is no cache is an error, not an empty cache that would be written over."""
    file = tmp_path / "cache.npz"
    file.write_bytes(b"something else")
    with pytest.raises(InvalidImage, match=r"cache\.npz"):
        Cache(file, pack_digest=b"p" * 32)


def test_what_was_embedded_is_kept_when_a_run_is_broken_off(faces: Path, tmp_path: Path) -> None:
    """Minutes of work are not lost."""
    file = tmp_path / "cache.npz"
    embedder: Embedder = ColourEmbedder()

    def stop(label: str, done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    cache = Cache(file, pack_digest=b"p" * 32)
    with pytest.raises(KeyboardInterrupt):
        embed_pictures(read_folder(faces), OneFace(), embedder, cache=cache, workers=1, progress=stop)
    assert file.exists()
    with np.load(file) as kept:
        assert len(kept["digests"]) == 5


def test_the_face_nearest_the_centre_is_taken() -> None:
    """Of several people in a picture LFW's label names the one in the middle."""
    image = np.zeros((100, 100, 3), np.uint8)
    corner = DetectedFace((0, 0, 90, 90), FIVE, 1.0)
    middle = DetectedFace((40, 40, 20, 20), FIVE + 34, 0.9)
    assert nearest_centre(image, (corner, middle)) is middle


def test_no_face_at_all(faces: Path) -> None:
    """Nothing is measured on nothing."""
    for file in faces.glob("*/*.png"):
        file.write_bytes(b"no picture")
    with pytest.raises(InvalidRequest, match="No face"):
        _measured(faces, colours())


def test_one_picture_of_each_is_too_little(faces: Path) -> None:
    """Without two of one person nobody knows how alike they look; that is told, and what to bring."""
    for folder in faces.iterdir():
        if folder.is_dir():
            for more in sorted(folder.glob("*.png"))[1:]:
                more.unlink()
    (faces / "pairs.txt").unlink(missing_ok=True)
    with pytest.raises(InvalidRequest, match="one with two pictures"):
        _measured(faces, colours())
