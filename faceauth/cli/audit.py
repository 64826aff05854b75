"""`faceauth audit`: check the audit log, sign what it is now, and take it out."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, TextIO

import typer
from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog, line
from faceauth.audit.notes import Checkpoint, open_note
from faceauth.cli.approvals import By, named, say_waits
from faceauth.cli.audit_log import open_log
from faceauth.cli.console import Json, console, fail, note, print_json, progress_bar, why_unreadable
from faceauth.clock import system_clock
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.db.upgrade import check
from faceauth.errors import ConfigurationError
from faceauth.identity.approvals import Approvals, Kind
from faceauth.installation import databases, read_keyring
from faceauth.settings import load_settings
from faceauth.vault.keyring import bind_installation

app = typer.Typer(help="Verify the audit log, sign it, take it out.", no_args_is_help=True)

PAGE = 1_000

KEPT = typer.Option("--checkpoint", help="A checkpoint that was kept elsewhere; may be given more than once.")
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be written, and what it waits for.")]
OUT = typer.Option("--out", "-o", help="Write to this file, which must not be there yet.")


@app.callback()
def group() -> None:
    """Verify the audit log, sign it, take it out."""


@app.command()
def verify(checkpoint: Annotated[list[Path] | None, KEPT] = None, as_json: Json = False) -> None:
    """Walk the whole log and hold it against its checkpoints; exit 1 at the first record that does not fit."""
    # Reading only: a copy on a read-only medium can be verified too.
    with _log(writing=False) as (log, conn), progress_bar() as show:
        kept = [_read(path, log.tree.key(conn).verifier_key) for path in checkpoint or ()]
        verdict = log.verify(conn, kept, progress=lambda done, of: show("Checking", done, of))
    if as_json:
        told = {"intact": verdict.intact, "records": verdict.count, "first_bad": verdict.first_bad}
        print_json(told if verdict.checkpoint is None else {**told, "checkpoint": verdict.checkpoint})
        if not verdict.intact:
            raise typer.Exit(1)
    elif verdict.intact:
        console().print(f"[green]✓[/] Records: {verdict.count}. Each one fits the one before it.")
    elif verdict.checkpoint is not None:
        fail(
            f"The audit log is not the one that was signed when it had {verdict.checkpoint} records: record "
            f"{verdict.first_bad} or a later one was altered or removed, and those after it written anew. Keep a "
            "copy of the database as it is, and compare it with a backup."
        )
    else:
        fail(
            f"Record {verdict.first_bad} of the audit log was altered, moved or removed. Keep a copy of the "
            "database as it is, and compare it with a backup."
        )


@app.command("checkpoint")
def sign(out: Annotated[Path | None, OUT] = None, as_json: Json = False) -> None:
    """Sign what the log is now. Kept elsewhere, it convicts a log that is rebuilt later."""
    with _log(writing=True) as (log, conn):
        signed = log.tree.sign(conn, log.tree.size(conn), now=system_clock())
        key = log.tree.key(conn).verifier_key
    if out is not None:
        with _target(out) as target:
            target.write(signed.note)
    if as_json:
        print_json({"size": signed.size, "root": signed.root.hex(), "note": signed.note, "verifier_key": key})
    elif out is None:
        typer.echo(signed.note, nl=False)
    note(f"Signed: {signed.size} records. Who wants to check it without this installation needs: {key}")


@app.command()
def export(by: By, out: Annotated[Path | None, OUT] = None, dry_run: DryRun = False) -> None:
    """Write every record as a line of JSON, names as pseudonyms; two people, so ask, and run it again."""
    actor, details = named(by), {"what": "every record"}
    if out is not None and out.exists():
        raise ConfigurationError(f"{out} is there already. Name a file that is not there.")
    with _log(writing=not dry_run) as (log, conn):
        approvals, total = Approvals(log, system_clock), log.tree.size(conn)
        if dry_run:
            asked = approvals.find(conn, Kind.AUDIT_EXPORT, details, tenant=DEFAULT_TENANT)
            state = "nobody has asked for it yet" if asked is None else f"{asked.approval_id} is {asked.state}"
            note(f"It would write {total} records; {state}.")
            return
        found = approvals.request(conn, Kind.AUDIT_EXPORT, details, tenant=DEFAULT_TENANT, actor=actor)
        if found.state == "approved":
            approvals.use(conn, found, actor=actor)
            log.append(
                conn,
                Event.AUDIT_EXPORTED,
                tenant=DEFAULT_TENANT,
                account=None,
                actor=actor,
                details={"count": total},
            )
    if found.state != "approved":
        say_waits(found)
        return
    done = 0
    with _log(writing=False) as (log, conn), _target(out) as target, progress_bar() as show:
        while done < total:
            for record in log.records(conn, after=done, limit=min(PAGE, total - done)):
                fields = asdict(record)
                target.write(line(fields, fields.pop("digest")) + "\n")
                done = record.seq
            show("Exporting", done, total)
    note(f"Written: {total} records.")


@contextmanager
def _log(*, writing: bool) -> Iterator[tuple[AuditLog, Connection]]:
    settings = load_settings()
    keyring = read_keyring(settings)
    data, keys = databases(settings)
    try:
        check(data, keys)
        with data.begin() if writing else data.read() as conn:
            bind_installation(conn, keyring)
            yield open_log(settings, keyring), conn
    finally:
        data.dispose()
        keys.dispose()


def _read(path: Path, verifier_key: str) -> Checkpoint:
    try:
        return open_note(path.read_text(encoding="utf-8"), verifier_key)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The checkpoint {path} cannot be read ({why_unreadable(error)}).") from error


@contextmanager
def _target(out: Path | None) -> Iterator[TextIO]:
    if out is None:
        yield sys.stdout
        return
    try:
        with out.open("x", encoding="utf-8") as target:
            yield target
    except OSError as error:
        raise ConfigurationError(
            f"{out} cannot be written ({error.strerror}). Name a file that is not there."
        ) from error
