"""DET curves of the gates' values: APCER of each species over BPCER, both on logarithmic axes."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from faceauth.bench.pad import THRESHOLDS, Trial
from faceauth.bench.plots import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 110
LEAST = 3
"""Values on either side below which a curve says nothing."""


def write_plots(trials: Sequence[Trial], folder: Path) -> tuple[Path, ...]:
    """Write ``det-LEVEL-GATE-VALUE.png`` for each value there is enough of, and return where they are.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    written = []
    for level in dict.fromkeys(one.level for one in trials):
        for gate, name in THRESHOLDS:
            figure = det([one for one in trials if one.level == level], (gate, name), f"{level}, {gate}: {name}")
            if figure is not None:
                word = "".join(letter if letter.isalnum() else "-" for letter in f"{level}-{gate}-{name}")
                file = folder / f"det-{word}.png"
                figure.savefig(file, dpi=_DPI)
                written.append(file)
    return tuple(written)


def det(trials: Sequence[Trial], key: tuple[str, str], title: str) -> "Figure | None":
    """Draw APCER over BPCER as the threshold moves, a curve a species; nothing if there is too little to draw."""
    measured = [(one, one.values[key]) for one in trials if key in one.values]
    real = np.array([value for one, value in measured if one.bona_fide])
    species = {one.species for one, _ in measured if not one.bona_fide}
    attacks = {name: np.array([value for one, value in measured if one.species == name]) for name in species}
    attacks = {name: values for name, values in sorted(attacks.items()) if len(values) >= LEAST}
    if len(real) < LEAST or not attacks:
        return None
    figure = new_figure()
    axes: Any = figure.add_subplot()
    for name, values in attacks.items():
        at = np.unique(np.concatenate([real, values, [values.max() + 1e-9]]))
        bpcer = (real[None] < at[:, None]).mean(axis=1)
        apcer = (values[None] >= at[:, None]).mean(axis=1)
        # No rate is told finer than the trials allow: 3/n where there was no error.
        axes.plot(
            np.maximum(bpcer, 3 / len(real)) if len(real) > 3 else bpcer,
            np.maximum(apcer, 3 / len(values)) if len(values) > 3 else apcer,
            label=f"{name} ({len(values)})",
            linewidth=1.5,
        )
    axes.set(xscale="log", yscale="log", xlabel=f"BPCER (of {len(real)})", ylabel="APCER", title=title)
    axes.grid(visible=True, which="both", color="0.92")
    axes.legend(fontsize=8, frameon=False)
    return figure
