"""`faceauth init`: everything an installation needs, once. Run again, it changes nothing that is there."""

import os

from faceauth.audit.events import Event
from faceauth.cli.audit_log import open_log
from faceauth.cli.console import Json, console, note, print_json, progress_bar
from faceauth.clock import system_clock
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.embed.install import install, verify
from faceauth.identity.apikeys import ApiKeys, CreatedKey
from faceauth.installation import create_installation, databases, read_keyring
from faceauth.settings import Settings, load_settings


def init(as_json: Json = False) -> None:
    """Make data folder, keyring, database, model pack and the first API key, where they are missing."""
    settings = load_settings()
    create_installation(settings)
    installed = install_pack(settings)
    # Last, because it is shown only once: an init that fails before can be run again and still shows it.
    key = first_key(settings)
    if as_json:
        print_json(
            {
                "data_dir": str(settings.data_dir.absolute()),
                "keyring": str(settings.keyring_file.absolute()),
                "model_pack": settings.model_pack,
                "model_pack_installed_now": installed,
                "api_key": None if key is None else {"key_id": key.key_id, "secret": key.secret},
            }
        )
        return
    out = console()
    out.print(f"data folder  {settings.data_dir.absolute()}", markup=False)
    out.print(f"keyring      {settings.keyring_file.absolute()}", markup=False)
    out.print(f"model pack   {settings.model_pack}", markup=False)
    if key is not None:
        out.print(f"API key      {key.secret}", markup=False)
        note("The API key is shown this once. The application's backend sends it; keep it where secrets are kept.")
        note("Keep a copy of the keyring apart from backups of the data: without it nothing sealed opens.")
    note("Next: faceauth serve")


def install_pack(settings: Settings) -> bool:
    """Install the model pack of the settings unless it is there in full; say whether it had to be.

    Raises:
        ModelError: It cannot be had, or its licence must be accepted first.
    """
    pack, folder, manifest = settings.model_pack, settings.models_dir, settings.models_manifest
    if not verify(pack, folder, manifest):
        return False
    with progress_bar() as show:
        install(pack, folder, manifest=manifest, accept_licence=False, progress=show)
    return True


def first_key(settings: Settings) -> CreatedKey | None:
    """Make an application key if the first tenant has none yet; the secret is not to be had again."""
    keyring = read_keyring(settings)
    audit = open_log(settings, keyring)
    apikeys = ApiKeys(system_clock, os.urandom)
    data, keys = databases(settings)
    try:
        with data.begin() as conn:
            if apikeys.list(conn, DEFAULT_TENANT):
                return None
            audit.append(
                conn, Event.INSTALLATION_CREATED, tenant=DEFAULT_TENANT, account=None, actor="cli", details={}
            )
            key = apikeys.create(conn, tenant=DEFAULT_TENANT, role="application", label="made by faceauth init")
            audit.append(
                conn,
                Event.APIKEY_CREATED,
                tenant=DEFAULT_TENANT,
                account=None,
                actor="cli",
                details={"key_id": key.key_id, "role": "application"},
            )
        return key
    finally:
        data.dispose()
        keys.dispose()
