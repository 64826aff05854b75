"""`faceauth client`: the software that may send people here to log in, over OpenID Connect."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.cli.audit_log import open_log
from faceauth.cli.console import Json, console, note, print_json
from faceauth.clock import system_clock
from faceauth.db.engine import Database
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.db.upgrade import check
from faceauth.installation import databases, read_keyring
from faceauth.oidc.clients import Client, ClientStore, CreatedClient
from faceauth.settings import Settings, load_settings
from faceauth.vault.keyring import bind_installation

app = typer.Typer(help="Register, list and revoke OpenID clients.", no_args_is_help=True)

ClientId = Annotated[str, typer.Argument(help="The client's id, as listed.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What people see it called.")],
    *,
    redirect: Annotated[list[str], typer.Option(help="Where people are sent back to; more than once if needed.")],
    logout: Annotated[list[str] | None, typer.Option(help="Where they may be sent after a logout.")] = None,
    scenario: Annotated[str, typer.Option(help="The purpose its people agree to.")] = "login",
    public: Annotated[bool, typer.Option("--public", help="It keeps no secret, as a page in a browser.")] = False,
    native: Annotated[bool, typer.Option("--native", help="An app: no secret, and addresses of its own.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="It may refresh what it was given.")] = False,
    as_json: Json = False,
) -> None:
    """Register a client and show its secret, this once."""
    settings = load_settings()
    with _database(settings) as data, data.begin() as conn:
        made = _clients().create(
            conn,
            tenant=DEFAULT_TENANT,
            name=name,
            scenario=scenario,
            redirect_uris=redirect,
            post_logout_redirect_uris=logout or (),
            public=public,
            native=native,
            offline=offline,
        )
        _record(settings, conn, Event.CLIENT_CREATED, made.client)
    _show(made, as_json=as_json)


@app.command("list")
def list_clients(as_json: Json = False) -> None:
    """List the clients: ids, names and addresses, never a secret."""
    with _database(load_settings()) as data, data.read() as conn:
        found = _clients().list(conn, DEFAULT_TENANT)
    if as_json:
        print_json([_told(one) for one in found])
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("client", no_wrap=True)
    for heading in ("name", "kind", "scenario", "sends people to", "revoked"):
        table.add_column(heading, overflow="fold")
    for one in found:
        revoked = "" if one.revoked_at is None else f"{one.revoked_at:%Y-%m-%d %H:%M}"
        table.add_row(one.client_id, one.name, _kind(one), one.scenario, " ".join(one.redirect_uris), revoked)
    console().print(table)


@app.command()
def rotate(client_id: ClientId, as_json: Json = False) -> None:
    """Give a client a new secret; the old one is worthless at once."""
    settings = load_settings()
    with _database(settings) as data, data.begin() as conn:
        made = _clients().rotate(conn, DEFAULT_TENANT, client_id)
        _record(settings, conn, Event.CLIENT_ROTATED, made.client)
    _show(made, as_json=as_json)


@app.command()
def revoke(client_id: ClientId, as_json: Json = False) -> None:
    """End a client, and everything it was given."""
    settings = load_settings()
    with _database(settings) as data, data.begin() as conn:
        client = _clients().revoke(conn, DEFAULT_TENANT, client_id)
        _record(settings, conn, Event.CLIENT_REVOKED, client)
    if as_json:
        print_json({"client_id": client_id, "revoked": True})
        return
    note(f"{client_id} may send nobody here any more, and what it was given is worthless.")


def _show(made: CreatedClient, *, as_json: bool) -> None:
    if as_json:
        print_json({**_told(made.client), "client_secret": made.secret})
        return
    console().print(made.client.client_id, markup=False)
    if made.secret is None:
        note("This is its id. It has no secret: PKCE proves that who began a login is who ends it.")
        return
    console().print(made.secret, markup=False)
    note("The first line is its id, the second its secret, shown this once; keep it where secrets are kept.")


def _kind(client: Client) -> str:
    if client.native:
        return "native"
    # A revoked one has no secret any more, and what it was is of no matter.
    return "" if client.revoked_at is not None else "public" if client.public else "confidential"


def _told(client: Client) -> dict[str, object]:
    return {
        "client_id": client.client_id,
        "name": client.name,
        "kind": _kind(client),
        "scenario": client.scenario,
        "redirect_uris": list(client.redirect_uris),
        "post_logout_redirect_uris": list(client.post_logout_redirect_uris),
        "offline": client.offline,
        "created_at": client.created_at.isoformat(),
        "revoked_at": None if client.revoked_at is None else client.revoked_at.isoformat(),
    }


def _clients() -> ClientStore:
    return ClientStore(system_clock, os.urandom)


def _record(settings: Settings, conn: Connection, event: Event, client: Client) -> None:
    keyring = read_keyring(settings)
    # Another installation's keyring would write pseudonyms into this log that nobody can match again.
    bind_installation(conn, keyring)
    open_log(settings, keyring).append(
        conn,
        event,
        tenant=client.tenant,
        account=None,
        actor="cli",
        details={"client_id": client.client_id, "scenario": client.scenario},
    )


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    data, keys = databases(settings)
    try:
        check(data, keys)
        yield data
    finally:
        data.dispose()
        keys.dispose()
