"""The command line. Every command is loaded when it is called, so that help and completion are quick."""

from importlib.metadata import version
from typing import Annotated

import typer

from faceauth.cli.commands import CommandGroup

app = typer.Typer(
    name="faceauth",
    cls=CommandGroup,
    help="Face login that people agreed to: consent first, liveness always, erased on withdrawal.",
    epilog="A start: faceauth demo",
    no_args_is_help=True,
    # A traceback with local variables could show a key.
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"faceauth {version('faceauth')}")
        raise typer.Exit


@app.callback()
def main(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="FACEAUTH_DEBUG", help="Show the traceback of an error.")
    ] = False,
) -> None:
    """Face login that people agreed to: consent first, liveness always, erased on withdrawal."""
