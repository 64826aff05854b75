"""`faceauth backup`: copies of both databases, while the service runs; never of the keyring."""

from pathlib import Path
from typing import Annotated

import typer

from faceauth.cli.audit_log import open_log
from faceauth.cli.console import Json, console, note, print_json, progress_bar
from faceauth.clock import system_clock
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.db.upgrade import check
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
    as_json: Json = False,
) -> None:
    """Copy the data, and put the keys' copy in the place of the one before."""
    settings = load_settings()
    keyring = read_keyring(settings)
    data, keys = databases(settings)
    try:
        check(data, keys)
        with data.begin() as conn:
            bind_installation(conn, keyring)
        backups = Backups(
            dest, keys_folder=keys_to, installation=keyring.installation_id, signer=Signer(keyring.signing_keys)
        )
        with progress_bar() as show:
            made = backups.write(
                data,
                keys,
                audit=open_log(settings, keyring),
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
