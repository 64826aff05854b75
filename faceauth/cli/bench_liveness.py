"""`faceauth bench liveness`: where the CPU time of judging one session goes."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from faceauth.cli.console import Json, note, print_json, progress_bar
from faceauth.errors import ConfigurationError
from faceauth.settings import load_settings


def liveness(  # noqa: PLR0917  Typer calls it, by name
    sessions: Annotated[int, typer.Option("--sessions", min=1, help="Simulated sessions to judge.")] = 8,
    level: Annotated[str, typer.Option("--level", help="The liveness level.")] = "motion+flash",
    pack: Annotated[str | None, typer.Option("--pack", help="The pack; the settings' one if left out.")] = None,
    images: Annotated[
        Path | None, typer.Option("--images", help="Whose faces the simulated heads wear: a folder of folders.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the JSON and the plot.")] = Path(
        "artefacts/liveness"
    ),
    as_json: Json = False,
) -> None:
    """Time decoding, detection, each gate and the networks of a session, from its JPEGs to the decision."""
    from faceauth.bench.accuracy import detector_of, service_detector  # noqa: PLC0415  networks are slow to import
    from faceauth.bench.liveness import liveness_cost, write_plot  # noqa: PLC0415  as above
    from faceauth.bench.machine import environment_json  # noqa: PLC0415  as above
    from faceauth.bench.pad_fixtures import Portrait  # noqa: PLC0415  as above
    from faceauth.cli.bench_pad import Wanted  # noqa: PLC0415  as above
    from faceauth.demo.people import folder_cast, group_cast  # noqa: PLC0415  as above

    settings, loaded = load_settings(), os.getloadavg()[0]
    judging, found = Wanted(settings, pack or settings.model_pack, (level,)).load()
    detector = detector_of(found)  # the photographs' faces are small
    with progress_bar() as progress:
        cast = group_cast(detector, progress=progress) if images is None else folder_cast(images, detector)
        portraits = [Portrait(one.first.image, one.first.landmarks) for one in cast.everybody]
        cost = liveness_cost(
            judging,
            service_detector(found),
            found.embedder.template,
            portraits,
            sessions=sessions,
            progress=progress,
        )
    report = {
        "schema": "faceauth/bench/liveness/v1",
        **environment_json(),
        "pack": found.name,
        "load_average": {"before": round(loaded, 1), "after": round(os.getloadavg()[0], 1)},
        **cost.as_json(),
    }
    out.mkdir(parents=True, exist_ok=True)
    files = [out / "liveness.json"]
    files[0].write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    try:
        files.append(write_plot(cost, out))
    except ConfigurationError as error:
        note(f"warning: {error}")
    if as_json:
        print_json(report)
    else:
        typer.echo("\n".join(cost.lines()))
    note("Written: " + ", ".join(str(file) for file in files))
