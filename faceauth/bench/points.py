"""Operating points: thresholds for the manifest, each with the measurement behind it."""

import json
from collections.abc import Sequence

from faceauth.bench.rates import comparisons_needed
from faceauth.bench.scores import Scores
from faceauth.types import OperatingPoint

TARGETS = {"fmr-1e-3": 1e-3, "fmr-1e-4": 1e-4, "fmr-1e-5": 1e-5}
"""The named points and their false match rates; `fmr-1e-4` is the default for 1:1 (R1)."""


def derive(scores: Scores, *, source: str) -> tuple[OperatingPoint, ...]:
    """Return the operating points that these comparisons are enough for."""
    return tuple(
        point(scores, name, fmr, source=source)
        for name, fmr in TARGETS.items()
        if scores.comparisons >= comparisons_needed(fmr)
    )


def point(scores: Scores, name: str, fmr: float, *, source: str) -> OperatingPoint:
    """Return one operating point; its limits are those of the 95 % interval (R1)."""
    threshold = scores.threshold_for(fmr)
    missed = scores.fnmr(threshold)
    low, high = scores.fmr(threshold).interval
    return OperatingPoint(
        name=name,
        threshold=threshold,
        fmr=fmr,
        fmr_lower=low,
        fmr_upper=high,
        comparisons=scores.comparisons,
        fnmr=missed.value,
        mated=missed.trials,
        source=source,
    )


def too_few(scores: Scores) -> tuple[str, ...]:
    """Return a warning for each point whose claim needs more comparisons than were made (rule of 3)."""
    return tuple(
        f"{name} needs {comparisons_needed(fmr):,} non-mated comparisons (rule of 3); there were "
        f"{scores.comparisons:,}."
        for name, fmr in TARGETS.items()
        if scores.comparisons < comparisons_needed(fmr)
    )


def short_of(what: str, trials: int, points: Sequence[OperatingPoint]) -> tuple[str, ...]:
    """Return a warning if so many trials by strangers are too few for what some points claim (rule of 3).

    Args:
        what: Was measured, as the report names it.
        trials: Comparisons or transactions of strangers.
        points: Whose false match rates are claimed.
    """
    needed = {point.name: comparisons_needed(point.fmr) for point in points}
    short = [f"{name} needs {count:,}" for name, count in needed.items() if trials < count]
    return (f"{what}: {trials:,} by strangers, and {', '.join(short)} (rule of 3).",) if short else ()


def as_toml(pack: str, points: Sequence[OperatingPoint]) -> str:
    """Return the points as the model manifest holds them."""
    blocks = [
        f"[packs.{pack}.operating_points.{one.name}]\n"
        f"threshold = {one.threshold:.6g}\n"
        f"fmr = {one.fmr:g}\n"
        f"fmr_lower = {one.fmr_lower:.4g}\n"
        f"fmr_upper = {one.fmr_upper:.4g}\n"
        f"comparisons = {one.comparisons}\n"
        f"fnmr = {one.fnmr:.4f}\n"
        f"mated = {one.mated}\n"
        f"source = {json.dumps(one.source, ensure_ascii=False)}\n"
        for one in points
    ]
    return "\n".join(blocks)
