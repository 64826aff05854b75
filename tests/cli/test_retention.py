"""`faceauth retention run`: what, why, and only when asked."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import Result

from faceauth.audit.log import AuditLog
from faceauth.cli import retention as command
from faceauth.clock import system_clock
from faceauth.consent.terms import Due
from faceauth.retention import Done, Plan, Retention

Cli = Callable[..., Result]

DUE = Due("default", "anna", "login", "inactivity", datetime(2026, 3, 1, tzinfo=UTC) - timedelta(days=2))


@pytest.fixture
def something_due(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An installation with one face to erase; returns what was called."""
    cli("init")
    called: list[str] = []

    def run(_: Retention, progress: Callable[[int, int], None]) -> Done:
        called.append("run")
        progress(1, 1)
        return Done(erased=[DUE], sessions=3)

    class Opened:
        def close(self) -> None:
            called.append("close")

    monkeypatch.setattr(command, "open_installation", lambda *_, **__: Opened())
    made = object.__new__(Retention)
    object.__setattr__(made, "audit", AuditLog(pseudonym_key=b"k" * 32, clock=system_clock))
    monkeypatch.setattr(Retention, "of", classmethod(lambda *_: made))
    monkeypatch.setattr(Retention, "plan", lambda _: Plan((DUE,), 3))
    monkeypatch.setattr(Retention, "run", run)
    return called


def test_a_dry_run_lists_what_and_why(cli: Cli, something_due: list[str]) -> None:
    """R39: and erases nothing."""
    shown = cli("retention", "run", "--dry-run")
    assert shown.exit_code == 0
    assert "anna" not in shown.stdout, "names are shown in disguise"
    for word in ("a***", "login", "nobody used it", "2026-02-27"):
        assert word in shown.stdout
    assert "Nothing was done" in shown.stderr
    told = json.loads(cli("retention", "run", "--dry-run", "--json").stdout)
    assert told["due"][0]["reason"] == "inactivity"
    assert (told["due"][0]["account"], len(told["due"][0]["subject"])) == ("a***", 64)
    assert told["sessions"] == 3
    assert "run" not in something_due


def test_a_run_says_what_it_did(cli: Cli, something_due: list[str]) -> None:
    shown = cli("retention", "run")
    assert shown.exit_code == 0
    assert "Erased: 1, because nobody used it." in shown.stdout
    told = json.loads(cli("retention", "run", "--json").stdout)
    assert told == {"erased": {"inactivity": 1}, "failed": 0, "sessions": 3}
    assert something_due == ["run", "close"] * 2


def test_what_could_not_be_erased_is_a_failure(
    cli: Cli, something_due: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Retention, "run", lambda *_: Done(failed=[DUE]))
    result = cli("retention", "run")
    assert result.exit_code == 1
    assert "faceauth doctor" in result.stderr
