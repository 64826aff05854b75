"""`faceauth apikey`: who may call the service."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, cast

import typer
from rich.table import Table
from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.cli.audit_log import open_log
from faceauth.cli.console import Json, console, note, print_json
from faceauth.clock import system_clock
from faceauth.db.engine import Database
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.db.upgrade import check
from faceauth.errors import InvalidRequest
from faceauth.identity.apikeys import ROLES, ApiKeys, KeyInfo, Role
from faceauth.installation import databases, read_keyring
from faceauth.settings import Settings, load_settings
from faceauth.vault.keyring import bind_installation

app = typer.Typer(help="Create, list, rotate and revoke API keys.", no_args_is_help=True)


@app.command()
def create(
    role: Annotated[str, typer.Option(help=f"What the key may do: {', '.join(ROLES)}.")] = "application",
    label: Annotated[str, typer.Option(help="Whose key it is, for the list.")] = "",
    expires_days: Annotated[
        int | None,
        typer.Option("--expires-days", min=1, max=36_500, help="Days until it expires; never if left out."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key and show it, this once."""
    settings = load_settings()
    expires_at = None if expires_days is None else system_clock() + timedelta(days=expires_days)
    with _database(settings) as data, data.begin() as conn:
        made = _keys().create(
            # An unknown role is refused there, in one line.
            conn,
            tenant=DEFAULT_TENANT,
            role=cast("Role", role),
            label=label,
            expires_at=expires_at,
        )
        _audit(settings, conn).append(
            conn,
            Event.APIKEY_CREATED,
            tenant=DEFAULT_TENANT,
            account=None,
            actor="cli",
            details={"key_id": made.key_id, "role": role},
        )
    if as_json:
        print_json({"key_id": made.key_id, "secret": made.secret, "role": role, "expires_at": expires_at})
        return
    console().print(made.secret, markup=False)
    note(f"This is {made.key_id}, role {role}. It is shown this once; keep it where secrets are kept.")


@app.command("list")
def list_keys(as_json: Json = False) -> None:
    """List the keys: ids, roles and dates, never a secret."""
    with _database(load_settings()) as data, data.read() as conn:
        found = _keys().list(conn, DEFAULT_TENANT)
    if as_json:
        print_json([_told(key) for key in found])
        return
    table = Table(box=None, pad_edge=False)
    for name in ("key", "role", "label", "created", "expires", "revoked"):
        table.add_column(name)
    for key in found:
        dates = (key.created_at, key.expires_at, key.revoked_at)
        table.add_row(
            key.key_id, key.role, key.label, *("" if at is None else f"{at:%Y-%m-%d %H:%M}" for at in dates)
        )
    console().print(table)


@app.command()
def rotate(
    key_id: Annotated[str, typer.Argument(help="The id, as listed.")],
    overlap: Annotated[
        str,
        typer.Option("--overlap", help="How long both keys work: a number and m, h or d; 0m ends the old now."),
    ] = "24h",
    as_json: Json = False,
) -> None:
    """Make a key in another's place and show it, this once; the old one ends when the overlap is over."""
    settings, both = load_settings(), duration(overlap)
    with _database(settings) as data, data.begin() as conn:
        made, old = _keys().rotate(conn, key_id, overlap=both)
        _audit(settings, conn).append(
            conn,
            Event.APIKEY_ROTATED,
            tenant=old.tenant,
            account=None,
            actor="cli",
            details={"key_id": made.key_id, "role": old.role, "replaces": key_id},
        )
    if as_json:
        ends = None if old.expires_at is None else old.expires_at.isoformat()
        print_json(
            {"key_id": made.key_id, "secret": made.secret, "role": old.role, "old": key_id, "old_ends": ends}
        )
        return
    console().print(made.secret, markup=False)
    note(f"This is {made.key_id}, role {old.role}. It is shown this once; keep it where secrets are kept.")
    note(f"{key_id} opens nothing any more after {old.expires_at:%Y-%m-%d %H:%M} UTC.")


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="The id, as listed.")], as_json: Json = False) -> None:
    """Make a key worthless from now on."""
    settings = load_settings()
    with _database(settings) as data, data.begin() as conn:
        owner = _keys().revoke(conn, key_id)
        _audit(settings, conn).append(
            conn,
            Event.APIKEY_REVOKED,
            tenant=owner.tenant,
            account=None,
            actor="cli",
            details={"key_id": key_id, "role": owner.role},
        )
    if as_json:
        print_json({"key_id": key_id, "revoked": True})
        return
    note(f"{key_id} opens nothing any more.")


def duration(text: str) -> timedelta:
    """Return how long a text such as ``24h`` says.

    Raises:
        InvalidRequest: it is no number with m, h or d behind it.
    """
    found = re.fullmatch(r"(\d{1,5})([mhd])", text, re.ASCII)
    if found is None:
        raise InvalidRequest("Say how long with a number and m, h or d, such as 24h.")
    unit = {"m": "minutes", "h": "hours", "d": "days"}[found[2]]
    return timedelta(**{unit: int(found[1])})


def _keys() -> ApiKeys:
    return ApiKeys(system_clock, os.urandom)


def _audit(settings: Settings, conn: Connection) -> AuditLog:
    keyring = read_keyring(settings)
    # Another installation's keyring would write pseudonyms into this log that nobody can match again.
    bind_installation(conn, keyring)
    return open_log(settings, keyring)


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    data, keys = databases(settings)
    try:
        check(data, keys)
        yield data
    finally:
        data.dispose()
        keys.dispose()


def _told(key: KeyInfo) -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "role": key.role,
        "label": key.label,
        "created_at": key.created_at.isoformat(),
        "expires_at": None if key.expires_at is None else key.expires_at.isoformat(),
        "revoked_at": None if key.revoked_at is None else key.revoked_at.isoformat(),
    }
