"""An accuracy measurement as rows to print and as JSON to keep."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from faceauth.bench.accuracy import AccuracyResult
from faceauth.bench.points import TARGETS
from faceauth.bench.rates import Rate, comparisons_needed
from faceauth.bench.scores import Scores
from faceauth.types import OperatingPoint

PAIR_TARGETS = (1e-2, 1e-3)
"""The false accept rates LFW's pairs are asked at; 3,000 non-mated pairs are just enough for the second."""

REFERENCES = 3
"""How many references an enrolment stores, and so which fused size stands nearest to a login."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report: `group` names the comparisons it is about."""

    group: str
    what: str
    told: str


def rows(result: AccuracyResult) -> Iterator[Row]:
    """Yield the report's lines; every rate with its trials and its interval (R3)."""
    yield Row("pictures", "failure to acquire", str(result.failure_to_acquire))
    if result.pairs is not None:
        yield Row("pairs", "accuracy ± std. error", str(result.pairs.accuracy))
        for fmr in PAIR_TARGETS:
            yield from _point_rows("pairs", result.pairs.scores, fmr, "FAR")
    for fmr in TARGETS.values():
        yield from _point_rows("all against all", result.gallery, fmr, "FMR")
    for one in result.fused:
        group = f"up to {one.size} against {one.size} pictures, {one.people} people"
        for fmr in TARGETS.values():
            if one.scores.comparisons >= comparisons_needed(fmr):
                yield from _point_rows(group, one.scores, fmr, "FMR")
    for point in result.shipped:
        group = f"the pack's {point.name}, {point.threshold:.4f}"
        yield Row(group, "FMR single", str(result.gallery.fmr(point.threshold)))
        yield Row(group, "FNMR single", str(result.gallery.fnmr(point.threshold)))
        for one in result.fused:
            if one.size != REFERENCES:
                continue  # the JSON holds them all
            yield Row(group, f"FMR {one.size} against {one.size}", str(one.scores.fmr(point.threshold)))
            yield Row(group, f"FNMR {one.size} against {one.size}", str(one.scores.fnmr(point.threshold)))


def _point_rows(group: str, scores: Scores, fmr: float, name: str) -> Iterator[Row]:
    threshold = scores.threshold_for(fmr)
    needed = comparisons_needed(fmr)
    if scores.comparisons < needed:
        told = f"needs {needed:,} non-mated comparisons (rule of 3), not {scores.comparisons:,}"
        yield Row(group, f"TAR at {name} {fmr:.0e}", told)
        return
    yield Row(group, f"TAR at {name} {fmr:.0e}", str(scores.fnmr(threshold).complement))
    yield Row(group, f"  FNMR at {threshold:.4f}", str(scores.fnmr(threshold)))
    yield Row(group, f"  FMR at {threshold:.4f}", str(scores.fmr(threshold)))


def as_json(result: AccuracyResult) -> dict[str, Any]:
    """Return the report for a file: no path, no picture's name, no person's name."""
    return {
        "schema": "faceauth/bench/accuracy/v1",
        "measured_at": result.measured_at.isoformat(timespec="seconds"),
        "environment": asdict(result.environment),
        "pack": {
            "name": result.pack,
            "pack_digest": result.pack_digest.hex(),
            "model_digest": result.model_digest.hex(),
        },
        "dataset": {"name": result.dataset, "pictures": result.pictures, "people": result.people},
        "normaliser": result.normaliser,
        "failure_to_acquire": result.failure_to_acquire.as_json(),
        "pairs": _pairs_json(result),
        "all_against_all": _scores_json(result.gallery, TARGETS.values()),
        "fused": [
            {"size": one.size, "people": one.people, **_scores_json(one.scores, TARGETS.values())}
            for one in result.fused
        ],
        "shipped_points": [
            {
                "name": point.name,
                "threshold": point.threshold,
                "single": _at_json(result.gallery, point.threshold),
                "fused": [{"size": one.size, **_at_json(one.scores, point.threshold)} for one in result.fused],
            }
            for point in result.shipped
        ],
        "operating_points": [_point_json(point) for point in result.points],
        "warnings": list(result.warnings),
    }


def _point_json(point: OperatingPoint) -> dict[str, Any]:
    return {name: value for name, value in asdict(point).items() if name != "normaliser"}


def _pairs_json(result: AccuracyResult) -> dict[str, Any] | None:
    if result.pairs is None:
        return None
    accuracy = result.pairs.accuracy
    return {
        "pairs": accuracy.pairs,
        "not_acquired": result.pairs.not_acquired,
        "accuracy": {
            "mean": accuracy.mean,
            "standard_error": accuracy.standard_error,
            "folds": list(accuracy.folds),
        },
        **_scores_json(result.pairs.scores, PAIR_TARGETS),
    }


def _at_json(scores: Scores, threshold: float) -> dict[str, Any]:
    return {"fmr": scores.fmr(threshold).as_json(), "fnmr": scores.fnmr(threshold).as_json()}


def _scores_json(scores: Scores, targets: Any) -> dict[str, Any]:
    mated: Rate = scores.fnmr(-1.0)
    return {
        "mated": mated.trials,
        "non_mated": scores.comparisons,
        "at": [
            {
                "fmr_target": fmr,
                "threshold": (threshold := scores.threshold_for(fmr)),
                "fmr": scores.fmr(threshold).as_json(),
                "fnmr": scores.fnmr(threshold).as_json(),
                "tar": scores.fnmr(threshold).complement.as_json(),
            }
            for fmr in targets
            if scores.comparisons >= comparisons_needed(fmr)
        ],
    }
