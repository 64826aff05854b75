"""`faceauth doctor`: what is wrong with this installation, and what to do about it."""

import platform
from importlib.metadata import version
from typing import Annotated, Final

import typer
from pydantic import SecretStr

from faceauth.cli.checks import examine
from faceauth.cli.console import Json, console, print_json
from faceauth.cli.findings import State
from faceauth.cli.settling import settle
from faceauth.clock import system_clock
from faceauth.settings import load_settings, setting_values

MARKS: Final[dict[State, str]] = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "problem": "[red]✗[/]"}


def doctor(
    quarantine: Annotated[
        bool,
        typer.Option("--quarantine", help="Mark references that do not open; let those in that open again."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Print the effective settings and check the installation; exit 1 if something is wrong."""
    settings = load_settings()
    if quarantine:
        settle(settings)
    values = {name: _shown(value) for name, value in setting_values(settings).items()}
    findings = list(examine(settings, system_clock))
    wrong = sum(finding.state == "problem" for finding in findings)
    if as_json:
        print_json(
            {
                "ok": not wrong,
                "version": version("faceauth"),
                "python": platform.python_version(),
                "platform": platform.platform(),
                "settings": values,
                "findings": [
                    {"name": finding.name, "state": finding.state, "line": finding.line} for finding in findings
                ],
            }
        )
    else:
        out = console()
        out.print(f"faceauth {version('faceauth')}, Python {platform.python_version()}, {platform.platform()}\n")
        for name, value in values.items():
            out.print(f"{name} = {'(not set)' if value in (None, '', []) else value}", markup=False)
        out.print()
        for finding in findings:
            out.print(f"{MARKS[finding.state]} {finding.name:<12} ", end="")
            out.print(finding.line, markup=False)
        out.print()
        out.print(
            f"{wrong} to mend, marked ✗; each line says how."
            if wrong
            else "Nothing is wrong. Next: faceauth serve"
        )
    if wrong:
        raise typer.Exit(1)


def _shown(value: object) -> str | int | float | list[str] | None:
    """Return a setting as it may be shown: no secret, and only what JSON knows."""
    if isinstance(value, SecretStr):
        return "(hidden)"
    if value is None or isinstance(value, str | int | float):
        return value
    return [str(one) for one in value] if isinstance(value, list) else str(value)
