"""`faceauth bench lifecycle`: what withdrawal, rotation, campaigns and the log's check cost, and how they grow."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from faceauth.cli.console import Json, console, note, print_json, progress_bar
from faceauth.cli.measured import growth_plot
from faceauth.settings import Settings, load_settings

if TYPE_CHECKING:
    from faceauth.bench.embeddings import Progress
    from faceauth.bench.growth import Growth
    from faceauth.bench.lifecycle import Asked, Rate, Withdrawals

SIZES: Final = (1_000, 10_000, 100_000)


def lifecycle(  # noqa: PLR0917  Typer calls it, by name
    people: Annotated[
        list[int] | None, typer.Option("--people", min=1, help="People enrolled; again for more sizes.")
    ] = None,
    asked: Annotated[
        list[int] | None, typer.Option("--asked", min=1, help="People a campaign asks; again for more sizes.")
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
    """Time withdrawals to the last byte, key rotation, campaigns and the audit log's check, by size."""
    sizes = [sorted(set(one)) if one else () for one in (people, asked, records)]
    out.mkdir(parents=True, exist_ok=True)
    run = _Run(load_settings(), out / "lifecycle.json")
    with progress_bar() as show:
        run.measure(*(sizes if any(sizes) else (SIZES,) * 3), withdrawals=withdrawals, show=show)
    curves = run.growth()
    report = run.keep(curves)
    written = [run.file, *growth_plot(curves, out)]
    if as_json:
        print_json(report)
    else:
        _print(report)
    note("Written: " + ", ".join(str(file) for file in written))


@dataclass(slots=True)
class _Run:
    """What was measured so far, by size."""

    settings: Settings
    file: Path
    withdrawals: "dict[int, Withdrawals]" = field(default_factory=dict)
    rotation: "dict[int, Rate]" = field(default_factory=dict)
    campaigns: "dict[int, Asked]" = field(default_factory=dict)
    audit: "dict[int, Rate]" = field(default_factory=dict)

    def measure(
        self,
        people: Sequence[int],
        asked: Sequence[int],
        records: Sequence[int],
        *,
        withdrawals: int,
        show: "Progress",
    ) -> None:
        """Measure size by size; a run of an hour that is cut short loses one size of it."""
        from faceauth.bench import lifecycle as bench  # noqa: PLC0415  networks are slow to import

        for size in people:
            self.withdrawals[size] = bench.measure_withdrawals(self.settings, size, withdrawals, progress=show)
            self.keep()
        for size in people:
            self.rotation[size] = bench.measure_rotation(self.settings, size, progress=show)
            self.keep()
        for size in asked:
            self.campaigns[size] = bench.measure_campaign(self.settings, size, progress=show)
            self.keep()
        for size in records:
            self.audit[size] = bench.measure_audit(size, progress=show)
            self.keep()

    def growth(self) -> "list[Growth]":
        """Return how each cost grows of which two sizes or more were measured."""
        from faceauth.bench.growth import Growth  # noqa: PLC0415  networks are slow to import

        gone = {size: one.as_json()["gone_ms"]["p50"] for size, one in self.withdrawals.items()}
        rotated = {one.count: one.seconds for one in self.rotation.values()}
        asked = {size: one.asking.seconds + one.closing.seconds for size, one in self.campaigns.items()}
        checked = {one.count: one.seconds for one in self.audit.values()}
        return [
            Growth.of(what, unit, spent)
            for what, unit, spent in (
                ("a withdrawal, to the last byte", "ms", gone),
                ("rotation of all keys", "s", rotated),
                ("a campaign, asking and closing", "s", asked),
                ("checking the audit log", "s", checked),
            )
            if len(spent) > 1
        ]

    def keep(self, curves: "Sequence[Growth]" = ()) -> dict[str, Any]:
        """Write what there is, and return it."""
        from faceauth.bench.machine import environment_json  # noqa: PLC0415  networks are slow to import

        report = {
            "schema": "faceauth/bench/lifecycle/v1",
            **environment_json(),
            "withdrawals": [one.as_json() for one in self.withdrawals.values()],
            "rotation": [one.as_json() for one in self.rotation.values()],
            "campaigns": [one.as_json() for one in self.campaigns.values()],
            "audit": [one.as_json() for one in self.audit.values()],
            "growth": [one.as_json() for one in curves],
        }
        self.file.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        return report


def _print(report: dict[str, Any]) -> None:
    shown = console()
    for one in report["withdrawals"]:
        shown.print(
            f"withdrawal among {one['people']:,} people: unusable after {one['unusable_ms']['p50']} ms "
            f"(99th percentile {one['unusable_ms']['p99']}), gone after {one['gone_ms']['p50']} ms "
            f"({one['gone_ms']['p99']})",
            markup=False,
        )
    done = [(one, "keys rotated") for one in report["rotation"]]
    for one in report["campaigns"]:
        done += [(one["asking"], "people asked"), (one["reminding"], "reminded"), (one["closing"], "suspended")]
    for one, what in [*done, *((one, "audit records checked") for one in report["audit"])]:
        shown.print(
            f"{one['count']:,} {what} in {one['seconds']} s ({one['cpu_seconds']} s of work), "
            f"{one['per_s']:,} a second",
            markup=False,
        )
    for one in report["growth"]:
        worse = ", worse than linear" if one["worse_than_linear"] else ""
        shown.print(f"{one['what']}: grows as size^{one['exponent']}{worse}", markup=False)
