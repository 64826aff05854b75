"""`faceauth restore`: a backup, or databases that were put back by hand, made fit to serve again."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from faceauth.cli.audit_log import open_log
from faceauth.cli.console import Json, console, note, print_json, progress_bar
from faceauth.clock import Clock, system_clock
from faceauth.consent.ledger import ConsentLedger
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.identity.attempts import NIST_PAD
from faceauth.installation import databases, keyring_place
from faceauth.restoring import Restore
from faceauth.settings import Settings, load_settings
from faceauth.signing import Signer
from faceauth.vault.backup import Backups
from faceauth.vault.erasure import Erasure
from faceauth.vault.index import ReferenceIndex
from faceauth.vault.journal import journal_of
from faceauth.vault.keystore import DataKeys
from faceauth.vault.watched import WatchedKeyring


def restore(  # noqa: PLR0917  Typer calls it by name
    src: Annotated[
        Path | None,
        typer.Argument(help="The folder of the backups; without it, databases that are in place are brought up."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Which copy of the data; the newest if not given.")
    ] = None,
    keys_from: Annotated[
        Path | None, typer.Option("--keys-from", help="Where --keys-to put the keys' copy.")
    ] = None,
    without_journal: Annotated[
        bool, typer.Option("--without-journal", help="Go on although the journal of erasures is lost or old.")
    ] = False,
    keep_api_keys: Annotated[
        bool, typer.Option("--keep-api-keys", help="None was revoked since the backup; keep them valid.")
    ] = False,
    keep_device_keys: Annotated[
        bool, typer.Option("--keep-device-keys", help="No device's key was revoked since; keep them bound.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check and place the copies, replay what was erased since, and end what must not go on."""
    settings = load_settings()
    with restore_of(settings) as (restoring, signer), progress_bar() as show:
        backups = None
        if src is not None:
            installation = restoring.keyring.installation_id
            backups = Backups(src, keys_folder=keys_from, installation=installation, signer=signer)
        done = restoring.run(
            backups,
            name=name,
            tenant=DEFAULT_TENANT,
            actor="cli",
            without_journal=without_journal,
            keep_api_keys=keep_api_keys,
            keep_device_keys=keep_device_keys,
            progress=show,
        )
    if as_json:
        print_json(
            {
                "data": done.data,
                "keys": done.keys,
                "erasures_replayed": done.replayed,
                "keys_destroyed_again": done.keys_destroyed,
                "references_unreadable": done.unreadable,
                "sessions_ended": done.settled.sessions,
                "accounts_waiting": done.settled.accounts,
                "api_keys_revoked": done.settled.api_keys,
                "device_keys_unbound": done.settled.device_keys,
            }
        )
        return
    console().print(f"data  {done.data or 'kept what was there'}", markup=False)
    console().print(f"keys  {done.keys or 'kept what was there'}", markup=False)
    note(f"{done.replayed:,} erasures replayed; {done.keys_destroyed:,} data keys destroyed again.")
    if done.unreadable:
        note(f"{done.unreadable:,} references are sealed under keys that are gone: these people enrol again.")
    if done.settled.api_keys:
        note(f"{done.settled.api_keys} API keys revoked. Make new ones: faceauth apikey create --role application")
    if done.settled.device_keys:
        note(f"{done.settled.device_keys:,} device keys are bound no more: their owners bind them again.")
    note("Next: faceauth doctor, then faceauth serve. Publish again what notices were published since the backup.")


@contextmanager
def restore_of(settings: Settings, clock: Clock = system_clock) -> Iterator[tuple[Restore, Signer]]:
    """Give what restores the databases of these settings, and what checks its manifests; no model is needed.

    Raises:
        KeyringMissing: There is no keyring; without it nothing sealed opens.
    """
    place = keyring_place(settings)
    data, keys = databases(settings)

    def new_id(prefix: str) -> str:
        return f"{prefix}_{os.urandom(16).hex()}"

    try:
        keyring = place.load()
        signer = Signer(keyring.signing_keys)
        audit = open_log(settings, keyring)
        watched = WatchedKeyring(place, expected_installation=keyring.installation_id)
        data_keys = DataKeys(keys, place.provider(watched), clock)
        journal = journal_of(settings, keys, keyring, clock)
        erasure = Erasure(
            data=data,
            keys=data_keys,
            index=ReferenceIndex(),
            journal=journal,
            signer=signer,
            audit=audit,
            clock=clock,
            new_id=new_id,
        )
        ledger = ConsentLedger(signer=signer, consent=settings.consent, clock=clock, new_id=new_id)
        yield (
            Restore(
                data=data,
                keys=keys,
                keyring=keyring,
                journal=journal,
                data_keys=data_keys,
                erasure=erasure,
                ledger=ledger,
                audit=audit,
                clock=clock,
                failures=NIST_PAD.free,
            ),
            signer,
        )
    finally:
        data.dispose()
        keys.dispose()
        place.close()
