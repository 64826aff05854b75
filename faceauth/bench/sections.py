"""What the one report says of each benchmark: a table from its JSON, whatever wrote it and when."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

Json = Mapping[str, Any]
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One benchmark in the report.

    Attributes:
        title: What was measured.
        command: What measures it again.
        made: When and on what: date, commit, processor, pack.
        head: The table's first row.
        rows: The others.
        notes: Sentences below it.
        plots: Its pictures.
    """

    title: str
    command: str
    made: str
    head: Row
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    plots: tuple[Path, ...] = ()


def section_of(report: Json, plots: Sequence[Path] = ()) -> Section | None:
    """Return what the report says of a benchmark's JSON, or None if nothing here reads its schema.

    Raises:
        KeyError, TypeError, ValueError: the JSON is not what its schema promises.
    """
    reader = _READERS.get(str(report.get("schema")))
    if reader is None:
        return None
    title, command, head, rows, notes = reader(report)
    pack = report.get("pack")
    title += f", {pack['name'] if isinstance(pack, dict) else pack}" if pack else ""
    return Section(title, command, made(report), head, tuple(rows), tuple(notes), tuple(plots))


def made(report: Json) -> str:
    """Return when, at which commit, on what and with which pack a report was made."""
    environment = report["environment"]
    pack = report.get("pack")
    told = pack["name"] + ", digest " + pack["pack_digest"][:12] if isinstance(pack, dict) else pack
    parts = [
        str(report["measured_at"])[:10],
        f"commit {environment['commit'] or 'unknown'}",
        f"{environment['processor']}, {environment['cores']} cores",
        f"Python {environment['python']}",
        *(f"{name} {version}" for name, version in environment["packages"].items() if name != "faceauth"),
        *([f"pack {told}"] if told else []),
    ]
    return "; ".join(parts)


Read = tuple[str, str, Row, list[Row], list[str]]


def _rate(rate: Json) -> str:
    return f"{rate['rate']:.4g} [{rate['low']:.4g}, {rate['high']:.4g}] ({rate['events']:,} of {rate['trials']:,})"


def _recognition(report: Json) -> Read:
    errors = {one["name"]: one for one in report["accuracy"]}
    rows: list[Row] = []
    for time in report["timings"]:
        counted = errors[time["name"]]["tar"]
        told = [_rate(counted[fmr]) if fmr in counted else "too few comparisons" for fmr in ("1e-03", "1e-04")]
        rows.append((time["name"], f"{time['wall']:.1f}", f"{time['cpu_ratio']:.2f}", *told))
    head = ("", "ms, JPEG to decision", "times the first", "TAR at FMR 1e-3", "TAR at FMR 1e-4")
    notes = [f"Not measured: {one['name']}, {one['why']}." for one in report["absent"]]
    return "Recognition beside others", "faceauth bench recognition --data DIR", head, rows, notes


def _accuracy(report: Json) -> Read:
    rows: list[Row] = []
    if report["pairs"]:
        found = report["pairs"]["accuracy"]
        rows.append(("pairs, ten folds: accuracy", f"{found['mean']:.4f} ± {found['standard_error']:.4f}"))
    at = report["all_against_all"]["at"]
    rows += [(f"all against all: TAR at FMR {one['fmr_target']:g}", _rate(one["tar"])) for one in at]
    for fused in report["fused"]:
        sides = f"{fused['size']} against {fused['size']}"
        rows += [(f"{sides}: TAR at FMR {one['fmr_target']:g}", _rate(one["tar"])) for one in fused["at"][-1:]]
    title = f"Accuracy on {report['dataset']['name']}"
    return title, "faceauth bench accuracy --data DIR", ("", "rate [95 %] (of)"), rows, list(report["warnings"])


