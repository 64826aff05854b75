"""`faceauth keys`: how the key-encryption keys stand."""

import stat

import typer

from faceauth.cli.console import Json, console, print_json
from faceauth.settings import load_settings
from faceauth.vault.keyring import load_keyring

app = typer.Typer(help="Say how the key-encryption keys stand.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Say how the key-encryption keys stand."""


@app.command()
def status(as_json: Json = False) -> None:
    """Say where the keyring is, whose it is and which versions it holds; never a key."""
    settings = load_settings()
    file = settings.keyring_file.absolute()
    keyring = load_keyring(file)
    told = {
        "provider": settings.keys.provider,
        "file": str(file),
        "mode": f"{stat.S_IMODE(file.stat().st_mode):04o}",
        "installation": keyring.installation_id,
        "created_at": keyring.created_at.isoformat(timespec="seconds"),
        "active_version": keyring.active,
        "minimum_version": keyring.minimum,
        "versions": sorted(keyring.kek),
        "signing_keys": [key.kid for key in keyring.signing_keys],
    }
    if as_json:
        print_json(told)
        return
    out = console()
    for name, value in told.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        out.print(f"{name.replace('_', ' '):<16} {shown}", markup=False)
