"""`faceauth bench speed`: time by stage and pack, beside dlib's wheel and OpenCV's classes."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from faceauth.cli.console import Json, console, fail, note, print_json, progress_bar
from faceauth.settings import load_settings

if TYPE_CHECKING:
    from faceauth.bench.int8 import Int8Accuracy
    from faceauth.bench.speed import Timing


def speed(  # noqa: PLR0917  Typer calls it, by name
    data: Annotated[
        Path, typer.Option("--data", help="A folder of folders of pictures, one a person.", show_default=False)
    ],
    pack: Annotated[
        list[str] | None, typer.Option("--pack", help="A pack that takes part; again for more.")
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="How often each contender runs.")] = 50,
    pictures: Annotated[
        int, typer.Option("--pictures", min=70, help="Pictures that int8's accuracy is measured on.")
    ] = 1500,
    from_dir: Annotated[
        Path | None,
        typer.Option("--from", help="Where dlib's network, or its package, lies.", show_default=False),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the JSON.")] = Path("artefacts/speed"),
    as_json: Json = False,
) -> None:
    """Time decoding, detection, alignment and embedding, in float and int8, beside dlib's wheel and OpenCV."""
    from faceauth.bench.machine import environment_json  # noqa: PLC0415  networks are slow to import
    from faceauth.bench.speed_run import measure_speed  # noqa: PLC0415  as above

    if not data.is_dir():
        fail(f"There is no folder {data}. Name a folder of people's folders with --data.")
    settings = load_settings()
    with progress_bar() as progress:
        timings, costs = measure_speed(
            data,
            pack or ["open", "retail"],
            models_dir=settings.models_dir,
            manifest=settings.models_manifest,
            inference=settings.inference,
            rounds=rounds,
            pictures=pictures,
            from_dir=from_dir,
            progress=progress,
        )
    report: dict[str, Any] = {
        "schema": "faceauth/bench/speed/v1",
        **environment_json(),
        "timings": [one.as_json() for one in timings],
        "int8": [one.as_json() for one in costs],
    }
    out.mkdir(parents=True, exist_ok=True)
    file = out / "speed.json"
    file.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        print_json(report)
    else:
        _print(timings, costs)
    note(f"Written: {file}")


def _print(timings: "tuple[Timing, ...]", costs: "tuple[Int8Accuracy, ...]") -> None:
    shown, few = console(), "not told (too few pictures)"
    for one in timings:
        shown.print(
            f"{one.stage}: {one.name}, {one.threads} thread{'s' * (one.threads > 1)}: {one.cpu:.2f} ms of CPU, "
            f"{one.wall:.2f} ms, {one.ratio:.2f} of the first's ({one.cpu_ratio:.2f} in CPU)",
            markup=False,
        )
    for cost in costs:
        mean, least = cost.agreement
        shown.print(
            f"int8 of {cost.pack}: cosine to float {mean:.4f}, least {least:.4f} ({cost.chips} chips); "
            f"TAR at FMR 1e-3, all against all: float {cost.tar_float or few}, int8 {cost.tar_int8 or few}",
            markup=False,
        )
