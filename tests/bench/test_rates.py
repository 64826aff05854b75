"""Rates are told with their number and interval, or not at all (R3)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceauth.bench.rates import Rate, clopper_pearson, comparisons_needed
from faceauth.errors import InvalidRequest


@pytest.mark.parametrize(
    ("events", "trials", "low", "high"),
    [
        # Clopper and Pearson's limits, from scipy.stats.binomtest(k, n).proportion_ci(method="exact").
        (1, 10, 0.002528578544, 0.445016117028),
        (5, 100, 0.016431879182, 0.112834911105),
        (99, 100, 0.945540614608, 0.999746853967),
        (296, 29640749, 8.880900973e-06, 1.119115310e-05),
        (29640, 29640749, 9.886282329e-04, 1.011418871e-03),
    ],
)
def test_interval(events: int, trials: int, low: float, high: float) -> None:
    """The interval is Clopper and Pearson's (R3)."""
    assert clopper_pearson(events, trials) == pytest.approx((low, high), rel=1e-6)


def test_rule_of_three() -> None:
    """No errors in n trials bound the rate by 3/n (R3)."""
    assert clopper_pearson(0, 300) == (0.0, 0.01)
    assert clopper_pearson(300, 300) == (0.99, 1.0)
    assert clopper_pearson(0, 1) == (0.0, 1.0)
    assert comparisons_needed(1e-4) == 30_000


@given(st.integers(1, 2000), st.integers(0, 2000))
def test_interval_holds_the_rate(trials: int, events: int) -> None:
    """The share observed always lies in the interval, and the interval in 0 to 1."""
    events = min(events, trials)
    low, high = clopper_pearson(events, trials)
    assert 0 <= low <= events / trials <= high <= 1
    turned = tuple(1 - limit for limit in reversed(clopper_pearson(trials - events, trials)))
    assert (low, high) == pytest.approx(turned, abs=1e-8)


def test_text_has_number_and_interval() -> None:
    """The text names the events, the trials and the interval (R3)."""
    assert str(Rate(5, 1000)) == "0.00500 [0.00163, 0.01163] (5 of 1,000)"
    assert f"{Rate(0, 300):>40}".strip() == "0.0000 [0.0000, 0.01000] (0 of 300)"


@pytest.mark.parametrize("spec", [".2%", ".4f", "e", "g"])
def test_no_bare_percentage(spec: str) -> None:
    """A bare percentage is refused (R3)."""
    with pytest.raises(ValueError, match="R3"):
        format(Rate(1, 10), spec)


@pytest.mark.parametrize(("events", "trials"), [(0, 0), (2, 1), (-1, 5)])
def test_no_rate_without_trials(events: int, trials: int) -> None:
    """Nothing is said about what was not tried."""
    with pytest.raises(InvalidRequest):
        Rate(events, trials)


def test_json_holds_everything() -> None:
    """The JSON holds what the text holds; the complement counts the rest."""
    told = Rate(3, 12).complement.as_json()
    assert told["events"] == 9
    assert told["trials"] == 12
    assert math.isclose(told["rate"], 0.75)
    assert told["low"] < 0.75 < told["high"]
