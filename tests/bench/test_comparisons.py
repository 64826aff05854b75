"""Pairs, all against all and fused pictures, on made-up embeddings whose answers are known."""

from pathlib import Path

import numpy as np
import pytest

from faceauth.bench.dataset import Pair, Picture, read_folder, read_pairs
from faceauth.bench.embeddings import Embedded
from faceauth.bench.gallery import all_against_all, compare_fused, fuse
from faceauth.bench.pairs import best_threshold, compare_pairs
from faceauth.errors import InvalidRequest


def _quiet(label: str, done: int, total: int) -> None:
    """Tell nobody."""


def _embedded(rows: list[list[float]], missing: tuple[int, ...] = ()) -> Embedded:
    vectors = np.asarray(rows, np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    acquired = np.ones(len(rows), np.bool_)
    for row in missing:
        acquired[row], vectors[row] = False, 0
    return Embedded(vectors, acquired)


def test_all_against_all_counts_each_two_once() -> None:
    """Five pictures of two people: 4 mated and 6 non-mated comparisons; one without a face takes no part."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(700, 8)).tolist()
    people = [f"p{n // 7}" for n in range(700)]  # more rows than one block
    scores = all_against_all(_embedded(rows), people, progress=_quiet)
    assert int(scores.mated.sum()) == 100 * 21
    assert scores.comparisons == 700 * 699 // 2 - 2100
    scores = all_against_all(_embedded(rows, (0,)), people, progress=_quiet)
    assert int(scores.mated.sum()) == 100 * 21 - 6


def test_all_against_all_agrees_with_a_loop() -> None:
    """The rates are those of the plain double loop."""
    rng = np.random.default_rng(1)
    embedded = _embedded(rng.normal(size=(40, 4)).tolist())
    people = [f"p{n % 10}" for n in range(40)]
    scores = all_against_all(embedded, people, progress=_quiet)
    expected = sum(
        float(embedded.vectors[i] @ embedded.vectors[j]) >= 0.3
        for i in range(40)
        for j in range(i)
        if people[i] != people[j]
    )
    assert scores.fmr(0.3).events == expected


def test_fused_sides_share_no_picture() -> None:
    """Pictures are dealt in turn, up to the size; who has fewer than four takes no part."""
    rows = [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]
    people = ["a", "a", "a", "a", "a", "b", "b", "b"]
    fused = fuse(_embedded(rows), people, size=2)
    assert fused.people == 1
    assert fused.references.tolist() == [[1, 0]]
    assert fused.probes.tolist() == [[0, 1]]


def test_fused_comparisons() -> None:
    """Of n people there are n mated and n (n - 1) non-mated comparisons."""
    rng = np.random.default_rng(2)
    fused = fuse(_embedded(rng.normal(size=(60, 8)).tolist()), [f"p{n % 6}" for n in range(60)], size=2)
    scores = compare_fused(fused)
    assert (fused.people, int(scores.mated.sum()), scores.comparisons) == (6, 6, 30)


def test_folds_choose_on_the_others() -> None:
    """A fold's threshold comes from the other folds: one whose own scores would need another is told wrong."""
    vectors = _embedded([[1, 0], [1, 0.1], [0, 1], [0.1, 1], [1, 1]])
    right = [Pair(0, 1, True, fold) for fold in (0, 1)] + [Pair(0, 2, False, fold) for fold in (0, 1)]
    assert compare_pairs(vectors, right).accuracy.folds == (1.0, 1.0)
    odd = [*right, Pair(0, 2, True, 2), Pair(0, 1, False, 2)]
    result = compare_pairs(vectors, odd)
    assert result.accuracy.folds[2] == 0.0
    assert result.accuracy.pairs == 6


def test_a_missing_face_is_no_success() -> None:
    """A pair without a face is told wrong, also when calling it non-mated would be right."""
    vectors = _embedded([[1, 0], [1, 0.1], [0, 1], [1, 0.2]], missing=(2,))
    pairs = [Pair(0, 1, True, 0), Pair(0, 2, False, 0), Pair(0, 3, True, 1), Pair(1, 2, True, 1)]
    result = compare_pairs(vectors, pairs)
    assert result.not_acquired == 2
    assert result.accuracy.mean <= 0.5
    assert result.scores.comparisons == 0
    assert int(result.scores.mated.sum()) == 3


def test_best_threshold() -> None:
    """Half way between the scores it parts; below all when everything is mated."""
    assert best_threshold(np.asarray([0.1, 0.3, 0.8]), np.asarray([False, False, True])) == pytest.approx(0.55)
    assert best_threshold(np.asarray([0.1, 0.3]), np.asarray([True, True])) <= 0.1
    assert best_threshold(np.asarray([0.1, 0.3]), np.asarray([False, False])) > 0.3


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[Picture, ...]:
    for name in ("Ann/Ann_0001.jpg", "Ann/Ann_0002.jpg", "Bob/Bob_0001.png", "Bob/notes.txt"):
        file = tmp_path / "faces" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    return read_folder(tmp_path / "faces")


def test_folder_and_pairs(pictures: tuple[Picture, ...], tmp_path: Path) -> None:
    """LFW's layout and its list are read; a pair whose picture is not there is left out."""
    assert [picture.name for picture in pictures] == ["Ann_0001", "Ann_0002", "Bob_0001"]
    listed = tmp_path / "pairs.txt"
    listed.write_text("2\t1\nAnn\t1\t2\nAnn\t1\tBob\t1\nBob\t1\t2\nAnn\t2\tBob\t1\n")
    assert read_pairs(listed, pictures) == (Pair(0, 1, True, 0), Pair(0, 2, False, 0), Pair(1, 2, False, 1))


@pytest.mark.parametrize("text", ["", "x\ty\n", "2\t1\nAnn\t1\t2\n", "1\t1\nAnn\t1\t2\nAnn\tone\n"])
def test_no_list_of_pairs(pictures: tuple[Picture, ...], tmp_path: Path, text: str) -> None:
    """Anything else is refused in one line."""
    listed = tmp_path / "pairs.txt"
    listed.write_text(text)
    with pytest.raises(InvalidRequest, match=r"pairs\.txt"):
        read_pairs(listed, pictures)


def test_empty_folder(tmp_path: Path) -> None:
    """A folder without pictures is told as such."""
    with pytest.raises(InvalidRequest, match="no pictures"):
        read_folder(tmp_path)
