"""DET curves and score histograms, as small PNG files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from faceauth.bench.accuracy import AccuracyResult, FusedResult
from faceauth.bench.points import TARGETS
from faceauth.bench.rates import comparisons_needed
from faceauth.bench.scores import BINS, Counts, Scores
from faceauth.errors import ConfigurationError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PLOTTED_BINS = 200
_DPI = 110


def write_plots(result: AccuracyResult, folder: Path) -> tuple[Path, ...]:
    """Write ``det.png``, ``scores.png`` and ``fusing.png`` and return where they are.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    sets: dict[str, Scores] = {f"single pictures, all ({result.gallery.comparisons:,} non-mated)": result.gallery}
    for one in result.fused:
        label = f"{one.size} against {one.size}, {one.people} people ({one.scores.comparisons:,})"
        sets[label] = one.scores
    title = f"{result.pack} on {result.dataset}, {result.pictures:,} pictures, {result.measured_at:%Y-%m-%d}"
    folder.mkdir(parents=True, exist_ok=True)
    files = (folder / "det.png", folder / "scores.png", folder / "fusing.png")
    for file, figure in zip(
        files, (det(sets, title), histogram(result, title), fusing(result, title)), strict=True
    ):
        figure.savefig(file, dpi=_DPI)
    return files


def new_figure() -> "Figure":
    """Return an empty figure of this project's size.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415  an extra, and slow to import
    except ImportError as error:
        raise ConfigurationError("Plots need matplotlib. Run: pip install 'faceauth[bench]'") from error
    return Figure(figsize=(7.2, 5.2), layout="constrained")


def det(sets: Mapping[str, Scores], title: str) -> "Figure":
    """Draw FNMR over FMR, both on logarithmic axes; a curve ends where the rule of 3 lets it."""
    figure = new_figure()
    axes: Any = figure.add_subplot()
    for label, scores in sets.items():
        fmr, fnmr = _curve(scores)
        told = (fmr >= 3 / scores.comparisons) & (fmr <= 0.5)
        axes.plot(fmr[told], fnmr[told], label=label, linewidth=1.6)
    for fmr in TARGETS.values():
        axes.axvline(fmr, color="0.8", linewidth=0.8, zorder=0)
    axes.set(xscale="log", yscale="log", xlabel="FMR", ylabel="FNMR", title=f"DET: {title}")
    axes.title.set_fontsize(10)
    axes.set_xlim(1e-6, 0.5)
    axes.set_ylim(1e-3, 1.0)
    axes.grid(visible=True, which="major", color="0.92")
    axes.legend(fontsize=8, frameon=False, loc="upper right")
    return figure


def fusing(result: AccuracyResult, title: str) -> "Figure":
    """Draw what fusing more pictures a side gains: the TAR with its interval, over how many are fused."""
    figure = new_figure()
    axes: Any = figure.add_subplot()
    for fmr in TARGETS.values():
        told = [one for one in result.fused if one.scores.comparisons >= comparisons_needed(fmr)]
        _with_intervals(
            axes, told, [one.scores.threshold_for(fmr) for one in told], f"threshold of its own, FMR {fmr:.0e}"
        )
    for point in result.shipped:
        label = f"the pack's {point.name}, {point.threshold:.4f}"
        _with_intervals(axes, result.fused, [point.threshold] * len(result.fused), label, linestyle="--")
    axes.set(xlabel="pictures a side, at most", ylabel="TAR", title=f"Fusing: {title}")
    axes.title.set_fontsize(10)
    axes.set_xticks([one.size for one in result.fused])
    axes.grid(visible=True, axis="y", color="0.92")
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    return figure


def _with_intervals(
    axes: Any, fused: Sequence[FusedResult], thresholds: Sequence[float], label: str, linestyle: str = "-"
) -> None:
    if not fused:
        return
    rates = [one.scores.fnmr(at).complement for one, at in zip(fused, thresholds, strict=True)]
    values = [rate.value for rate in rates]
    low = [rate.value - rate.interval[0] for rate in rates]
    high = [rate.interval[1] - rate.value for rate in rates]
    sizes = [one.size for one in fused]
    axes.errorbar(
        sizes, values, yerr=(low, high), label=label, linestyle=linestyle, marker="o", capsize=3, linewidth=1.4
    )


def _curve(scores: Scores) -> tuple[Any, Any]:
    fmr = np.cumsum(scores.non_mated[::-1])[::-1] / scores.comparisons
    below = np.concatenate([[0], np.cumsum(scores.mated)[:-1]])
    fnmr = below / max(int(scores.mated.sum()), 1)
    steps = np.nonzero(np.diff(fmr, prepend=2.0))[0]
    return fmr[steps], np.maximum(fnmr[steps], 1e-9)


def histogram(result: AccuracyResult, title: str) -> "Figure":
    """Draw how often each score came up, mated and non-mated, with the operating points."""
    figure = new_figure()
    axes: Any = figure.add_subplot()
    filled = np.nonzero(result.gallery.mated + result.gallery.non_mated)[0]
    low, high = int(filled[0]), int(filled[-1]) + 1
    width = max((high - low) // _PLOTTED_BINS, 1)
    for label, counts in (("non-mated", result.gallery.non_mated), ("mated", result.gallery.mated)):
        x, y = _coarse(counts, low, high, width)
        axes.step(x, y, where="post", label=f"{label} ({int(counts.sum()):,})")
        axes.fill_between(x, y, step="post", alpha=0.25)
    top = axes.get_ylim()[1]
    for point in result.points:
        axes.axvline(point.threshold, color="0.4", linewidth=0.9, linestyle="--")
        axes.text(point.threshold, top * 0.98, point.name, rotation=90, va="top", ha="right", fontsize=8)
    axes.set(xlabel="comparison score", ylabel="share of comparisons", title=f"Scores: {title}")
    axes.title.set_fontsize(10)
    axes.set_ylim(0, top)
    axes.legend(fontsize=8, frameon=False, loc="upper left")
    return figure


def _coarse(counts: Counts, low: int, high: int, width: int) -> tuple[Any, Any]:
    starts = np.arange(low, high, width)
    sums = np.add.reduceat(counts, starts[starts < BINS])
    return starts * 2 / BINS - 1, sums / max(int(counts.sum()), 1)
