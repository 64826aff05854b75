"""`faceauth keys`: how the key-encryption keys stand, and their rotation."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from faceauth.cli.approvals import By, named, say_waits, told
from faceauth.cli.audit_log import open_log
from faceauth.cli.console import Json, console, fail, note, print_json, progress_bar
from faceauth.clock import system_clock
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.db.upgrade import check
from faceauth.identity.approvals import Approvals
from faceauth.installation import databases, keyring_place
from faceauth.settings import Settings, load_settings
from faceauth.two_people import destroy_key
from faceauth.vault.destruction import Destruction
from faceauth.vault.rotation import Rotation
from faceauth.vault.signing_rotation import SigningRotation

app = typer.Typer(help="Say how the key-encryption keys stand, rotate and destroy them.", no_args_is_help=True)


@app.command()
def status(as_json: Json = False) -> None:
    """Say where the keyring is, whose it is and which versions it holds; never a key."""
    settings = load_settings()
    file = settings.keyring_file.absolute()
    place = keyring_place(settings)
    try:
        keyring = place.load()
        versions = place.versions(keyring)
    finally:
        place.close()
    shown: dict[str, object] = {
        "provider": settings.keys.provider,
        "file": str(file),
        "mode": f"{stat.S_IMODE(file.stat().st_mode):04o}",
        "installation": keyring.installation_id,
        "created_at": keyring.created_at.isoformat(timespec="seconds"),
        "active_version": keyring.active,
        "minimum_version": keyring.minimum,
        "versions": list(versions),
        "destroyed": list(keyring.destroyed),
        "rotating": keyring.rotating,
        "data_keys": _counts(settings),
        "signing_keys": [key.kid for key in keyring.signing_keys],
    }
    if as_json:
        print_json(shown)
        return
    out = console()
    for name, value in shown.items():
        out.print(f"{name.replace('_', ' '):<16} {_shown(value)}", markup=False)
    if keyring.rotating:
        note("A rotation was begun and is not finished. To go on: faceauth keys rotate")


@app.command()
def rotate(
    retire: Annotated[
        bool, typer.Option("--retire", help="Then refuse data keys that are wrapped under older versions.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a new version and wrap every data key under it; no template is opened. Run again, it goes on."""
    settings = load_settings()
    with _rotation(settings) as rotation, progress_bar() as show:
        done = rotation.rotate(
            tenant=DEFAULT_TENANT,
            actor="cli",
            retire=retire,
            progress=lambda wrapped, total: show("wrapping", wrapped, total),
        )
    if as_json:
        print_json(
            {
                "version": done.version,
                "minimum": done.minimum,
                "rewrapped": done.rewrapped,
                "resumed": done.resumed,
                "unreadable": list(done.unreadable),
            }
        )
    else:
        went = "An interrupted rotation was finished. " if done.resumed else ""
        note(
            f"{went}Version {done.version} is active, the minimum is {done.minimum}; {done.rewrapped:,} rewrapped."
        )
        note(f"Now make a new copy of {settings.keyring_file.absolute()}: older copies do not open what is new.")
    if done.unreadable:
        some = ", ".join(done.unreadable[:3]) + (" …" if len(done.unreadable) > 3 else "")
        kept = f" The minimum stays {done.minimum}." if retire else ""
        fail(
            f"{len(done.unreadable)} data keys do not open and were left as they are ({some}).{kept} Restore the "
            "key database, or delete these people's references; then run it again."
        )


@app.command()
def destroy(
    version: Annotated[int, typer.Argument(help="The version, as told by faceauth keys status.", min=1)],
    by: By,
    as_json: Json = False,
) -> None:
    """Destroy the oldest version, under which no data key is wrapped; two people, so ask, and run it again."""
    settings, actor = load_settings(), named(by)
    place = keyring_place(settings)
    data, keys = databases(settings)
    try:
        keyring = place.load()
        check(data, keys)
        audit = open_log(settings, keyring)
        done = destroy_key(
            version,
            data=data,
            approvals=Approvals(audit, system_clock),
            destruction=Destruction(place=place, data=data, keys=keys, audit=audit),
            tenant=DEFAULT_TENANT,
            actor=actor,
        )
    finally:
        data.dispose()
        keys.dispose()
        place.close()
    if as_json:
        print_json({"version": version, "destroyed": done.told is not None, **told(done.approval)})
    elif done.told is None:
        say_waits(done.approval)
    else:
        note(f"Version {version} is destroyed. {done.told}")


@app.command(name="rotate-signing")
def rotate_signing(
    distrust: Annotated[
        bool, typer.Option("--distrust", help="Take the older keys out of the published set: one may be stolen.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Sign tokens and receipts with a new key; the old one's private part is destroyed, and it only checks."""
    settings = load_settings()
    place = keyring_place(settings)
    data, keys = databases(settings)
    try:
        audit = open_log(settings, place.load())
        check(data, keys)
        rotation = SigningRotation(place=place, data=data, keys=keys, audit=audit)
        done = rotation.rotate(tenant=DEFAULT_TENANT, actor="cli", distrust=distrust)
    finally:
        data.dispose()
        keys.dispose()
        place.close()
    if as_json:
        print_json({"signing": done.signing, "checking": list(done.checking)})
        return
    note(f"The key {done.signing} signs from now on. Older keys that still check: {len(done.checking)}.")
    note(f"Now make a new copy of {settings.keyring_file.absolute()}: older copies do not hold the key.")


def _counts(settings: Settings) -> dict[str, int] | None:
    """Return how many data keys each version wraps, or None where there is no database yet."""
    data, keys = databases(settings)
    missing = not (data.exists() and keys.exists())
    data.dispose()
    keys.dispose()
    if missing:
        return None
    with _rotation(settings) as rotation:
        return {str(version): count for version, count in rotation.status().counts.items()}


@contextmanager
def _rotation(settings: Settings) -> Iterator[Rotation]:
    place = keyring_place(settings)
    data, keys = databases(settings)
    try:
        keyring = place.load()
        check(data, keys)
        audit = open_log(settings, keyring)
        yield Rotation(place=place, data=data, keys=keys, audit=audit)
    finally:
        data.dispose()
        keys.dispose()
        place.close()


def _shown(value: object) -> object:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{count:,} under version {version}" for version, count in value.items()) or "none"
    if value is None:
        return "no database yet"
    return value if not isinstance(value, bool) else ("yes" if value else "no")
