"""`faceauth retention`: erase what may be kept no longer."""

from collections import Counter
from typing import Annotated

import typer

from faceauth.cli.console import Json, console, fail, note, print_json, progress_bar
from faceauth.consent.names import masked
from faceauth.installation import open_installation
from faceauth.retention import Retention
from faceauth.settings import load_settings

app = typer.Typer(help="Erase what may be kept no longer.", no_args_is_help=True)

WHY = {
    "scenario_retired": "its scenario was retired",
    "consent_expired": "the consent's time is over",
    "term_ended": "the scenario's term is over",
    "inactivity": "nobody used it",
}


@app.callback()
def group() -> None:
    """Erase what may be kept no longer."""


@app.command()
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what and why, and erase nothing.")] = False,
    as_json: Json = False,
) -> None:
    """End consents whose time is over, erase their faces, and delete old records of sessions."""
    installation = open_installation(load_settings(), fill=False)
    try:
        retention = Retention.of(installation)
        if dry_run:
            _plan(retention, as_json=as_json)
            return
        with progress_bar() as show:
            done = retention.run(lambda number, total: show("erasing", number, total))
    finally:
        installation.close()
    counts = Counter(one.clock for one in done.erased)
    if as_json:
        print_json({"erased": dict(counts), "failed": len(done.failed), "sessions": done.sessions})
    else:
        for clock, count in sorted(counts.items()):
            console().print(f"[green]✓[/] Erased: {count}, because {WHY[clock]}.")
        console().print(f"[green]✓[/] Old records of sessions deleted: {done.sessions}.")
    if done.failed:
        fail(f"{len(done.failed)} could not be erased; the log says why. Run it again, or: faceauth doctor")


def _plan(retention: Retention, *, as_json: bool) -> None:
    plan = retention.plan()
    if as_json:
        due = [
            {
                "tenant": one.tenant,
                "account": masked(one.account),
                "subject": retention.audit.pseudonym(one.tenant, one.account),
                "scenario": one.scenario,
                "reason": one.clock,
                "since": one.since.isoformat(timespec="seconds"),
            }
            for one in plan.due
        ]
        print_json({"due": due, "sessions": plan.sessions})
        return
    from rich.table import Table  # noqa: PLC0415  Rich is slow to import and --json can do without it

    table = Table(box=None, pad_edge=False)
    for heading in ("tenant", "account", "scenario", "because", "since"):
        table.add_column(heading)
    for one in plan.due:
        table.add_row(one.tenant, masked(one.account), one.scenario, WHY[one.clock], f"{one.since:%Y-%m-%d}")
    if plan.due:
        console().print(table)
    note(f"To erase: {len(plan.due)}. Old records of sessions to delete: {plan.sessions}. Nothing was done.")
