"""`faceauth bench`: measure on your own data, with intervals, as a table, JSON and plots."""

import json
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from faceauth.cli.bench_all import all_
from faceauth.cli.bench_detection import detection
from faceauth.cli.bench_index import index
from faceauth.cli.bench_lifecycle import lifecycle
from faceauth.cli.bench_liveness import liveness
from faceauth.cli.bench_pad import pad
from faceauth.cli.bench_recognition import recognition
from faceauth.cli.bench_report import report as iso_report
from faceauth.cli.bench_service import service
from faceauth.cli.bench_speed import speed
from faceauth.cli.bench_stream import stream
from faceauth.cli.console import Json, console, fail, note, print_json, progress_bar
from faceauth.cli.measured import measured_pack
from faceauth.errors import ConfigurationError
from faceauth.settings import load_settings

if TYPE_CHECKING:
    from faceauth.bench.accuracy import AccuracyResult

app = typer.Typer(help="Measure accuracy on your own data.", no_args_is_help=True)

Data = Annotated[
    Path,
    typer.Option("--data", help="A folder of folders of pictures, one a person, as LFW.", show_default=False),
]
PackName = Annotated[str | None, typer.Option("--pack", help="The pack; the settings' one if left out.")]
Out = Annotated[Path, typer.Option("--out", help="Folder for the JSON and the plots.")]
Limit = Annotated[int | None, typer.Option("--limit", min=2, help="Take only the first so many pictures.")]
CacheFile = Annotated[
    Path | None,
    typer.Option(
        "--cache", help="Keep embeddings here between runs, in the clear: for public research sets only."
    ),
]
Workers = Annotated[int, typer.Option("--workers", min=1, help="Threads.")]


@app.callback()
def group() -> None:
    """Measure accuracy on your own data."""


