"""How a cost grows with its size: a power law fitted to what was measured, and a plot of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from faceauth.bench.plots import new_figure
from faceauth.errors import InvalidRequest

WORSE_THAN_LINEAR: Final = 1.1
"""An exponent above this is told as worse than linear: below, caches and noise explain it (own figure)."""


@dataclass(frozen=True, slots=True)
class Growth:
    """A cost at several sizes, and the power law cost = c · size^exponent nearest to it.

    The fit is the straight line of least squares through the logarithms.
    """

    what: str
    unit: str
    sizes: tuple[int, ...]
    costs: tuple[float, ...]
    exponent: float

    @classmethod
    def of(cls, what: str, unit: str, measured: Mapping[int, float]) -> "Growth":
        """Fit what was measured, by size.

        Raises:
            InvalidRequest: there are fewer than two sizes, or a cost is not above 0.
        """
        sizes = tuple(sorted(measured))
        costs = tuple(float(measured[size]) for size in sizes)
        if len(sizes) < 2 or sizes[0] < 1 or min(costs) <= 0:
            raise InvalidRequest("Growth is fitted to two sizes or more, with costs above 0.")
        slope = np.polyfit(np.log(sizes), np.log(costs), 1)[0]
        return cls(what, unit, sizes, costs, float(slope))

    @property
    def worse_than_linear(self) -> bool:
        """Whether twice the size costs clearly more than twice as much."""
        return self.exponent > WORSE_THAN_LINEAR

    def as_json(self) -> dict[str, Any]:
        """Return it as a report holds it."""
        return {
            "what": self.what,
            "unit": self.unit,
            "measured": dict(zip(map(str, self.sizes), self.costs, strict=True)),
            "exponent": round(self.exponent, 3),
            "worse_than_linear": self.worse_than_linear,
        }


def write_growth(costs: Sequence[Growth], file: Path) -> None:
    """Draw each cost over its size, both on logarithmic axes, as a multiple of what it was at the smallest.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    figure = new_figure()
    axes: Any = figure.add_subplot()
    for cost in costs:
        relative = np.asarray(cost.costs) / cost.costs[0]
        axes.plot(cost.sizes, relative, marker="o", label=f"{cost.what}: size^{cost.exponent:.2f}", linewidth=1.4)
    most = [min(cost.sizes[0] for cost in costs), max(cost.sizes[-1] for cost in costs)]
    axes.plot(most, [1, most[1] / most[0]], color="0.7", linestyle=":", label="linear")
    axes.set(xscale="log", yscale="log", xlabel="size", ylabel="cost, times that at the smallest size")
    axes.grid(visible=True, which="major", color="0.92")
    axes.legend(fontsize=8, frameon=False)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
