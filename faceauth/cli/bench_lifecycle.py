"""`faceauth bench lifecycle`: what withdrawal, key rotation and checking the audit log cost, and how they grow."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from faceauth.cli.console import Json, console, note, print_json, progress_bar
from faceauth.errors import ConfigurationError
from faceauth.settings import load_settings

SIZES: Final = (1_000, 10_000, 100_000)


def lifecycle(
    people: Annotated[
        list[int] | None, typer.Option("--people", min=1, help="People enrolled; again for more sizes.")
    ] = None,
    records: Annotated[
        list[int] | None, typer.Option("--records", min=256, help="Audit records; again for more sizes.")
    ] = None,
    withdrawals: Annotated[int, typer.Option("--withdrawals", min=1, help="Withdrawals at each size.")] = 100,
    out: Annotated[Path, typer.Option("--out", help="Folder for the JSON and the plot.")] = Path(
        "artefacts/lifecycle"
    ),
    as_json: Json = False,
) -> None:
    """Time withdrawals to the last byte, the rotation of every key, and the check of the audit log, by size."""
    from faceauth.bench.growth import Growth, write_growth  # noqa: PLC0415  networks are slow to import
    from faceauth.bench.lifecycle import (  # noqa: PLC0415  too
        Rate,
        Withdrawals,
        measure_audit,
        measure_rotation,
        measure_withdrawals,
    )
    from faceauth.bench.machine import environment_json  # noqa: PLC0415  as above

    settings = load_settings()
    sizes, lengths = sorted(set(people or SIZES)), sorted(set(records or SIZES))
    file = out / "lifecycle.json"
    out.mkdir(parents=True, exist_ok=True)
    ended: dict[int, Withdrawals] = {}
    rotated: dict[int, Rate] = {}
    checked: dict[int, Rate] = {}
    report: dict[str, Any] = {"schema": "faceauth/bench/lifecycle/v1", **environment_json(), "growth": []}

    def keep() -> None:
        """Write what there is after each size: a run of an hour that is cut short loses one size of it."""
        report["withdrawals"] = [one.as_json() for one in ended.values()]
        report["rotation"] = [one.as_json() for one in rotated.values()]
        report["audit"] = [one.as_json() for one in checked.values()]
        file.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")

    with progress_bar() as show:
        for size in sizes:
            ended[size] = measure_withdrawals(settings, size, withdrawals, progress=show)
            keep()
        for size in sizes:
            rotated[size] = measure_rotation(settings, size, progress=show)
            keep()
        for size in lengths:
            checked[size] = measure_audit(size, progress=show)
            keep()
    curves: list[Growth] = []
    if len(sizes) > 1:
        gone = {size: one.as_json()["gone_ms"]["p50"] for size, one in ended.items()}
        curves += [
            Growth.of("a withdrawal, to the last byte", "ms", gone),
            Growth.of("rotation of all keys", "s", {one.count: one.seconds for one in rotated.values()}),
        ]
    if len(lengths) > 1:
        spent = {one.count: one.seconds for one in checked.values()}
        curves.append(Growth.of("checking the audit log", "s", spent))
    report["growth"] = [one.as_json() for one in curves]
    keep()
    written = [file]
    if curves:
        try:
            write_growth(curves, out / "growth.png")
            written.append(out / "growth.png")
        except ConfigurationError as error:
            note(f"warning: {error}")
    if as_json:
        print_json(report)
    else:
        _print(report)
    note("Written: " + ", ".join(str(file) for file in written))


def _print(report: dict[str, Any]) -> None:
    shown = console()
    for one in report["withdrawals"]:
        shown.print(
            f"withdrawal among {one['people']:,} people: unusable after {one['unusable_ms']['p50']} ms "
            f"(99th percentile {one['unusable_ms']['p99']}), gone after {one['gone_ms']['p50']} ms "
            f"({one['gone_ms']['p99']})",
            markup=False,
        )
    for name, what in (("rotation", "keys rotated"), ("audit", "audit records checked")):
        for one in report[name]:
            shown.print(
                f"{one['count']:,} {what} in {one['seconds']} s ({one['cpu_seconds']} s of work), "
                f"{one['per_s']:,} a second",
                markup=False,
            )
    for one in report["growth"]:
        worse = ", worse than linear" if one["worse_than_linear"] else ""
        shown.print(f"{one['what']}: grows as size^{one['exponent']}{worse}", markup=False)
