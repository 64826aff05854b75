"""The table of commands, and the group that loads one when it is called and tells its errors in one line."""

import errno
import sys
from importlib import import_module
from typing import Any, Final

import structlog
import typer
from typer.core import TyperCommand, TyperGroup

from faceauth.cli.console import fail
from faceauth.errors import FaceauthError

COMMANDS: Final = {
    "demo": "The whole story in a terminal, on real photographs.",
    "init": "Make data folder, keyring, database, model pack and the first API key.",
    "serve": "Run the service.",
    "models": "List, install and verify model packs.",
    "migrate": "Move people to a new model pack without asking everyone again.",
    "keys": "Say how the key-encryption keys stand, rotate and destroy them.",
    "approvals": "List, approve and refuse what takes two people.",
    "apikey": "Create, list, rotate and revoke API keys.",
    "incidents": "List the register of incidents, and print closing reports.",
    "client": "Register, list and revoke OpenID clients.",
    "audit": "Verify the audit log, sign it, take it out.",
    "campaign": "Say how far campaigns for consent have come, and carry them on.",
    "webhook": "Add and remove webhook endpoints; list, deliver and replay messages.",
    "receipt": "Check consent and deletion receipts.",
    "retention": "Erase what may be kept no longer.",
    "backup": "Copy the data and the keys, while the service runs.",
    "restore": "Put a backup in place, and replay what was erased since.",
    "doctor": "Say what is wrong with this installation, and what to do about it.",
    "bench": "Measure accuracy, attacks, speed and load, beside others.",
}
"""Every command with its line in the help. `faceauth.cli.<name>` holds it: a sub-app named `app`, or a function
of the command's name."""


def load_command(name: str) -> Any:
    """Import one command of the table and return it, ready to run."""
    module = import_module(f"faceauth.cli.{name}")
    # Completion is the whole command line's business; a part of it offers none.
    holder = typer.Typer(add_completion=False)
    part = getattr(module, "app", None)
    if part is None:
        holder.command(name)(getattr(module, name))
        return typer.main.get_command(holder)
    holder.add_typer(part, name=name)
    group: Any = typer.main.get_command(holder)
    return group.commands[name]


class CommandGroup(TyperGroup):
    """Knows every command's name and line, and imports only the one that is called."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = {name: TyperCommand(name, help=line) for name, line in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command by its name, suggesting the nearest one, then load it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name in COMMANDS else command, rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error is one line on the error stream and exit status 1."""
        # Standard output is for results. The stream is looked up each time, because it may be exchanged.
        structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.TyperException):
            raise
        except FaceauthError as error:
            if ctx.params.get("debug"):
                raise
            fail(str(error))
        except Exception as error:
            # A reader that left, as `| head` does, is no error of ours; Typer ends quietly.
            if ctx.params.get("debug") or (isinstance(error, OSError) and error.errno == errno.EPIPE):
                raise
            fail(f"{type(error).__name__}: {error}. For the traceback, set FACEAUTH_DEBUG=1 and run it again.")
