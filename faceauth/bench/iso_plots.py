"""The plots of an ISO/IEC 19795-1 report: DET, score histograms, 1:N curves."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from faceauth.bench.iso import IsoResult
from faceauth.bench.plots import det, new_figure
from faceauth.bench.scores import BINS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 110
_BARS = 200
_THRESHOLDS = 300


def write_plots(result: IsoResult, folder: Path) -> tuple[Path, ...]:
    """Write the plots there is data for and return where they are.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    about = result.about
    title = f"{about.pack} on {about.dataset}, {about.pictures:,} pictures, {about.measured_at:%Y-%m-%d}"
    label = f"single pictures ({result.singles.comparisons:,} non-mated)"
    figures = {"det.png": det({label: result.singles}, title), "scores.png": _histogram(result, title)}
    if result.galleries:
        figures["searches.png"] = _searches(result, title)
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        figure.savefig(folder / name, dpi=_DPI)
    return tuple(folder / name for name in figures)


def _histogram(result: IsoResult, title: str) -> "Figure":
    """Draw how often each score came up, with the operating points."""
    figure = new_figure()
    axes: Any = figure.add_subplot()
    scores = result.singles
    filled = np.nonzero(scores.mated + scores.non_mated)[0]
    low, high = int(filled[0]), int(filled[-1]) + 1
    starts = np.arange(low, high, max((high - low) // _BARS, 1))
    for label, counts in (("non-mated", scores.non_mated), ("mated", scores.mated)):
        share = np.add.reduceat(counts[:high], starts) / counts.sum()
        axes.step(starts * 2 / BINS - 1, share, where="post", label=f"{label} ({int(counts.sum()):,})")
    for point in result.points:
        axes.axvline(point.threshold, color="0.4", linewidth=0.9, linestyle="--")
        axes.text(
            point.threshold, axes.get_ylim()[1] * 0.98, point.name, rotation=90, va="top", ha="right", fontsize=8
        )
    axes.set(xlabel="comparison score", ylabel="share of comparisons")
    axes.set_title(f"Scores: {title}", fontsize=10)
    axes.legend(fontsize=8, frameon=False)
    return figure


def _searches(result: IsoResult, title: str) -> "Figure":
    """Draw FNIR over FPIR, a curve a gallery size; a dot where the service would decide."""
    figure = new_figure()
    axes: Any = figure.add_subplot()
    chosen = {one.gallery: one for one in result.searches if one.chosen}
    for gallery in result.galleries:
        finite = gallery.best[np.isfinite(gallery.best)]
        if len(finite) < 3:
            continue  # not even the rule of 3 lets a point be drawn
        thresholds = np.quantile(finite, 1 - np.geomspace(3 / len(finite), 1, _THRESHOLDS))
        rates = [(gallery.fpir(one).value, gallery.fnir(one).value) for one in thresholds.tolist()]
        told = [(x, y) for x, y in rates if x > 0]
        label = f"{gallery.size:,} people ({len(gallery.best):,} strangers, {len(gallery.own):,} mated)"
        (line,) = axes.plot([x for x, _ in told], [y for _, y in told], label=label, linewidth=1.6)
        if (one := chosen.get(gallery.size)) is not None:
            axes.plot(max(one.fpir.value, 1e-5), max(one.fnir.value, 1e-4), "o", color=line.get_color())
    axes.set(xscale="log", yscale="log", xlabel="FPIR", ylabel="FNIR", xlim=(1e-5, 1), ylim=(1e-4, 1))
    axes.set_title(f"1:N: {title}", fontsize=10)
    axes.grid(visible=True, which="major", color="0.92")
    axes.legend(fontsize=8, frameon=False)
    return figure
