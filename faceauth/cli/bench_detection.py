"""`faceauth bench detection`: the packs' detectors side by side."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from faceauth.cli.console import Json, console, fail, note, print_json, progress_bar
from faceauth.settings import load_settings

if TYPE_CHECKING:
    from faceauth.bench.detection import DetectionResult


def detection(
    data: Annotated[
        Path, typer.Option("--data", help="A folder with pictures and clips, at any depth.", show_default=False)
    ],
    pack: Annotated[
        list[str] | None, typer.Option("--pack", help="A pack whose detector takes part; may be given again.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=3, help="The most pictures of a folder and frames of a clip.")
    ] = 400,
    out: Annotated[Path, typer.Option("--out", help="Folder for the JSON.")] = Path("artefacts/detection"),
    as_json: Json = False,
) -> None:
    """Compare the packs' detectors: faces missed, landmarks' stability in clips, time at 640×480."""
    from faceauth.bench.detection import measure_detection  # noqa: PLC0415  networks are slow to import
    from faceauth.bench.detection_set import detectors_of  # noqa: PLC0415  as above
    from faceauth.bench.machine import environment_json  # noqa: PLC0415  as above
    from faceauth.embed.packs import load_pack  # noqa: PLC0415  as above

    if not data.is_dir():
        fail(f"There is no folder {data}. Name a folder of pictures and clips with --data.")
    settings = load_settings()
    names = pack or ["open", "retail"]
    packs = [load_pack(name, settings.models_dir, settings.models_manifest) for name in names]
    detectors, followers = detectors_of(packs)
    with progress_bar() as progress:
        result = measure_detection(data, detectors, followers, limit=limit, progress=progress)
    report = {"schema": "faceauth/bench/detection/v1", **environment_json(), **result.as_json()}
    out.mkdir(parents=True, exist_ok=True)
    file = out / "detection.json"
    file.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        print_json(report)
    else:
        _print(result)
    note(f"Written: {file}")


def _print(result: "DetectionResult") -> None:
    shown = console()
    for name, found in result.stills.items():
        for who, one in found.items():
            apart = "" if one.apart is None else f"; found elsewhere {one.apart}"
            shown.print(f"{name}: {who}: missed {one.missed}{apart}", markup=False)
    for name, seen in result.clips.items():
        for who, clip in seen.items():
            steady = ", ".join(f"{value:.4f}" for value in clip.jitter) or "no three frames in a row"
            shown.print(
                f"{name}: {who}: missed {clip.missed}; jitter, median and 95th percentile, {steady} "
                f"({clip.triples} triples); {clip.milliseconds:.1f} ms of CPU a frame",
                markup=False,
            )
    for who, speed in result.speed.items():
        shown.print(
            f"640×480: {who}: {speed.milliseconds:.1f} ms of CPU, {speed.ratio:.2f} of the first "
            f"({speed.pictures} pictures)",
            markup=False,
        )
