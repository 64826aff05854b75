"""`faceauth bench index`: the search among many, beside plain libraries and the memory's bound."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from faceauth.cli.console import Json, console, fail, note, print_json, progress_bar
from faceauth.cli.measured import measured_pack
from faceauth.errors import ConfigurationError
from faceauth.settings import load_settings

if TYPE_CHECKING:
    from faceauth.bench.index_race import Measured, Progress
    from faceauth.bench.index_run import IndexBench
    from faceauth.bench.index_shape import Shape

SIZES: Final = (10_000, 100_000, 1_000_000)


def index(  # noqa: PLR0917  Typer calls it, by name
    rows: Annotated[
        list[int] | None,
        typer.Option(
            "--rows", min=1_000, help="How many references; again for more. 10,000 to 1,000,000 if not given."
        ),
    ] = None,
    pack: Annotated[
        str | None, typer.Option("--pack", help="Whose embeddings; the settings' if left out.")
    ] = None,
    dimension: Annotated[
        int | None, typer.Option("--dimension", min=8, max=4096, help="Another dimension, with the same scores.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Measure the scores on this folder of people's folders.", show_default=False),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the JSON and the plots.")] = Path(
        "artefacts/index"
    ),
    rounds: Annotated[int, typer.Option("--rounds", min=10, help="Queries that are timed.")] = 200,
    probes: Annotated[int, typer.Option("--probes", min=10, help="Queries that are checked.")] = 1_000,
    startup_up_to: Annotated[
        int, typer.Option("--startup-up-to", help="The largest gallery that is sealed and opened again.")
    ] = 100_000,
    graphs_up_to: Annotated[
        int, typer.Option("--graphs-up-to", help="The largest gallery that graphs are built of.")
    ] = 100_000,
    contender: Annotated[
        list[str] | None,
        typer.Option("--contender", help="Who takes part, by a word of the name; again for more."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A thousand and two thousand rows, for a look.")] = False,
    as_json: Json = False,
) -> None:
    """Race the index against plain FAISS, numpy and usearch at several sizes, and time a start of the service."""
    from faceauth.bench.index_run import as_json as report_json  # noqa: PLC0415  FAISS is slow to import
    from faceauth.bench.index_run import measure_index  # noqa: PLC0415  as above

    sizes = (1_000, 2_000) if quick else tuple(rows or SIZES)
    with progress_bar() as progress:
        shape = _shape(pack or load_settings().model_pack, data, progress)
        found = measure_index(
            shape if dimension in {None, shape.dimension} else shape.in_dimension(int(dimension or 0)),
            sizes,
            probes=min(probes, 100) if quick else probes,
            rounds=min(rounds, 20) if quick else rounds,
            startup_up_to=startup_up_to,
            graphs_up_to=graphs_up_to,
            wanted=contender or (),
            progress=progress,
        )
    report = report_json(found)
    out.mkdir(parents=True, exist_ok=True)
    file = out / "index.json"
    file.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    written = [file, *_plots(found, out)]
    if as_json:
        print_json(report)
    else:
        _print(found)
    for line in found.notes:
        note(line)
    note("Written: " + ", ".join(str(one) for one in written))


def _shape(pack: str, data: Path | None, progress: "Progress") -> "Shape":
    from faceauth.bench.index_shape import load_shape, measure_shape  # noqa: PLC0415  as above

    if data is None:
        return load_shape(pack)
    from faceauth.bench.accuracy import embed_folder  # noqa: PLC0415  networks are slow to import

    if not data.is_dir():
        fail(f"There is no folder {data}. Name a folder of people's folders with --data.")
    settings = load_settings()
    loaded = measured_pack(settings, pack)
    embedded, people = embed_folder(data, loaded, limit=None, cache_file=None, workers=2, progress=progress)
    there = embedded.acquired.nonzero()[0].tolist()
    source = f"{pack} on {len(there):,} pictures of {data.name}, {datetime.now(UTC):%Y-%m-%d}"
    return measure_shape(embedded.vectors[there], [people[row] for row in there], source=source)


def _plots(found: "IndexBench", out: Path) -> tuple[Path, ...]:
    from faceauth.bench.index_plots import write_index_plots  # noqa: PLC0415  as above

    try:
        return write_index_plots(found, out)
    except ConfigurationError as error:
        note(f"warning: {error}")
        return ()


def _print(found: "IndexBench") -> None:
    from faceauth.bench.index_run import goals, growth  # noqa: PLC0415  as above

    shown = console()
    shown.print(f"{found.shape.dimension} dimensions, {found.shape.source}", markup=False)
    for one in found.measured:
        shown.print(_line(one), markup=False)
    for start in found.startups:
        shown.print(
            f"start with {start.references:,} references: {start.seconds:.1f} s (CPU: reading {start.read_s:.1f}, "
            f"unwrapping {start.unwrap_s:.1f}, opening {start.open_s:.1f}, adding {start.add_s:.1f})",
            markup=False,
        )
    for name, exponents in growth(found).items():
        told = ", ".join(f"{what} n^{value}" for what, value in exponents.items() if value is not None)
        if told:
            shown.print(f"{name}: {told}", markup=False)
    for name, goal in goals(found).items():
        shown.print(
            f"{'holds' if goal['holds'] else 'does not hold'} at {goal['rows']:,}: {name}: {goal['figure']}",
            markup=False,
        )


def _line(one: "Measured") -> str:
    told = [f"{one.rows:,} rows, {one.name}:"]
    if one.query is not None:
        told.append(f"{one.query.p50:.3g} ms, 99th percentile {one.query.p99:.3g}, CPU {one.query.cpu_p50:.3g};")
        told.append(f"{one.of_exact:.3g} times as fast as exact; {one.queries_per_s:,.0f}/s in batches of 32;")
    if one.over_bound is not None:
        told.append(f"{one.over_bound:.3g} of the bound by memory;")
    told.append(f"rank 1 as exact {one.agreement:.4f}, own reference {one.mate_first:.4f} of {one.probes:,};")
    for name, times in (("added", one.add), ("replaced", one.replace), ("deleted", one.delete)):
        if times is not None:
            told.append(f"{name} in {times.p50:.3g} ms;")
    return " ".join([*told, f"built in {one.build_s:.1f} s, {one.memory_bytes / 1e6:,.0f} MB"])