def _iso(report: Json) -> Read:
    rows: list[Row] = [("failure to acquire", _rate(report["failure_to_acquire"]))]
    for one in report["singles"]:
        rows += [(f"{one['point']}: FMR", _rate(one["fmr"])), (f"{one['point']}: FNMR", _rate(one["fnmr"]))]
    for one in report["searches"]:
        if one["chosen_by_the_service"]:
            where = f"1:N among {one['gallery']:,} at {one['point']}"
            rows += [(f"{where}: FPIR", _rate(one["fpir"])), (f"{where}: FNIR", _rate(one["fnir"]))]
    title = f"ISO/IEC 19795-1 report on {report['dataset']['name']}"
    return title, "faceauth bench report --data DIR", ("", "rate [95 %] (of)"), rows, list(report["warnings"])


def _speed(report: Json) -> Read:
    rows: list[Row] = [
        (
            one["stage"],
            one["name"],
            f"{one['threads']}",
            f"{one['cpu']:.2f}",
            f"{one['wall']:.2f}",
            f"{one['cpu_ratio']:.2f}",
        )
        for one in report["timings"]
    ]
    head = ("stage", "", "threads", "CPU ms an item", "ms an item", "CPU, times the first")
    return "Speed by stage", "faceauth bench speed --data DIR", head, rows, []


def _detection(report: Json) -> Read:
    at = report["at_640x480"]
    rows: list[Row] = []
    for name, cost in at.items():
        missed = sum(found[name]["missed"]["events"] for found in report["stills"].values() if name in found)
        shown = sum(found[name]["missed"]["trials"] for found in report["stills"].values() if name in found)
        rows.append((name, f"{missed} of {shown:,}", f"{cost['milliseconds']:.1f}", f"{cost['ratio']:.2f}"))
    head = ("", "stills without a face found", "CPU ms at 640×480", "times the first")
    return "Detection", "faceauth bench detection --data DIR", head, rows, []


def _pad(report: Json) -> Read:
    rows: list[Row] = []
    for level in report["levels"]:
        real = level["bona_fide"]
        if real is not None:
            rows.append((level["level"], "BPCER", _rate(real["rate"]), _told(real["by"])))
        attacks = sorted((*level["attacks"], *level["injections"]), key=lambda one: -one["rate"]["rate"])
        rows += [
            (level["level"], f"APCER, {one['species']}", _rate(one["rate"]), _told(one["by"])) for one in attacks
        ]
    head = ("level", "", "rate [95 %] (of)", "denied by")
    return "Presentation attacks", "faceauth bench pad --data DIR (or --fixtures N)", head, rows, []


def _stream(report: Json) -> Read:
    rows: list[Row] = [
        (name, *(f"{report[key].get(of, '')}" for of in ("n", "p50", "p95", "max")))
        for key, name in (
            ("lag_ms", "frame to its guidance"),
            ("behind_ms", "newest frame heard about"),
            ("decision_ms", "end of capture to outcome"),
        )
    ]
    told = (
        f"{report['sessions']} sessions at once; outcomes {_told(report['outcomes'])}; turned away "
        f"{report['turned_away']} times; {report['cpu_s_per_session']} s of CPU a session; load average "
        f"{report['load_average']['before']} before."
    )
    head = ("ms", "n", "median", "95th percentile", "worst")
    return "Streaming", "faceauth bench stream", head, rows, [told]


