"""`faceauth bench recognition`: from a JPEG to a decision, beside what people would use instead."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from faceauth.cli.console import Json, console, fail, note, print_json, progress_bar
from faceauth.settings import load_settings

if TYPE_CHECKING:
    from faceauth.bench.recognition import Accuracy
    from faceauth.bench.speed import Timing


def recognition(  # noqa: PLR0917  Typer calls it, by name
    data: Annotated[
        Path, typer.Option("--data", help="A folder of folders of pictures, one a person.", show_default=False)
    ],
    pack: Annotated[
        list[str] | None,
        typer.Option("--pack", help="A pack of ours that takes part; again for more. The first is the measure."),
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="How often each is timed.")] = 30,
    pictures: Annotated[
        int, typer.Option("--pictures", min=10, help="Pictures on which errors are counted.")
    ] = 1500,
    out: Annotated[Path, typer.Option("--out", help="Folder for the JSON and the plot.")] = Path(
        "artefacts/recognition"
    ),
    as_json: Json = False,
) -> None:
    """Race face_recognition, OpenCV's classes and insightface, those that are here, from a JPEG to a decision."""
    from faceauth.bench.machine import environment_json  # noqa: PLC0415  networks are slow to import
    from faceauth.bench.recognition import measure_recognition  # noqa: PLC0415  as above
    from faceauth.embed.manifest import pack_spec  # noqa: PLC0415  as above

    if not data.is_dir():
        fail(f"There is no folder {data}. Name a folder of people's folders with --data.")
    settings = load_settings()
    packs = pack or [settings.model_pack]
    with progress_bar() as progress:
        timings, errors, absent = measure_recognition(
            data,
            packs,
            models_dir=settings.models_dir,
            manifest=settings.models_manifest,
            inference=settings.inference,
            rounds=rounds,
            pictures=pictures,
            progress=progress,
        )
    report: dict[str, Any] = {
        "schema": "faceauth/bench/recognition/v1",
        **environment_json(),
        "packs": {name: pack_spec(name, settings.models_manifest).pack_digest().hex() for name in packs},
        "data": data.name,
        "pictures": pictures,
        "timings": [one.as_json() for one in timings],
        "accuracy": [one.as_json() for one in errors],
        "absent": [{"name": one.name, "why": one.why} for one in absent],
    }
    out.mkdir(parents=True, exist_ok=True)
    file = out / "recognition.json"
    file.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        print_json(report)
    else:
        _print(timings, errors)
    for one in absent:
        note(f"not measured: {one.name}, {one.why}")
    note(f"Written: {file}")


def _print(timings: "tuple[Timing, ...]", errors: "tuple[Accuracy, ...]") -> None:
    shown = console()
    for time in timings:
        shown.print(
            f"{time.name}: {time.wall:.1f} ms, {time.cpu:.1f} ms of CPU, {time.cpu_ratio:.2f} of the first's",
            markup=False,
        )
    for one in errors:
        shown.print(f"{one.name}: a face found in {one.acquired}", markup=False)
        for fmr, rate in one.matches.items():
            shown.print(f"  TAR at FMR {fmr:.0e}: {rate}", markup=False)
