"""Growth: the exponent of a power law is found, and what is worse than linear is told."""

from pathlib import Path

import pytest

from faceauth.bench.growth import Growth, write_growth
from faceauth.errors import InvalidRequest


@pytest.mark.parametrize(("power", "worse"), [(0.0, False), (0.5, False), (1.0, False), (1.2, True), (2.0, True)])
def test_the_exponent_is_found(power: float, worse: bool) -> None:
    costs = {size: 3e-4 * size**power for size in (1_000, 10_000, 100_000)}
    found = Growth.of("something", "s", costs)
    assert found.exponent == pytest.approx(power, abs=1e-9)
    assert found.worse_than_linear == worse
    assert found.as_json()["measured"]["1000"] == pytest.approx(costs[1_000])


@pytest.mark.parametrize("costs", [{}, {10: 1.0}, {10: 1.0, 20: 0.0}, {0: 1.0, 20: 2.0}])
def test_too_little_is_no_growth(costs: dict[int, float]) -> None:
    with pytest.raises(InvalidRequest):
        Growth.of("something", "s", costs)


def test_it_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    costs = [Growth.of("one", "s", {1: 1.0, 10: 9.0}), Growth.of("other", "ms", {5: 1.0, 50: 1.5})]
    write_growth(costs, tmp_path / "plots" / "growth.png")
    assert (tmp_path / "plots" / "growth.png").read_bytes().startswith(b"\x89PNG")