def _service(report: Json) -> Read:
    rows: list[Row] = []
    notes: list[str] = []
    for name, found in report["databases"].items():
        streamed = found.get("streamed", [])  # reports of before it was measured have none
        for one, carrier, waited in (
            *((level, "HTTP", "post_ms") for level in found["levels"]),
            *((level, "WebSocket", "decision_ms") for level in streamed),
        ):
            rows.append(
                (
                    name,
                    carrier,
                    f"{one['at_once']}",
                    f"{one['per_s']:.2f}",
                    *(f"{one[waited].get(of, '')}" for of in ("p50", "p95", "p99")),
                    f"{one['cpu_ms_a_login']}",
                    f"{one['resident_mb']}",
                    _told(one["outcomes"]),
                )
            )
        for one in streamed:
            lag = ", ".join(f"{one['lag_ms'].get(of, '')}" for of in ("p50", "p95", "p99"))
            notes.append(
                f"{name}, {one['at_once']} streamed at once: guidance on a frame after {lag} ms "
                f"(median, 95th and 99th percentile of {one['lag_ms']['n']}); the times above are from the end "
                "of the capture to the outcome."
            )
        stages = found["stages"]
        told = ", ".join(
            f"{stage} {100 * part['share']:.0f} %" for stage, part in stages["stages"].items() if part["ms"] > 0
        )
        notes.append(f"{name}: {stages['whole_ms']} ms of CPU a login without HTTP: {told}.")
    notes += [
        f"With {one['references']:,} people enrolled the service is ready {one['ready_s']:.1f} s after its start, "
        f"with {one['cpu_s']:.1f} s of CPU, and holds {one['resident_mb']:.0f} MB."
        for one in report.get("starts", [])
    ]
    head = (
        *("database", "over", "at once", "logins a second", "median ms", "95th percentile", "99th"),
        *("CPU ms a login", "MB", "outcomes"),
    )
    return "The service", "faceauth bench service", head, rows, notes


def _index(report: Json) -> Read:
    rows: list[Row] = []
    for one in report["measured"]:
        query = one["query"]
        rows.append(
            (
                one["name"],
                f"{one['rows']:,}",
                f"{query['p50']:.3g}",
                f"{query['p99']:.3g}",
                f"{1 / one['of_exact']:.1f}",
                f"{one['mate_first']:.3f}",
                f"{one['memory_bytes'] / 1e6:,.0f}",
            )
        )
    goals = [
        f"{'Reached' if one['holds'] else 'Missed'}: {name}: {one['figure']:.4g} at {one['rows']:,}."
        for name, one in report["goals"].items()
    ]
    head = ("", "references", "median ms", "99th", "times faster than Flat", "mate first", "MB")
    goals.append(f"Scores as those of {report['shape']['source']}.")
    return "Search", "faceauth bench index", head, rows, goals


def _lifecycle(report: Json) -> Read:
    rows: list[Row] = []
    for one in report["withdrawals"]:
        for key, what in (("unusable_ms", "unusable"), ("gone_ms", "gone")):
            told = f"median {one[key]['p50']} ms, 99th percentile {one[key]['p99']} ms"
            rows.append((f"withdrawal until {what}, among {one['people']:,} people", told))
    done = [(one, "keys rotated") for one in report["rotation"]]
    for one in report.get("campaigns", []):  # reports of before they were measured have none
        done += [(one["asking"], "people asked"), (one["reminding"], "reminded"), (one["closing"], "suspended")]
    done += [(one, "audit records checked") for one in report["audit"]]
    rows += [(f"{one['count']:,} {what}", f"{one['seconds']} s") for one, what in done]
    notes = [f"{one['what']} grows as size^{one['exponent']}." for one in report["growth"]]
    return "A face's life", "faceauth bench lifecycle", ("", ""), rows, notes


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


_READERS: Final[Mapping[str, Callable[[Json], Read]]] = {
    "faceauth/bench/recognition/v1": _recognition,
    "faceauth/bench/accuracy/v1": _accuracy,
    "faceauth/bench/report/v1": _iso,
    "faceauth/bench/index/v1": _index,
    "faceauth/bench/pad/v1": _pad,
    "faceauth/bench/service/v1": _service,
    "faceauth/bench/stream/v1": _stream,
    "faceauth/bench/lifecycle/v1": _lifecycle,
    "faceauth/bench/speed/v1": _speed,
    "faceauth/bench/detection/v1": _detection,
}

ORDER: Final = tuple(_READERS)
"""The schemas in the order of the report."""
