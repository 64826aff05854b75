"""`faceauth campaign`: how far asking for consent again has come, and a round of it by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from faceauth.asking import Asking
from faceauth.cli.console import Json, console, fail, note, print_json, progress_bar
from faceauth.consent.campaigns import Campaign, CampaignStore, Progress
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.db.upgrade import check
from faceauth.installation import databases, open_installation
from faceauth.settings import load_settings

app = typer.Typer(help="Say how far campaigns for consent have come, and carry them on.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The id, as listed.", metavar="ID")]


@app.command("list")
def list_campaigns(as_json: Json = False) -> None:
    """List the campaigns, the newest first."""
    store = CampaignStore()
    with _read() as conn:
        found = [(one, store.standing(conn, one)) for one in store.list(conn, tenant=DEFAULT_TENANT)]
    if as_json:
        print_json([told(*one) for one in found])
        return
    from rich.table import Table  # noqa: PLC0415  Rich is slow to import and --json can do without it

    table = Table(box=None, pad_edge=False)
    # An id that is cut short could not be asked for.
    table.add_column("campaign", no_wrap=True, min_width=len(found[0][0].campaign_id) if found else 0)
    for name in ("scenario", "state", "asked", "given", "refused", "pending", "deadline", "then"):
        table.add_column(name, overflow="fold")
    for one, progress in found:
        counts = (f"{progress.asked:,} of {progress.chosen:,}", progress.given, progress.refused, progress.pending)
        table.add_row(
            one.campaign_id,
            one.scenario,
            one.state,
            *(count if isinstance(count, str) else f"{count:,}" for count in counts),
            f"{one.deadline:%Y-%m-%d}",
            one.on_deadline,
        )
    console().print(table)


@app.command()
def show(campaign_id: Id, as_json: Json = False) -> None:
    """Show one: whom it asks, how far it has come, and its report once it is closed."""
    store = CampaignStore()
    with _read() as conn:
        campaign = store.get(conn, campaign_id, tenant=DEFAULT_TENANT)
        progress = store.standing(conn, campaign)
    if as_json:
        print_json(told(campaign, progress))
        return
    out = console()
    out.print(f"[bold]{campaign.campaign_id}[/], {campaign.state}, begun by {campaign.created_by}")
    who = campaign.audience.to_json()
    out.print(f"asks about {campaign.scenario}, notice {campaign.notice_version}")
    out.print("of " + (", ".join(f"{name} {value}" for name, value in who.items()) or "all who agreed to it"))
    out.print(f"until {campaign.deadline:%Y-%m-%d %H:%M} UTC, then: {campaign.on_deadline}")
    width = 30
    for name, count in (*asdict(progress).items(), ("undelivered", (campaign.report or {}).get("undelivered", 0))):
        bar = "█" * round(width * count / max(progress.chosen, 1))
        out.print(f"{name:>12} {count:>9,} {bar}")


@app.command()
def run(as_json: Json = False) -> None:
    """Carry the open campaigns on once: ask, remind, and close those whose deadline is over."""
    installation = open_installation(load_settings(), fill=False)
    try:
        with progress_bar() as show_bar:
            done = Asking.of(installation).run(show_bar)
    finally:
        installation.close()
    if as_json:
        print_json(asdict(done))
    else:
        counts = {name: count for name, count in asdict(done).items() if name != "closed" and count}
        note(", ".join(f"{name}: {count:,}" for name, count in counts.items()) or "There was nobody to ask.")
        for campaign_id in done.closed:
            note(f"{campaign_id} is closed. See: faceauth campaign show {campaign_id}")
    if done.failed:
        fail(f"{done.failed} could not be erased; the log says why. Run it again, or: faceauth doctor")


def told(campaign: Campaign, progress: Progress) -> dict[str, Any]:
    """Return a campaign as JSON tells it."""
    return {
        "campaign_id": campaign.campaign_id,
        "scenario": campaign.scenario,
        "notice_version": campaign.notice_version,
        "audience": campaign.audience.to_json(),
        "deadline": campaign.deadline.isoformat(),
        "on_deadline": campaign.on_deadline,
        "remind_days": list(campaign.remind_days),
        "state": campaign.state,
        "created_by": campaign.created_by,
        "created_at": campaign.created_at.isoformat(),
        "closed_at": None if campaign.closed_at is None else campaign.closed_at.isoformat(),
        "progress": asdict(progress),
        "report": None if campaign.report is None else dict(campaign.report),
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
