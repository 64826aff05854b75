"""`faceauth webhook`: where messages to applications go, and what became of them."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Annotated, Any, cast

import typer
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
from faceauth.installation import databases, read_keyring
from faceauth.outbox.delivery import Delivery
from faceauth.outbox.endpoints import Endpoint, Endpoints
from faceauth.outbox.messages import Message, Outbox, State
from faceauth.outbox.sending import Sender
from faceauth.outbox.signing import endpoint_secret, secret_text
from faceauth.outbox.targets import read_target
from faceauth.settings import Settings, load_settings
from faceauth.vault.keyring import bind_installation

app = typer.Typer(
    help="Add and remove webhook endpoints; list, deliver and replay messages.", no_args_is_help=True
)

Id = Annotated[str, typer.Argument(help="The endpoint's id, as listed.", metavar="ID")]
STATES = ("pending", "delivered", "dead")


@dataclass(frozen=True, slots=True)
class Opened:
    """What commands work with."""

    settings: Settings
    data: Database
    audit: AuditLog
    key: bytes

    def note(self, conn: Connection, event: Event, **details: str | int) -> None:
        """Audit an act."""
        self.audit.append(conn, event, tenant=DEFAULT_TENANT, account=None, actor="cli", details=details)

    def secret(self, endpoint: Endpoint) -> str:
        """Return an endpoint's secret as receivers take it."""
        made = endpoint_secret(self.key, endpoint_id=endpoint.endpoint_id, salt=endpoint.salt)
        return secret_text(made)


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Where messages are posted, such as https://app.example/hook.")],
    as_json: Json = False,
) -> None:
    """Add an endpoint and show its secret, this once. Every message from now on goes there."""
    with _opened() as here:
        read_target(url, here.settings.webhooks)
        with here.data.begin() as conn:
            endpoint = Endpoints().add(
                conn,
                endpoint_id=f"endpoint_{os.urandom(8).hex()}",
                tenant=DEFAULT_TENANT,
                url=url,
                salt=os.urandom(32),
                now=system_clock(),
            )
            here.note(conn, Event.WEBHOOK_ADDED, endpoint_id=endpoint.endpoint_id)
        _show_secret(here, endpoint, as_json=as_json)


@app.command("list")
def list_endpoints(as_json: Json = False) -> None:
    """List the endpoints, and how many messages wait, were delivered and were given up."""
    with _opened() as here, here.data.read() as conn:
        found = Endpoints().list(conn, tenant=DEFAULT_TENANT)
        counts = Outbox().counts(conn, tenant=DEFAULT_TENANT)
    if as_json:
        endpoints = [
            {"endpoint_id": one.endpoint_id, "url": one.url, "created_at": one.created_at.isoformat()}
            for one in found
        ]
        print_json({"endpoints": endpoints, "messages": counts})
        return
    _table(
        ("endpoint", "url", "added"),
        [(one.endpoint_id, one.url, f"{one.created_at:%Y-%m-%d %H:%M} UTC") for one in found],
    )
    note("Messages: " + ", ".join(f"{state} {count:,}" for state, count in counts.items()) + ".")


@app.command()
def rotate(
    endpoint_id: Id,
    overlap: Annotated[
        int, typer.Option("--overlap", min=0, max=720, help="Hours in which the old secret signs as well.")
    ] = 24,
    as_json: Json = False,
) -> None:
    """Give an endpoint another secret and show it, this once."""
    with _opened() as here:
        with here.data.begin() as conn:
            until = system_clock() + timedelta(hours=overlap)
            endpoint = Endpoints().rotate(
                conn, endpoint_id, tenant=DEFAULT_TENANT, salt=os.urandom(32), until=until
            )
            here.note(conn, Event.WEBHOOK_ROTATED, endpoint_id=endpoint_id)
        _show_secret(here, endpoint, as_json=as_json)