@app.command()
def accuracy(  # noqa: PLR0917  Typer calls it, by name
    data: Data,
    pack: PackName = None,
    out: Out = Path("artefacts/accuracy"),
    limit: Limit = None,
    cache: CacheFile = None,
    workers: Workers = 2,
    held_out: Annotated[
        bool,
        typer.Option("--held-out", help="Fit score normalisers to other people than those who are compared."),
    ] = False,
    toml: Annotated[
        bool, typer.Option("--toml", help="Print the operating points as the model manifest holds them.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure a pack: pairs in ten folds, all against all, fused pictures, operating points."""
    from faceauth.bench import accuracy as bench  # noqa: PLC0415  networks and FAISS are slow to import
    from faceauth.bench.points import as_toml  # noqa: PLC0415  as above
    from faceauth.bench.report import as_json as report_json  # noqa: PLC0415  as above

    if not data.is_dir():
        fail(f"There is no folder {data}. Name a folder of people's folders with --data.")
    settings = load_settings()
    loaded = measured_pack(settings, pack)
    with progress_bar() as progress:
        result = bench.measure_accuracy(
            data,
            loaded,
            now=datetime.now(UTC),
            limit=limit,
            cache_file=cache,
            workers=workers,
            held_out=held_out,
            progress=progress,
        )
    report = report_json(result)
    written = _write(result, report, out)
    if as_json:
        print_json(report)
    elif toml:
        typer.echo(as_toml(result.pack, result.points))
    else:
        _print(result)
    for line in result.warnings:
        note(f"warning: {line}")
    note("Written: " + ", ".join(str(file) for file in written))


@app.command("train-normaliser")
def train_normaliser(  # noqa: PLR0917  Typer calls it, by name
    data: Data,
    pack: PackName = None,
    out: Annotated[Path, typer.Option("--out", help="The file to write.")] = Path("artefacts/normaliser.npy"),
    limit: Limit = None,
    cache: CacheFile = None,
    workers: Workers = 2,
) -> None:
    """Fit a score normaliser to a thousand people or more and print its entry for the model manifest."""
    from faceauth.bench.accuracy import embed_folder  # noqa: PLC0415  networks are slow to import
    from faceauth.bench.normaliser import as_file, as_toml, train  # noqa: PLC0415  as above

    if not data.is_dir():
        fail(f"There is no folder {data}. Name a folder of people's folders with --data.")
    settings = load_settings()
    loaded = measured_pack(settings, pack)
    with progress_bar() as progress:
        embedded, people = embed_folder(
            data, loaded, limit=limit, cache_file=cache, workers=workers, progress=progress
        )
    rows = embedded.acquired.nonzero()[0].tolist()
    trained = train(embedded.vectors[rows], [people[row] for row in rows])
    content = as_file(trained)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(content)
    typer.echo(as_toml(loaded.name, out.name, content, trained))
    note(f"Fitted to {len(rows):,} pictures of {trained.people:,} people. Written: {out}")


@app.command()
def capture(
    data: Data,
    pack: PackName = None,
    limit: Limit = None,
    as_json: Json = False,
) -> None:
    """Measure how camera pictures fare before comparison: found, judged or sent back, and CPU time by stage."""
    from faceauth.bench.accuracy import service_detector  # noqa: PLC0415  networks are slow to import
    from faceauth.bench.capture import measure_capture  # noqa: PLC0415  as above
    from faceauth.bench.dataset import read_folder  # noqa: PLC0415  as above

    if not data.is_dir():
        fail(f"There is no folder {data}. Name a folder of people's folders with --data.")
    settings = load_settings()
    loaded = measured_pack(settings, pack)
    with progress_bar() as progress:
        result = measure_capture(
            read_folder(data, limit=limit),
            service_detector(loaded),
            loaded.embedder.template,
            pack=loaded.name,
            progress=progress,
        )
    if as_json:
        print_json(result.as_json())
        return
    typer.echo(f"fit to be judged: {result.judged}")
    typer.echo(f"refused as pictures: {result.refused}")
    typer.echo(f"more than one face: {result.second_faces}")
    for code, rate in result.guidance.items():
        typer.echo(f"sent back with {code}: {rate}")
    for name, values in result.quality.items():
        typer.echo(f"{name}: 1st, 50th, 99th percentile {', '.join(f'{value:.2f}' for value in values)}")
    for stage, spent in result.milliseconds.items():
        typer.echo(f"{stage}: {spent:.2f} ms of CPU, median")


@app.command("chip-template")
def chip_template(
    data: Data,
    pack: PackName = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many pictures, drawn at random.")] = 2000,
    from_dir: Annotated[
        Path | None,
        typer.Option("--from", help="Where dlib's shape predictor, or its package, lies.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure where a pack's landmarks lie in dlib's own chip: the template of `open` (needs dlib)."""
    from faceauth.bench.accuracy import detector_of  # noqa: PLC0415  as above
    from faceauth.bench.chip_template import measure  # noqa: PLC0415  as above

    if not data.is_dir():
        fail(f"There is no folder {data}. Name a folder of people's folders with --data.")
    settings = load_settings()
    loaded = measured_pack(settings, pack)
    with progress_bar() as progress:
        found = measure(data, detector_of(loaded), limit=limit, from_dir=from_dir, progress=progress)
    points, spread = found.points.round(2).tolist(), found.spread.round(2).tolist()
    if as_json:
        print_json({"points": points, "spread": spread, "faces": found.faces, "pictures": found.pictures})
        return
    console().print(f"template = {points}", markup=False)
    note(f"Medians over {found.faces} faces of {found.pictures} pictures; interquartile ranges: {spread}")


app.command("all")(all_)
app.command()(detection)
app.command()(index)
app.command()(lifecycle)
app.command()(liveness)
app.command()(pad)
app.command()(recognition)
app.command()(service)
app.command()(speed)
app.command()(stream)
app.command("report")(iso_report)


def _write(result: "AccuracyResult", report: dict[str, Any], out: Path) -> list[Path]:
    """Write the JSON, and the plots where matplotlib is there: its lack loses no measurement."""
    from faceauth.bench.plots import write_plots  # noqa: PLC0415  as above

    out.mkdir(parents=True, exist_ok=True)
    file = out / "accuracy.json"
    file.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    try:
        return [file, *write_plots(result, out)]
    except ConfigurationError as error:
        note(f"warning: {error}")
        return [file]


def _print(result: "AccuracyResult") -> None:
    from rich.table import Table  # noqa: PLC0415  Rich is slow to import and --json can do without it
    from rich.text import Text  # noqa: PLC0415  as above

    from faceauth.bench.report import rows  # noqa: PLC0415  as above

    title = f"{result.pack} on {result.dataset}: {result.pictures:,} pictures of {result.people:,} people"
    table = Table(title=title, box=None, pad_edge=False, title_justify="left")
    table.add_column("", width=24, no_wrap=True)
    table.add_column(Text("rate [95 % interval] (events of trials)"))
    for group, found in groupby(rows(result), key=lambda row: row.group):
        table.add_row("")
        table.add_row("", Text(group, style="bold"))
        for row in found:
            table.add_row(Text(row.what), Text(row.told))
    console().print(table)
