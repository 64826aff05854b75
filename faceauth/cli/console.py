"""How commands speak: results on standard output, everything else on the error stream."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:  # Rich is slow to import, and help and completion can do without its console
    from rich.console import Console
    from rich.progress import TaskID

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, for scripts.")]


def console(*, error: bool = False) -> "Console":
    """Return a console for results, or for everything else."""
    from rich.console import Console  # noqa: PLC0415  see above

    return Console(stderr=error, highlight=False, soft_wrap=True)


def fail(line: str, *, status: int = 1) -> NoReturn:
    """Say in one red line what is wrong and what to do, and end with `status`."""
    from rich.markup import escape  # noqa: PLC0415  see above

    console(error=True).print(f"[bold red]error:[/] {escape(' '.join(line.split()))}")
    raise typer.Exit(status)


def why_unreadable(error: OSError | UnicodeDecodeError) -> str:
    """Return in words why a file's text could not be read."""
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else "it is no UTF-8 text"


def note(line: str) -> None:
    """Say something beside the result, on the error stream."""
    console(error=True).print(line, markup=False)


def print_json(value: Any) -> None:
    """Write a result for scripts: JSON, with keys in the order they were made."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Show progress on the error stream while the block runs; nothing where that is no terminal.

    Yields a function to be told the label of a piece of work, how much of it is done, and of how much; 0 if that
    is not known.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415  see above

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, TimeRemainingColumn(), console=console(error=True), transient=True) as progress:

        def show(label: str, done: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = progress.add_task(label)
            progress.update(tasks[label], completed=done, total=total or None)

        yield show
