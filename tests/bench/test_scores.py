"""Counted scores give the rates that counting by hand gives."""

import tomllib

import numpy as np
import pytest

from faceauth.bench.points import as_toml, derive, short_of, too_few
from faceauth.bench.scores import Scores
from faceauth.match.operating_points import check


@pytest.fixture
def scores() -> Scores:
    rng = np.random.default_rng(3)
    return Scores.of(rng.normal(0.6, 0.1, 2_000).clip(-1, 1), rng.normal(0.0, 0.1, 400_000).clip(-1, 1))


def test_by_hand() -> None:
    """Ten non-mated scores, one may match: the threshold lies just above the second highest."""
    scores = Scores.of(np.asarray([0.15, 0.5, 0.95]), np.arange(10) / 10)
    threshold = scores.threshold_for(0.1)
    assert threshold == pytest.approx(0.8, abs=1e-5)
    assert threshold > 0.8
    assert (scores.fmr(threshold).events, scores.fmr(threshold).trials) == (1, 10)
    assert (scores.fnmr(threshold).events, scores.fnmr(threshold).trials) == (2, 3)
    assert scores.fmr(scores.threshold_for(1e-9)).events == 0


def test_at_the_threshold_is_a_match() -> None:
    """Rates count as decisions do: at or above the threshold."""
    scores = Scores.of(np.asarray([0.5]), np.asarray([0.5, 0.25]))
    assert scores.fnmr(0.5).events == 0
    assert scores.fmr(0.5).events == 1


def test_the_target_is_kept(scores: Scores) -> None:
    """The measured false match rate never exceeds the target (R1)."""
    for fmr in (0.5, 1e-2, 1e-3, 1e-4, 1e-5):
        assert scores.fmr(scores.threshold_for(fmr)).value <= fmr


def test_operating_points(scores: Scores) -> None:
    """Points have the numbers behind them (R1, R2), rise with strictness, and hold for the matcher."""
    points = derive(scores, source="a test")
    assert [point.name for point in points] == ["fmr-1e-3", "fmr-1e-4", "fmr-1e-5"]
    assert [point.threshold for point in points] == sorted(point.threshold for point in points)
    for point in points:
        check(point)
        assert point.fmr_lower < point.fmr < point.fmr_upper
        assert (point.comparisons, point.mated) == (400_000, 2_000)
    assert "[packs.open.operating_points.fmr-1e-4]\nthreshold = 0.3" in as_toml("open", points)


def test_too_few_comparisons() -> None:
    """A claim that needs more comparisons than were made is no operating point, and is warned of (R3)."""
    few = Scores.of(np.ones(5), np.linspace(-0.5, 0.5, 30_000))
    assert [point.name for point in derive(few, source="a test")] == ["fmr-1e-3", "fmr-1e-4"]
    (warning,) = too_few(few)
    assert "300,000" in warning
    points = derive(few, source="a test")
    assert short_of("a part", 30_000, points) == ()
    (warning,) = short_of("a part", 29_999, points)
    assert warning == "a part: 29,999 by strangers, and fmr-1e-4 needs 30,000 (rule of 3)."


def test_a_set_with_quotation_marks_in_its_name() -> None:
    """What `--toml` prints can be put into a manifest as it is."""
    enough = Scores.of(np.ones(5), np.linspace(-0.5, 0.5, 3_000))
    points = derive(enough, source='people of "here" \\ there')
    told = tomllib.loads(as_toml("open", points))
    assert told["packs"]["open"]["operating_points"]["fmr-1e-3"]["source"] == points[0].source
