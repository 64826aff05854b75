"""`faceauth approvals`: what waits for a second person, and that person's answer."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from sqlalchemy import Connection

from faceauth.cli.audit_log import open_log
from faceauth.cli.console import Json, console, note, print_json
from faceauth.clock import system_clock
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.db.upgrade import check
from faceauth.errors import InvalidRequest
from faceauth.identity.approvals import Approval, Approvals
from faceauth.installation import databases, read_keyring
from faceauth.settings import load_settings
from faceauth.vault.keyring import bind_installation

app = typer.Typer(help="List, approve and refuse what takes two people.", no_args_is_help=True)

By = Annotated[
    str,
    typer.Option("--by", help="Who you are, for the audit log: letters, digits, dots, dashes.", metavar="NAME"),
]
Id = Annotated[str, typer.Argument(help="The id, as listed.", metavar="ID")]


def named(by: str) -> str:
    """Return how the audit log names a person at the command line.

    Raises:
        InvalidRequest: If the name holds what the log does not take.
    """
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,50}", by, re.ASCII):
        raise InvalidRequest("--by takes a name of letters, digits, dots and dashes, up to 50 of them.")
    return f"cli:{by}"


def say_waits(found: Approval) -> None:
    """Say that an act waits for a second person, and what to type."""
    name = found.approval_id
    note(f"Asked for, as {name}. A second person: faceauth approvals approve {name} --by NAME")
    note("Then run this again.")


@app.command("list")
def list_approvals(as_json: Json = False) -> None:
    """List what was asked for, the newest first, and what became of it."""
    with _transaction() as (conn, approvals):
        found = approvals.list(conn, tenant=DEFAULT_TENANT)
    if as_json:
        print_json([told(one) for one in found])
        return
    from rich.table import Table  # noqa: PLC0415  Rich is slow to import and --json can do without it

    table = Table(box=None, pad_edge=False)
    # An id that is cut short could not be answered.
    table.add_column("approval", no_wrap=True, min_width=len(found[0].approval_id) if found else 0)
    for name in ("what", "state", "asked by", "answered by", "until"):
        table.add_column(name, overflow="fold")
    for one in found:
        what = " ".join([one.kind, *(f"{name}={value}" for name, value in one.details.items())])
        who = (one.requested_by, one.decided_by or "")
        table.add_row(one.approval_id, what, one.state, *who, f"{one.expires_at:%Y-%m-%d %H:%M} UTC")
    console().print(table)


@app.command()
def approve(approval_id: Id, by: By, as_json: Json = False) -> None:
    """Approve what another asked for; it is then done by whoever runs its command again."""
    with _transaction() as (conn, approvals):
        found = approvals.approve(conn, approval_id, tenant=DEFAULT_TENANT, actor=named(by))
    if as_json:
        print_json(told(found))
        return
    note(f"{approval_id} is approved until {found.expires_at:%Y-%m-%d %H:%M} UTC: run the command again to do it.")


@app.command()
def reject(approval_id: Id, by: By, as_json: Json = False) -> None:
    """Refuse what was asked for, by another or by yourself."""
    with _transaction() as (conn, approvals):
        found = approvals.reject(conn, approval_id, tenant=DEFAULT_TENANT, actor=named(by))
    if as_json:
        print_json(told(found))
        return
    note(f"{approval_id} is refused; nothing was done.")


def told(one: Approval) -> dict[str, object]:
    """Return an approval as JSON tells it."""
    return {
        "approval_id": one.approval_id,
        "kind": one.kind,
        "details": dict(one.details),
        "state": one.state,
        "requested_by": one.requested_by,
        "requested_at": one.requested_at.isoformat(),
        "expires_at": one.expires_at.isoformat(),
        "decided_by": one.decided_by,
    }


@contextmanager
def _transaction() -> Iterator[tuple[Connection, Approvals]]:
    settings = load_settings()
    keyring = read_keyring(settings)
    data, keys = databases(settings)
    try:
        check(data, keys)
        audit = open_log(settings, keyring)
        with data.begin() as conn:
            bind_installation(conn, keyring)
            yield conn, Approvals(audit, system_clock)
    finally:
        data.dispose()
        keys.dispose()
