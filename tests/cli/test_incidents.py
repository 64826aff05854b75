"""`faceauth incidents` and what `faceauth doctor` says of the register (R54)."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import Result

from faceauth.audit import register
from faceauth.cli.watching import incidents
from faceauth.clock import system_clock
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.installation import create_installation, databases
from faceauth.settings import load_settings

Cli = Callable[..., Result]


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without models: the register needs none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACEAUTH_DATA_DIR", str(tmp_path / "data"))
    create_installation(load_settings())


def enter(name: str, *, hours_ago: float, report: str | None = None) -> None:
    now = system_clock()
    data, keys = databases(load_settings())
    with data.begin() as conn:
        register.add(
            conn,
            incident_id=name,
            tenant=DEFAULT_TENANT,
            title="A disk was lost",
            nature="n",
            consequences="",
            measures="",
            risk="risk",
            scope={},
            state="open",
            aware_at=now - timedelta(hours=hours_ago),
            created_by="test",
            created_at=now,
        )
        if report is not None:
            told = {"authority_at": now, "state": "closed", "closed_at": now, "report": report}
            assert register.change(conn, name, **told)
    data.dispose()
    keys.dispose()


def test_the_list_says_how_the_clock_stands(cli: Cli) -> None:
    enter("incident_new", hours_ago=1)
    enter("incident_old", hours_ago=73)
    enter("incident_shut", hours_ago=100, report="a.b.c")
    listed = {one["incident_id"]: one for one in json.loads(cli("incidents", "list", "--json").stdout)}
    assert {name: one["overdue"] for name, one in listed.items()} == {
        "incident_new": False,
        "incident_old": True,
        "incident_shut": False,
    }
    shown = cli("incidents", "list").stdout
    assert shown.index("incident_new") < shown.index("incident_old")
    assert "OVERDUE" in shown
    assert "too late" in shown


def test_the_report_is_the_whole_output(cli: Cli) -> None:
    enter("incident_shut", hours_ago=1, report="a.b.c")
    enter("incident_open", hours_ago=1)
    assert cli("incidents", "report", "incident_shut").stdout == "a.b.c\n"
    for name in ("incident_open", "incident_none"):
        refused = cli("incidents", "report", name)
        assert refused.exit_code == 1
        assert name in refused.stderr


@pytest.mark.parametrize(("hours", "state"), [(1, "warning"), (73, "problem")])
def test_doctor_tells_what_waits(hours: float, state: str) -> None:
    """R54: overdue is a problem, so doctor fails."""
    enter("incident_one", hours_ago=hours)
    data, keys = databases(load_settings())
    try:
        finding = incidents(data, system_clock())
        assert finding.state == state
        assert "incident_one" in finding.line
    finally:
        data.dispose()
        keys.dispose()