@app.command()
def remove(endpoint_id: Id, as_json: Json = False) -> None:
    """Send nothing to an endpoint any more, and drop what it has not got."""
    with _opened() as here, here.data.begin() as conn:
        Endpoints().remove(conn, endpoint_id, tenant=DEFAULT_TENANT, now=system_clock())
        dropped = Outbox().drop(conn, endpoint_id=endpoint_id)
        here.note(conn, Event.WEBHOOK_REMOVED, endpoint_id=endpoint_id, count=dropped)
    if as_json:
        print_json({"endpoint_id": endpoint_id, "dropped": dropped})
        return
    note(f"{endpoint_id} is removed; {dropped:,} messages that it had not got are dropped.")


@app.command()
def messages(
    state: Annotated[str, typer.Option("--state", help=f"Only these: {', '.join(STATES)}.")] = "",
    most: Annotated[int, typer.Option("--most", min=1, max=10_000, help="How many at most.")] = 50,
    as_json: Json = False,
) -> None:
    """List messages, the newest first: how often they were tried, and what was wrong."""
    if state and state not in STATES:
        raise InvalidRequest(f"--state takes one of: {', '.join(STATES)}.")
    with _opened() as here, here.data.read() as conn:
        found = Outbox().list(
            conn, tenant=DEFAULT_TENANT, state=cast("State", state) if state else None, most=most
        )
    if as_json:
        print_json([_told(one) for one in found])
        return
    rows = []
    for one in found:
        due = f"{one.due_at:%Y-%m-%d %H:%M}" if one.state == "pending" else ""
        rows.append(
            (one.message_id, one.kind, one.state, str(one.tries), " ".join(filter(None, (one.problem, due))))
        )
    _table(("message", "what", "state", "tries", "problem, or when due (UTC)"), rows)


@app.command()
def replay(
    message_id: Annotated[
        str | None, typer.Argument(help="One message, as listed; every dead one if left out.", metavar="ID")
    ] = None,
    as_json: Json = False,
) -> None:
    """Try messages again that were given up, or one that a receiver has lost, under the same ids."""
    with _opened() as here, here.data.begin() as conn:
        count = Outbox().replay(conn, tenant=DEFAULT_TENANT, message_id=message_id, now=system_clock())
        if count:
            here.note(conn, Event.WEBHOOK_REPLAYED, count=count)
    if as_json:
        print_json({"replayed": count})
        return
    note(f"{count:,} to be delivered again, by the service or by: faceauth webhook deliver")


@app.command()
def deliver(as_json: Json = False) -> None:
    """Deliver what is due now, as the service does while it runs."""
    with _opened() as here:
        webhooks = here.settings.webhooks
        sent = Delivery(
            data=here.data, key=here.key, sender=Sender(webhooks), settings=webhooks, clock=system_clock
        ).run()
    if as_json:
        print_json(asdict(sent))
        return
    note(f"Delivered: {sent.delivered:,}. To be tried again: {sent.again:,}. Given up: {sent.dead:,}.")


def _show_secret(here: Opened, endpoint: Endpoint, *, as_json: bool) -> None:
    if as_json:
        print_json({"endpoint_id": endpoint.endpoint_id, "url": endpoint.url, "secret": here.secret(endpoint)})
        return
    console().print(here.secret(endpoint), markup=False)
    note(f"This signs for {endpoint.endpoint_id}. It is shown this once; keep it where secrets are kept.")


def _told(one: Message) -> dict[str, Any]:
    return {
        "message_id": one.message_id,
        "endpoint_id": one.endpoint_id,
        "kind": one.kind,
        "state": one.state,
        "tries": one.tries,
        "problem": one.problem,
        "due_at": one.due_at.isoformat(),
        "created_at": one.created_at.isoformat(),
    }


def _table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich.table import Table  # noqa: PLC0415  Rich is slow to import and --json can do without it

    table = Table(box=None, pad_edge=False)
    # An id that is cut short could not be asked for.
    table.add_column(headings[0], no_wrap=True, min_width=max((len(row[0]) for row in rows), default=0))
    for heading in headings[1:]:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console().print(table)


@contextmanager
def _opened() -> Iterator[Opened]:
    settings = load_settings()
    keyring = read_keyring(settings)
    data, keys = databases(settings)
    try:
        check(data, keys)
        with data.begin() as conn:
            bind_installation(conn, keyring)
        yield Opened(settings, data, open_log(settings, keyring), keyring.pseudonym_key)
    finally:
        data.dispose()
        keys.dispose()
