"""`faceauth bench all`: every benchmark, one after the other, and one report of them."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from faceauth.cli.console import fail, note
from faceauth.settings import load_settings

QUICK: Final = {
    "recognition": ("--rounds", "5", "--pictures", "100"),
    "accuracy": ("--limit", "400"),
    "speed": ("--rounds", "3", "--pictures", "100"),
    "detection": ("--limit", "60"),
    "pad": ("--fixtures", "2", "--level", "motion+flash"),
    "index": ("--rows", "10000"),
    "stream": ("--sessions", "5", "--seconds", "10"),
    "service": (
        *("--at-once", "1", "--at-once", "4", "--streamed", "4", "--seconds", "5", "--logins", "3"),
        *("--enrolled", "1000"),
    ),
    "lifecycle": (
        *("--people", "100", "--people", "1000", "--asked", "100", "--asked", "1000"),
        *("--records", "1000", "--records", "10000"),
    ),
}
"""A few minutes of everything: to see that it runs, not to believe the figures."""

WHOLE: Final = {
    "pad": ("--fixtures", "100", "--level", "motion+flash"),
    "index": ("--rows", "10000", "--rows", "100000", "--rows", "1000000"),
}
"""What differs from the commands' own defaults in the whole run; the others take those."""

ORDER: Final = (*QUICK,)

NEED_DATA: Final = frozenset({"recognition", "accuracy", "speed", "detection"})

PACKED: Final = frozenset({"recognition", "speed", "detection"})
"""Commands that take several packs."""

FIRST: Final = ("open", "retail")
"""Packs that are compared with each other where they are installed."""


def all_(
    data: Annotated[
        Path | None,
        typer.Option("--data", help="A folder of folders of pictures, one a person.", show_default=False),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A few minutes of each, to see that it runs.")] = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", help=f"One of {', '.join(ORDER)}; again for more.")
    ] = None,
    read: Annotated[
        Path | None,
        typer.Option("--read", help="Measure nothing: report what lies below this folder.", show_default=False),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for everything.")] = Path("artefacts/bench"),
) -> None:
    """Run every benchmark, hours without --quick, and write one report as HTML and as Markdown."""
    from faceauth.bench.whole import write_whole  # noqa: PLC0415  Jinja is slow to import

    unknown = sorted(set(only or ()) - set(ORDER))
    if unknown:
        fail(f"There is no benchmark {unknown[0]}; there are {', '.join(ORDER)}.")
    if data is not None and not data.is_dir():
        fail(f"There is no folder {data}. Name a folder of people's folders with --data.")
    failed = [] if read is not None else _run(only or ORDER, data, out, quick=quick)
    written = write_whole(out, read=read, failed=failed, made_at=datetime.now(UTC))
    for line in failed:
        note(f"not measured: {line}")
    note("Written: " + ", ".join(str(file) for file in written))
    if failed:
        raise typer.Exit(1)


def _run(names: Sequence[str], data: Path | None, out: Path, *, quick: bool) -> list[str]:
    """Run the commands, each in a process of its own with its own progress; return what failed, a line each."""
    models = load_settings().models_dir
    packs = [name for name in FIRST if (models / name).is_dir()]
    failed = []
    chosen = [name for name in ORDER if name in names]
    for number, name in enumerate(chosen, 1):
        if name in NEED_DATA and data is None:
            failed.append(f"{name}: it needs pictures; name a folder with --data.")
            continue
        note(f"{number} of {len(chosen)}: faceauth bench {name}")
        arguments = [*(("--data", str(data)) if name in NEED_DATA else ()), "--out", str(out / name)]
        if name in PACKED:
            arguments += [part for pack in packs for part in ("--pack", pack)]
        arguments += (QUICK if quick else WHOLE).get(name, ())
        command = [sys.executable, "-c", "from faceauth.cli import app; app()", "bench", name, *arguments]
        ended = subprocess.run(command, check=False)  # noqa: S603  our own program
        if ended.returncode:
            failed.append(f"faceauth bench {name} ended with {ended.returncode}; it said why above.")
    return failed
