"""`faceauth bench service`: logins a second, their waits, and how long a start takes; it runs its own service."""

import asyncio
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from pydantic import SecretStr

from faceauth.cli.bench_serving import Backend, cpu_s, portrait_head, resident_mb, serving
from faceauth.cli.console import Json, console, note, print_json, progress_bar
from faceauth.cli.measured import growth_plot, measured_pack
from faceauth.settings import Settings, load_settings

if TYPE_CHECKING:
    from faceauth.bench.embeddings import Progress
    from faceauth.bench.service import Logins
    from faceauth.bench.service_startup import Start
    from faceauth.bench.stream import Clips, Load, Opened

SIZES: Final = (10_000, 100_000, 1_000_000)
"""People who are enrolled when the service starts."""

FASTEST: Final = 20
"""Logins a second that are prepared for: no machine with a few cores gets through more of them."""


def service(  # noqa: PLR0917  Typer calls it, by name
    at_once: Annotated[
        list[int] | None, typer.Option("--at-once", min=1, help="Logins at once; again for more levels.")
    ] = None,
    streamed: Annotated[
        list[int] | None,
        typer.Option("--streamed", min=1, help="Logins streamed at once; again for more levels."),
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="How long each level lasts.")] = 20,
    postgresql: Annotated[
        str | None,
        typer.Option("--postgresql", help="An empty PostgreSQL database, measured too.", show_default=False),
    ] = None,
    logins: Annotated[int, typer.Option("--logins", min=1, help="Logins that are looked into by stage.")] = 20,
    enrolled: Annotated[
        list[int] | None, typer.Option("--enrolled", min=1, help="People at a start; again for more sizes.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the JSON and the plot.")] = Path(
        "artefacts/service"
    ),
    as_json: Json = False,
) -> None:
    """Log in with simulated heads over HTTP and WebSocket: logins a second, waits, CPU, memory; and the start."""
    from faceauth.bench.growth import Growth  # noqa: PLC0415  networks are slow to import
    from faceauth.bench.machine import environment_json  # noqa: PLC0415  networks are slow to import
    from faceauth.bench.stream import render_clips  # noqa: PLC0415  as above
    from faceauth.embed.manifest import pack_spec  # noqa: PLC0415  as above

    settings, loaded = load_settings(), os.getloadavg()[0]
    spec = pack_spec(settings.model_pack, settings.models_manifest)
    addresses = {"SQLite": None, **({} if postgresql is None else {"PostgreSQL": SecretStr(postgresql)})}
    with progress_bar() as show:
        show("rendering the clips", 0, 1)
        clips = render_clips(portrait_head(settings))
        show("rendering the clips", 1, 1)
        databases = {}
        for name, address in addresses.items():
            with tempfile.TemporaryDirectory(prefix="faceauth-bench-") as folder:
                ours = settings.model_copy(update={"data_dir": Path(folder) / "data", "database_url": address})
                levels = _Levels(tuple(at_once or (1, 2, 4, 8, 16)), tuple(streamed or (4, 8, 16)), seconds)
                databases[name] = _measure(ours, clips, name, levels, logins=logins, show=show)
        starts = _starts(settings, tuple(sorted(set(enrolled or SIZES))), show)
    report: dict[str, Any] = {
        "schema": "faceauth/bench/service/v1",
        **environment_json(),
        "pack": {"name": settings.model_pack, "pack_digest": spec.pack_digest().hex()},
        "load_average": {"before": round(loaded, 1), "after": round(os.getloadavg()[0], 1)},
        "databases": databases,
        "starts": [one.as_json() for one in starts],
    }
    taken = {one.references: one.ready_s for one in starts}
    curves = [Growth.of("a start", "s", taken)] if len(taken) > 1 else []
    report["growth"] = [one.as_json() for one in curves]
    out.mkdir(parents=True, exist_ok=True)
    file = out / "service.json"
    file.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    written = [file, *growth_plot(curves, out)]
    if as_json:
        print_json(report)
    else:
        _print(report)
    note("Written: " + ", ".join(str(one) for one in written))


def _measure(
    settings: Settings,
    clips: "Clips",
    name: str,
    levels: "_Levels",
    *,
    logins: int,
    show: "Progress",
) -> dict[str, Any]:
    """Enrol people who look like the clips' head, then log them in: stage by stage, then level by level."""
    from faceauth.bench.login_stages import login_stages  # noqa: PLC0415  networks are slow to import
    from faceauth.bench.recognisers import Ours  # noqa: PLC0415  as above
    from faceauth.bench.synthetic_installation import enrol_alike  # noqa: PLC0415  as above
    from faceauth.installation import create_installation, open_installation  # noqa: PLC0415  as above

    create_installation(settings)
    pack = measured_pack(settings)
    vector = Ours.of(pack).embed(clips["turn_left:s1"][0])
    assert vector is not None  # noqa: S101  it is the head that all frames show
    needed = 2 * logins + 1 + round(FASTEST * levels.seconds * len(levels))
    enrolled: Iterator[str] = iter(
        enrol_alike(settings, vector, model_digest=pack.embedder.model_digest, count=needed)
    )
    installation = open_installation(settings)
    try:
        stages = login_stages(installation, clips, enrolled, logins=logins, progress=show)
    finally:
        installation.close()
    most = max(settings.stream.sessions, *levels.streamed)
    with serving(settings, stream_sessions=most, fresh=False) as (address, key, pid):
        carried = _carriers(clips, enrolled, address=address, key=key, seconds=levels.seconds)
        rows: dict[str, list[dict[str, Any]]] = {"levels": [], "streamed": []}
        for number, (carrier, level) in enumerate(levels):
            show(f"logging in, {name}", number, len(levels))
            rows[carrier].append(_watched(partial(carried[carrier], level), level, pid))
        show(f"logging in, {name}", len(levels), len(levels))
    return {"stages": stages.as_json(), **rows}


