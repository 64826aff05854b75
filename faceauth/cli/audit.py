"""`faceauth audit`: check the audit log."""

import typer

from faceauth.audit.log import AuditLog
from faceauth.cli.console import Json, console, fail, print_json
from faceauth.clock import system_clock
from faceauth.db.upgrade import check
from faceauth.installation import databases, read_keyring
from faceauth.settings import load_settings
from faceauth.vault.keyring import bind_installation

app = typer.Typer(help="Verify the audit log.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Verify the audit log."""


@app.command()
def verify(as_json: Json = False) -> None:
    """Walk the whole chain; exit 1 at the first record that does not fit."""
    settings = load_settings()
    keyring = read_keyring(settings)
    data, keys = databases(settings)
    try:
        check(data, keys)
        # Reading only: a copy on a read-only medium can be verified too.
        with data.read() as conn:
            bind_installation(conn, keyring)
            verdict = AuditLog(pseudonym_key=keyring.pseudonym_key, clock=system_clock).verify(conn)
    finally:
        data.dispose()
        keys.dispose()
    if as_json:
        print_json({"intact": verdict.intact, "records": verdict.count, "first_bad": verdict.first_bad})
        if not verdict.intact:
            raise typer.Exit(1)
    elif verdict.intact:
        console().print(f"[green]✓[/] Records: {verdict.count}. Each one fits the one before it.")
    else:
        fail(
            f"Record {verdict.first_bad} of the audit log was altered, moved or removed. Keep a copy of the "
            "database as it is, and compare it with a backup."
        )
