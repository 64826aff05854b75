"""The plots of `faceauth bench index`: time of a query and who is found, over the number of people."""

from pathlib import Path
from typing import Any, Final

from faceauth.bench.index_run import EXACT, OURS, IndexBench
from faceauth.errors import ConfigurationError

_DPI: Final = 110


def write_index_plots(found: IndexBench, folder: Path) -> tuple[Path, ...]:
    """Write ``query.png`` and ``rank1.png`` and return where they are.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415  an extra, and slow to import
    except ImportError as error:
        raise ConfigurationError("Plots need matplotlib. Run: pip install 'faceauth[bench]'") from error
    folder.mkdir(parents=True, exist_ok=True)
    files = (folder / "query.png", folder / "rank1.png")
    for file, draw in zip(files, (_draw_times, _draw_rank), strict=True):
        figure = Figure(figsize=(7.2, 5.2), layout="constrained")
        draw(found, figure.add_subplot())
        figure.savefig(file, dpi=_DPI)
    return files


def _draw_times(found: IndexBench, axes: Any) -> None:
    for name in found.names():
        points = [(one.rows, one.query.p50) for one in found.of(name) if one.query]
        axes.plot(*zip(*points, strict=True), label=name, **_style(name))
    for name, label in ((EXACT, "reading all float32 rows once"), (OURS, "reading what faceauth auto scans once")):
        bounds = [(one.rows, one.bound_ms) for one in found.of(name) if one.bound_ms]
        if bounds:
            axes.plot(*zip(*bounds, strict=True), label=label, color="0.6", linestyle=":", marker=".")
    axes.set(xscale="log", yscale="log", xlabel="references", ylabel="one query, median, ms")
    _finish(found, axes, "One query")


def _draw_rank(found: IndexBench, axes: Any) -> None:
    for name in found.names():
        points = [(one.rows, one.agreement) for one in found.of(name)]
        axes.plot(*zip(*points, strict=True), label=name, **_style(name))
    axes.set(xscale="log", xlabel="references", ylabel="share of probes whose first answer is the exact one")
    _finish(found, axes, "Rank 1")


def _style(name: str) -> dict[str, Any]:
    ours = name.startswith("faceauth")
    return {"marker": "o", "linewidth": 2.2 if name == OURS else 1.3, "linestyle": "-" if ours else "--"}


def _finish(found: IndexBench, axes: Any, title: str) -> None:
    axes.set_title(f"{title}: {found.shape.dimension} dimensions, {found.shape.source}", fontsize=8)
    axes.grid(visible=True, which="major", color="0.92")
    axes.legend(fontsize=7, frameon=False)