def _starts(settings: Settings, sizes: tuple[int, ...], show: "Progress") -> "list[Start]":
    from faceauth.bench.index_shape import load_shape  # noqa: PLC0415  networks are slow to import
    from faceauth.bench.service_startup import measure_start  # noqa: PLC0415  as above

    pack = measured_pack(settings)
    try:
        digest = pack.embedder.model_digest
    finally:
        pack.close()
    return [
        measure_start(
            settings,
            size,
            shape=load_shape(settings.model_pack),
            model_digest=digest,
            serving=partial(serving, fresh=False),
            spent=lambda pid: (cpu_s(pid), resident_mb(pid)[0]),
            progress=show,
        )
        for size in sizes
    ]


@dataclass(frozen=True, slots=True)
class _Levels:
    """How many logins at once are measured, and for how many seconds each."""

    posted: tuple[int, ...]
    streamed: tuple[int, ...]
    seconds: float

    def __len__(self) -> int:
        return len(self.posted) + len(self.streamed)

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Yield what the report calls a level's carrier, and how many at once."""
        yield from (("levels", level) for level in self.posted)
        yield from (("streamed", level) for level in self.streamed)


def _carriers(
    clips: "Clips", enrolled: Iterator[str], *, address: str, key: str, seconds: float
) -> dict[str, Callable[[int], "Logins | Load"]]:
    """Return what logs in so many at once, posted and streamed, by the report's names."""
    from faceauth.bench.service import log_in_many  # noqa: PLC0415  networks are slow to import
    from faceauth.bench.stream import stream_load  # noqa: PLC0415  as above
    from faceauth.consent.builtin import LOGIN  # noqa: PLC0415  as above

    backend = Backend(address, key)

    def open_session() -> "Opened":
        return backend.opened({"purpose": "verify", "scenario": LOGIN, "account_id": next(enrolled)})

    def posted(level: int) -> "Logins":
        return asyncio.run(log_in_many(clips, enrolled, address=address, key=key, at_once=level, seconds=seconds))

    def streamed(level: int) -> "Load":
        return asyncio.run(stream_load(clips, open_session, sessions=level, seconds=seconds))

    return {"levels": posted, "streamed": streamed}


def _watched(log_in: "Callable[[], Logins | Load]", level: int, pid: int) -> dict[str, Any]:
    """Log in and return what was seen, with the CPU time a login and the memory of the service's process."""
    before = cpu_s(pid)
    load = log_in()
    now_mb, most_mb = resident_mb(pid)
    each = (cpu_s(pid) - before) / max(1, sum(load.outcomes.values()))
    memory = {"resident_mb": round(now_mb), "resident_mb_most": round(most_mb)}
    return {"at_once": level, **load.as_json(), "cpu_ms_a_login": round(1000 * each), **memory}


def _print(report: dict[str, Any]) -> None:
    shown = console()
    for name, found in report["databases"].items():
        stages = found["stages"]
        shown.print(f"{name}: {stages['whole_ms']} ms of CPU a login without HTTP, of these", markup=False)
        for stage, spent in stages["stages"].items():
            shown.print(f"  {stage}: {spent['ms']} ms, {100 * spent['share']:.1f} %", markup=False)
        for row in found["levels"]:
            _print_level(row, f"posted, {row['at_once']} at once", {"post": "post_ms"}, row["shed"])
        for row in found["streamed"]:
            waits = {"outcome after": "decision_ms", "guidance after": "lag_ms"}
            _print_level(row, f"streamed, {row['at_once']} at once", waits, row["turned_away"])
    for start in report["starts"]:
        shown.print(
            f"start with {start['references']:,} enrolled: ready after {start['ready_s']} s, "
            f"{start['cpu_s']} s of CPU, {start['resident_mb']} MB",
            markup=False,
        )
    for one in report["growth"]:
        shown.print(f"{one['what']}: grows as size^{one['exponent']}", markup=False)


def _print_level(row: dict[str, Any], what: str, waits: dict[str, str], away: int) -> None:
    told = "; ".join(
        f"{name} " + ", ".join(f"{key} {row[field].get(key)}" for key in ("p50", "p95", "p99")) + " ms"
        for name, field in waits.items()
    )
    console().print(
        f"{what}: {row['per_s']} logins a second; {told}; {row['cpu_ms_a_login']} ms of CPU a login, "
        f"{row['resident_mb']} MB; {row['outcomes']}, turned away {away} times",
        markup=False,
    )
