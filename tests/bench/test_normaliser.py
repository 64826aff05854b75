"""Score normalisers: fitted to people, never kept as people, and measured on others than those they saw."""

import hashlib
import io

import numpy as np
import pytest
from numpy.typing import NDArray

from faceauth.bench.dataset import Pair
from faceauth.bench.embeddings import Embedded
from faceauth.bench.gallery import all_against_all, compare_fused, fuse
from faceauth.bench.normalised import Normalised, as_shipped, by_fold, halves, strength_of
from faceauth.bench.normaliser import as_file, as_toml, train
from faceauth.bench.pairs import compare_pairs
from faceauth.embed.normaliser import QuadraticNormaliser
from faceauth.errors import InvalidRequest
from faceauth.match.compare import compare_mean
from faceauth.types import OperatingPoint, Probe, Reference

Floats = NDArray[np.float32]
D = 12


def faces(people: int = 120, pictures: int = 3) -> tuple[Embedded, list[str], NDArray[np.bool_]]:
    """People in two crowds; the last third stand three times as close together, and so do their pictures."""
    rng = np.random.default_rng(2)
    close = np.arange(people) >= people * 2 // 3
    spread = np.where(close, 0.1, 0.3)[:, None]
    centre = np.where(close[:, None], np.eye(D)[0], np.eye(D)[1])
    means = centre + rng.normal(size=(people, D)) * spread
    rows = (
        np.repeat(means, pictures, axis=0)
        + rng.normal(size=(people * pictures, D)) * np.repeat(spread, pictures, axis=0) * 0.3
    )
    unit = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    names = [f"P{number:03d}" for number in np.repeat(np.arange(people), pictures)]
    return Embedded(unit, np.ones(len(unit), np.bool_)), names, np.repeat(close, pictures)


def quiet(label: str, done: int, total: int) -> None:
    """Tell nobody."""


def test_it_takes_more_off_where_people_stand_close() -> None:
    embedded, names, close = faces()
    trained = train(embedded.vectors, names, fewest=100)
    offsets = trained.normaliser().offsets(embedded.vectors)
    assert np.median(offsets[close]) > np.median(offsets[~close])
    assert abs(float(np.median(offsets))) < 0.01
    assert trained.people == 120


def test_one_threshold_then_does_for_both_crowds() -> None:
    """Held out: at the same FMR more mated pictures match than with the plain cosine."""
    embedded, names, _ = faces(people=600)
    split = halves(embedded, names, fewest=300)
    plain = Normalised(split.group, ())
    scores = [all_against_all(embedded, names, normalised=one, progress=quiet) for one in (plain, split)]
    assert scores[0].comparisons == scores[1].comparisons
    missed = [one.fnmr(one.threshold_for(1e-3)).value for one in scores]
    assert missed[1] < missed[0]


def test_few_people_are_refused() -> None:
    """A fit to few could be read back as their faces."""
    embedded, names, _ = faces()
    with pytest.raises(InvalidRequest, match="1,000"):
        train(embedded.vectors, names)


def test_the_file_is_the_same_every_time() -> None:
    embedded, names, _ = faces()
    trained = train(embedded.vectors, names, fewest=100)
    content = as_file(trained)
    assert content == as_file(train(embedded.vectors, names, fewest=100))
    assert np.array_equal(np.load(io.BytesIO(content), allow_pickle=False), trained.matrix)
    assert trained.matrix.shape == (D + 1, D + 1)
    entry = as_toml("open", "n.npy", content, trained)
    assert hashlib.sha256(content).hexdigest() in entry
    assert f"low = {trained.low}" in entry


def test_held_out_people_are_compared_within_their_half_only() -> None:
    embedded, names, _ = faces()
    split = halves(embedded, names, fewest=50)
    assert sorted(np.bincount(split.group)) == [180, 180]
    for name in set(names):
        assert len({number for number, person in zip(split.group, names, strict=True) if person == name}) == 1
    scores = all_against_all(embedded, names, normalised=split, progress=quiet)
    assert scores.comparisons == 2 * (180 * 179 // 2) - 120 * 3
    sides = fuse(embedded, names, size=1, normalised=split)
    assert compare_fused(sides).comparisons < sides.people * (sides.people - 1) or sides.people == 0


def test_held_out_normalisers_are_as_strong_as_the_packs() -> None:
    """What is measured held out is the score the pack decides on, but for whom the fit saw."""
    embedded, names, _ = faces()
    normaliser = QuadraticNormaliser(np.eye(D + 1, dtype=np.float32), low=-1, high=1, strength=0.8)
    point = OperatingPoint("p", 0.5, 1e-4, 1e-4, 10_000, 0.1, 10, "a test", normaliser=normaliser)
    strength = strength_of([point])
    assert strength == 0.8
    assert strength_of([]) == 1.0
    whole = halves(embedded, names, fewest=50)
    part = halves(embedded, names, strength=strength, fewest=50)
    offsets = [one.offsets(embedded.vectors, one.group) for one in (whole, part)]
    assert np.allclose(offsets[1], 0.8 * offsets[0])


def test_folds_are_held_out_one_by_one() -> None:
    embedded, names, _ = faces()
    pairs = [Pair(6 * n, 6 * n + 1, mated=True, fold=n // 30) for n in range(60)]
    pairs += [Pair(6 * n, 6 * n + 3, mated=False, fold=n // 30) for n in range(60)]
    split = by_fold(embedded, names, pairs, fewest=50)
    assert set(split.group.tolist()) == {0, 1}
    assert compare_pairs(embedded, pairs, normalised=split).accuracy.mean > 0.7


def test_measured_as_it_is_decided() -> None:
    """The benchmark's fused score is `compare_mean`'s, to rounding."""
    embedded, names, _ = faces(pictures=4)
    normaliser = QuadraticNormaliser(train(embedded.vectors, names, fewest=100).matrix, low=-1, high=1)
    points = (OperatingPoint("p", 0.5, 1e-4, 1e-4, 10_000, 0.1, 10, "a test", normaliser=normaliser),)
    sides = fuse(embedded, names, size=2, normalised=as_shipped(points, len(names)))
    measured = sides.probes[0] @ sides.references[1] - (sides.probe_offsets[0] + sides.reference_offsets[1]) / 2
    probe = Probe(sides.probes[0], sides.probes[:1], b"m", "standard")
    theirs = [Reference(str(row), "shop", "anna", "login", "c", b"m", embedded.vectors[row]) for row in (4, 6)]
    assert compare_mean(probe, theirs, normaliser=normaliser) == pytest.approx(float(measured), abs=1e-6)
