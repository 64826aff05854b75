"""`faceauth backup`: copies of both databases, while the service runs; never of the keyring."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from faceauth.audit.log import AuditLog
from faceauth.cli.approvals import named, say_waits
from faceauth.cli.audit_log import open_log
from faceauth.cli.console import Json, console, note, print_json, progress_bar
from faceauth.clock import system_clock
from faceauth.db.engine import Database
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.db.upgrade import check
from faceauth.errors import InvalidRequest
from faceauth.identity.approvals import Approvals, Kind
from faceauth.installation import databases, read_keyring
from faceauth.settings import load_settings
from faceauth.signing import Signer
from faceauth.vault.backup import Backups
from faceauth.vault.keyring import bind_installation


def backup(
    dest: Annotated[Path, typer.Argument(help="The folder of this installation's backups; made if missing.")],
    keys_to: Annotated[
        Path | None, typer.Option("--keys-to", help="Keep the keys' copy below this folder instead.")
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="Who you are, where this is a new place: two people agree to one.")
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only say whether this place was agreed to, and what would be copied."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Copy the data, and put the keys' copy in the place of the one before."""
    settings = load_settings()
    place = {"data": str(dest.absolute()), "keys": str((keys_to or dest).absolute())}
    keyring = read_keyring(settings)
    data, keys = databases(settings)
    try:
        check(data, keys)
        audit = open_log(settings, keyring)
        with data.begin() as conn:
            bind_installation(conn, keyring)
        if dry_run:
            _foretell(data, keys, audit, place)
            return
        if not _agreed(data, audit, place, by):
            return
        backups = Backups(
            dest, keys_folder=keys_to, installation=keyring.installation_id, signer=Signer(keyring.signing_keys)
        )
        with progress_bar() as show:
            made = backups.write(
                data,
                keys,
                audit=audit,
                tenant=DEFAULT_TENANT,
                actor="cli",
                clock=system_clock,
                progress=lambda which, done, of: show(f"copying {which}", done, of),
            )
    finally:
        data.dispose()
        keys.dispose()
    if as_json:
        print_json(
            {
                copy.which: {
                    "file": str(copy.file),
                    "sha256": copy.sha256,
                    "bytes": copy.size,
                    "made_at": copy.made_at,
                }
                for copy in made
            }
        )
        return
    for copy in made:
        console().print(f"{copy.which}  {copy.file}  {copy.size:,} bytes", markup=False)
    note("Keep no older copy of the keys anywhere: beside old data it brings back what was erased.")
    note(
        f"The keyring and the journal of erasures are not in it: {settings.keyring_file}, {settings.journal_file}"
    )


def _agreed(data: Database, audit: AuditLog, place: Mapping[str, str], by: str | None) -> bool:
    """Return whether two people agreed to copies there, which they do once (R52); else ask for it.

    Raises:
        InvalidRequest: It is a new place, and nobody says who asks.
    """
    approvals = Approvals(audit, system_clock)
    with data.begin() as conn:
        if approvals.standing(conn, Kind.BACKUP_PLACE, place, tenant=DEFAULT_TENANT) is not None:
            return True
        if by is None:
            raise InvalidRequest("A new place for copies takes two people, once: ask for it with --by NAME.")
        actor = named(by)
        found = approvals.request(conn, Kind.BACKUP_PLACE, place, tenant=DEFAULT_TENANT, actor=actor)
        if found.state == "approved":
            approvals.use(conn, found, actor=actor)
    if found.state != "approved":
        say_waits(found)
    return found.state == "approved"


def _foretell(data: Database, keys: Database, audit: AuditLog, place: Mapping[str, str]) -> None:
    approvals = Approvals(audit, system_clock)
    with data.read() as conn:
        stands = approvals.standing(conn, Kind.BACKUP_PLACE, place, tenant=DEFAULT_TENANT)
    for name, one in (("data", data), ("keys", keys)):
        note(f"It would copy the {name} at {one.place} to {place[name]}.")
    agreed = "Two people agreed to this place" if stands else "Two people have to agree to this place first"
    note(f"{agreed}; nothing was copied.")
