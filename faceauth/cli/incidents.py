"""`faceauth incidents`: what the register holds, the clock of each, and the closing reports (R54)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer
from sqlalchemy import Connection

from faceauth.audit import register
from faceauth.audit.register import Incident
from faceauth.cli.console import Json, console, note, print_json
from faceauth.clock import system_clock
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.db.upgrade import check
from faceauth.errors import InvalidRequest
from faceauth.installation import databases
from faceauth.settings import load_settings

app = typer.Typer(help="List the register of incidents, and print closing reports.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The id, as listed.", metavar="ID")]


@app.command("list")
def list_incidents(as_json: Json = False) -> None:
    """List the incidents, the newest first, and until when the authority has to be told."""
    now = system_clock()
    with _read() as conn:
        found = register.every(conn, tenant=DEFAULT_TENANT)
    if as_json:
        print_json([_told(one, now) for one in found])
        return
    from rich.table import Table  # noqa: PLC0415  Rich is slow to import and --json can do without it

    table = Table(box=None, pad_edge=False)
    # An id that is cut short could not be asked for.
    table.add_column("incident", no_wrap=True, min_width=len(found[0].incident_id) if found else 0)
    for name in ("what", "risk", "state", "authority"):
        table.add_column(name, overflow="fold")
    for one in found:
        table.add_row(one.incident_id, one.title, one.risk, one.state, clock_of(one, now))
    console().print(table)


@app.command()
def report(incident_id: Id, as_json: Json = False) -> None:
    """Print the signed closing report of an incident."""
    with _read() as conn:
        found = register.get(conn, incident_id, tenant=DEFAULT_TENANT)
    if found.report is None:
        raise InvalidRequest(f"{incident_id} is open: its report is written when it is closed.")
    if as_json:
        print_json({"incident_id": incident_id, "report": found.report})
        return
    console().print(found.report, markup=False)
    note("A JWS: the keys that check it are at /oauth2/jwks.")


def clock_of(incident: Incident, now: datetime) -> str:
    """Say how the authority's 72 hours stand."""
    if incident.authority_at is not None:
        late = ", too late" if incident.authority_at > incident.due_at else ""
        return f"told {incident.authority_at:%Y-%m-%d %H:%M}{late}"
    if incident.risk == "none":
        return "need not be told"
    return f"{'OVERDUE since' if incident.overdue(now) else 'until'} {incident.due_at:%Y-%m-%d %H:%M} UTC"


def _told(one: Incident, now: datetime) -> dict[str, object]:
    return {
        "incident_id": one.incident_id,
        "title": one.title,
        "risk": one.risk,
        "state": one.state,
        "aware_at": one.aware_at.isoformat(),
        "due_at": one.due_at.isoformat(),
        "authority_at": None if one.authority_at is None else one.authority_at.isoformat(),
        "overdue": one.overdue(now),
        "closed_at": None if one.closed_at is None else one.closed_at.isoformat(),
    }


@contextmanager
def _read() -> Iterator[Connection]:
    data, keys = databases(load_settings())
    try:
        check(data, keys)
        with data.read() as conn:
            yield conn
    finally:
        data.dispose()
        keys.dispose()
