"""`faceauth demo`: the whole story in a terminal."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from faceauth.cli.console import Json, console, fail, note, print_json, progress_bar
from faceauth.settings import load_settings

if TYPE_CHECKING:
    from faceauth.demo.people import Cast
    from faceauth.demo.story import Scene

Images = Annotated[
    Path | None,
    typer.Option(
        "--images",
        help="A folder of folders of pictures, one a person with two pictures or more.",
        show_default=False,
    ),
]
Keep = Annotated[bool, typer.Option("--keep", help="Keep the demo's data folder, to look at.")]


def demo(images: Images = None, keep: Keep = False, as_json: Json = False) -> None:
    """Tell the whole story on real photographs: consent, enrolment, login, attacks, withdrawal, and the scan."""
    from faceauth.demo.story import Theatre, play  # noqa: PLC0415  networks and FAISS are slow to import

    started = time.monotonic()
    theatre = Theatre(load_settings(), images=images, keep=keep)
    scenes: list[Scene] = []
    try:
        with progress_bar() as progress:
            stage = theatre.open(progress)
        if not as_json:
            _print_cast(stage.cast)
        for scene in play(stage):
            if not as_json:
                _print(scene, first=not scenes or scenes[-1].act != scene.act)
            scenes.append(scene)
        folder = stage.folder
    finally:
        theatre.close()
    seconds = time.monotonic() - started
    good = bool(scenes) and all(scene.line.as_expected for scene in scenes)
    if as_json:
        print_json(_as_json(scenes, stage.cast, seconds, good=good))
    if keep:
        note(f"Kept: {folder}")
    if not good:
        last = scenes[-1]
        fail(f"Act {last.act}, {last.title}: not as it must be: {last.line.happened}")
    note(
        f"All {len(scenes)} steps went as they must, in {seconds:.0f} s. Next: faceauth init, then faceauth serve"
    )


def _as_json(scenes: "list[Scene]", cast: "Cast", seconds: float, *, good: bool) -> dict[str, Any]:
    return {
        "as_expected": good,
        "seconds": round(seconds, 1),
        "cast": {person.name: person.source for person in cast.everybody},
        "note": cast.note,
        "steps": [{"act": scene.act, "title": scene.title, **asdict(scene.line)} for scene in scenes],
    }


def _print_cast(cast: "Cast") -> None:
    out = console()
    played = ", ".join(f"{person.name} ({person.source})" for person in cast.everybody)
    out.print(f"Playing: {played}.", markup=False)
    out.print(f"The camera is simulated: a small head model wears each photograph. {cast.note}", markup=False)


def _print(scene: "Scene", *, first: bool) -> None:
    from rich.padding import Padding  # noqa: PLC0415  Rich is slow to import and --json can do without it
    from rich.text import Text  # noqa: PLC0415  as above

    out = console()
    if first:
        out.print()
        out.print(Text(f"{scene.act}  {scene.title}", style="bold"))
    sign, colour = ("✓", "green") if scene.line.as_expected else ("✗", "bold red")
    lines = (
        (Text.assemble((f"{sign} ", colour), scene.line.asked), 3),
        (Text(f"→ {scene.line.happened}", style="cyan" if scene.line.as_expected else colour), 5),
        (Text(scene.line.proves, style="dim"), 5),
    )
    for text, indent in lines:
        out.print(Padding(text, (0, 0, 0, indent)), soft_wrap=False)
