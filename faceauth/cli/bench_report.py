"""`faceauth bench report`: a pack's rates as ISO/IEC 19795-1 names them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from faceauth.cli.console import Json, fail, note, print_json, progress_bar
from faceauth.cli.measured import measured_pack
from faceauth.errors import ConfigurationError
from faceauth.settings import load_settings

if TYPE_CHECKING:
    from faceauth.bench.iso import IsoResult


def report(  # noqa: PLR0917  Typer calls it, by name
    data: Annotated[
        Path,
        typer.Option(
            "--data", help="A folder of folders of pictures, one a person, or a .bin set.", show_default=False
        ),
    ],
    pack: Annotated[str | None, typer.Option("--pack", help="The pack; the settings' one if left out.")] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="CSV: person and other columns, each a way to group.")
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option("--pairs", help="CSV: first, second, mated; paths within the folder.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the report.")] = Path("artefacts/report"),
    limit: Annotated[
        int | None, typer.Option("--limit", min=2, help="Take only the first so many pictures.")
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            "--cache", help="Keep embeddings here between runs, in the clear: for public research sets only."
        ),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Threads.")] = 2,
    as_json: Json = False,
) -> None:
    """Report a pack's rates: acquisition, enrolment, comparisons, transactions, searches, subgroups."""
    from faceauth.bench.iso import Run, measure_pairs, measure_people  # noqa: PLC0415  networks are slow to import
    from faceauth.bench.readers import read_labels  # noqa: PLC0415  as above

    listed = pairs is not None or data.is_file()
    if not data.exists() or (pairs is not None and not data.is_dir()):
        fail(f"There is no folder {data}. Name a folder of pictures, or a .bin set, with --data.")
    if listed and (labels is not None or limit is not None):
        fail("Pairs name no people: leave out --labels and --limit.")
    settings = load_settings()
    loaded = measured_pack(settings, pack)
    with progress_bar() as progress:
        run = Run(datetime.now(UTC), limit, cache, workers, progress)
        if listed:
            result = measure_pairs(data, pairs, loaded, run)
        else:
            result = measure_people(data, loaded, read_labels(labels) if labels else {}, run)
    _write(result, out, as_json=as_json)


def _write(result: "IsoResult", out: Path, *, as_json: bool) -> None:
    from faceauth.bench.iso_plots import write_plots  # noqa: PLC0415  as above
    from faceauth.bench.iso_report import as_json as told  # noqa: PLC0415  as above
    from faceauth.bench.iso_report import as_markdown  # noqa: PLC0415  as above

    out.mkdir(parents=True, exist_ok=True)
    try:
        plots = write_plots(result, out)
    except ConfigurationError as error:
        plots = ()
        note(f"warning: {error}")
    found = told(result)
    text = as_markdown(result, [file.name for file in plots])
    files = (out / "report.md", out / "report.json")
    files[0].write_text(text, encoding="utf-8")
    files[1].write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        print_json(found)
    else:
        typer.echo(text)
    for line in result.warnings:
        note(f"warning: {line}")
    note("Written: " + ", ".join(str(file) for file in (*files, *plots)))
