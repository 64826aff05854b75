"""An ISO/IEC 19795-1 report as Markdown and as JSON; no path, no picture's name, no person's name is in it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from faceauth.bench.iso import FRAMES, IsoResult
from faceauth.bench.scores import Scores
from faceauth.bench.transactions import REFERENCES
from faceauth.types import OperatingPoint


def as_markdown(result: IsoResult, plots: Sequence[str]) -> str:
    """Return the report.

    Args:
        result: What was measured.
        plots: Names of the plots beside it.
    """
    return "\n".join(_lines(result, plots)) + "\n"


def _lines(result: IsoResult, plots: Sequence[str]) -> Iterator[str]:
    about = result.about
    whose = f" of {about.people:,} people" if about.people else ""
    yield f"# {about.pack} on {about.dataset}"
    yield ""
    yield (
        f"{about.pictures:,} pictures{whose}, {about.measured_at:%Y-%m-%d}; commit {about.environment.commit}, "
        f"{about.environment.processor}. Rates have their 95 % interval and their trials beside them."
    )
    yield ""
    yield from _table(("", "rate"), _acquisition(result))
    for line in result.warnings:
        yield f"- {line}"
    if result.warnings:
        yield ""
    if result.pairs is not None:
        yield f"Pairs told right: {result.pairs.accuracy}."
        yield ""
    yield "## Comparisons of single pictures"
    yield ""
    yield from _table(("point", "FMR", "FNMR"), (_at(point, result.singles) for point in result.points))
    if result.transactions:
        yield "## Transactions"
        yield ""
        yield f"{REFERENCES} pictures are offered to enrol; a transaction is some tries of fused pictures."
        yield ""
        yield from _table(
            ("pictures × tries", "people", "point", "FRR", "FAR"),
            (
                (f"{one.frames} × {one.attempts}", str(one.people), one.point, str(one.frr), str(one.far))
                for one in result.transactions
            ),
        )
    if result.searches:
        yield "## Searches (1:N)"
        yield ""
        yield f"Up to {REFERENCES} references a person, up to {FRAMES} fused pictures a probe."
        yield "`*` marks where the service would decide; without one it refuses to search a gallery of this size."
        yield ""
        yield from _table(
            ("gallery", "point", "FPIR", "FNIR"),
            (
                (f"{one.gallery:,}", one.point + " *" * one.chosen, str(one.fpir), str(one.fnir))
                for one in result.searches
            ),
        )
    if result.subgroups:
        yield "## Subgroups"
        yield ""
        yield "Single pictures, compared within the group only."
        yield ""
        yield from _table(("group", "people", "FTA", "point", "FMR", "FNMR"), _groups(result))
    yield from (f"![{name}]({name})" for name in plots)


def _acquisition(result: IsoResult) -> Iterator[tuple[str, ...]]:
    yield "failure to acquire (FTA)", str(result.about.failure_to_acquire)
    if result.failure_to_enrol is not None:
        yield "failure to enrol (FTE)", str(result.failure_to_enrol)


def _at(point: OperatingPoint, scores: Scores) -> tuple[str, ...]:
    return (
        f"{point.name}, {point.threshold:.4f}",
        str(scores.fmr(point.threshold)),
        str(scores.fnmr(point.threshold)),
    )


def _groups(result: IsoResult) -> Iterator[tuple[str, ...]]:
    for group in result.subgroups:
        head = (f"{group.column}: {group.label}", str(group.people), str(group.failure_to_acquire))
        if group.scores is None:
            yield (*head, "", "too few to compare", "")
            continue
        for point in result.points:
            yield (*head, *_at(point, group.scores))


def _table(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"
    yield ""


def as_json(result: IsoResult) -> dict[str, Any]:
    """Return the report for a file."""
    about = result.about
    return {
        "schema": "faceauth/bench/report/v1",
        "measured_at": about.measured_at.isoformat(timespec="seconds"),
        "environment": asdict(about.environment),
        "pack": {
            "name": about.pack,
            "pack_digest": about.pack_digest.hex(),
            "model_digest": about.model_digest.hex(),
        },
        "dataset": {"name": about.dataset, "pictures": about.pictures, "people": about.people or None},
        "failure_to_acquire": about.failure_to_acquire.as_json(),
        "failure_to_enrol": result.failure_to_enrol.as_json() if result.failure_to_enrol else None,
        "warnings": list(result.warnings),
        "pairs": None
        if result.pairs is None
        else {
            "accuracy": result.pairs.accuracy.mean,
            "standard_error": result.pairs.accuracy.standard_error,
            "pairs": result.pairs.accuracy.pairs,
            "not_acquired": result.pairs.not_acquired,
        },
        "singles": [_at_json(point, result.singles) for point in result.points],
        "transactions": [
            {
                "point": one.point,
                "frames": one.frames,
                "attempts": one.attempts,
                "people": one.people,
                "frr": one.frr.as_json(),
                "far": one.far.as_json(),
            }
            for one in result.transactions
        ],
        "searches": [
            {
                "gallery": one.gallery,
                "point": one.point,
                "threshold": one.threshold,
                "chosen_by_the_service": one.chosen,
                "fpir": one.fpir.as_json(),
                "fnir": one.fnir.as_json(),
                "wrong": one.wrong,
            }
            for one in result.searches
        ],
        "subgroups": [
            {
                "column": group.column,
                "label": group.label,
                "people": group.people,
                "failure_to_acquire": group.failure_to_acquire.as_json(),
                "at": None if group.scores is None else [_at_json(one, group.scores) for one in result.points],
            }
            for group in result.subgroups
        ],
    }


def _at_json(point: OperatingPoint, scores: Scores) -> dict[str, Any]:
    return {
        "point": point.name,
        "threshold": point.threshold,
        "fmr": scores.fmr(point.threshold).as_json(),
        "fnmr": scores.fnmr(point.threshold).as_json(),
    }
