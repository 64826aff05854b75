"""`faceauth audit verify` walks the chain."""

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Cli = Callable[..., Result]


def test_a_whole_chain_is_found_whole(cli: Cli, home: Path) -> None:
    cli("init")
    told = json.loads(cli("audit", "verify", "--json").stdout)
    assert told["intact"] is True
    assert told["records"] >= 1
    assert "Each one fits" in cli("audit", "verify").stdout


def test_an_altered_record_is_found(cli: Cli, home: Path) -> None:
    """R51: here an edit; tests/audit holds the other kinds."""
    cli("init")
    with sqlite3.connect(home / "faceauth.db") as conn:
        conn.execute("UPDATE audit_log SET actor = 'somebody' WHERE seq = 1")
    conn.close()
    result = cli("audit", "verify")
    assert result.exit_code == 1
    assert "Record 1 of the audit log" in result.stderr
    as_json = cli("audit", "verify", "--json")
    assert as_json.exit_code == 1
    told = json.loads(as_json.stdout)
    assert (told["intact"], told["first_bad"]) == (False, 1)


def test_a_read_only_copy_can_be_verified(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An auditor's copy; root may write anywhere, so the system's answer is replaced."""
    cli("init")
    monkeypatch.setattr(os, "access", lambda _path, mode: not mode & os.W_OK)
    assert cli("apikey", "create").exit_code == 1
    assert cli("audit", "verify").exit_code == 0


def test_without_an_installation_it_says_how_to_make_one(cli: Cli, home: Path) -> None:
    result = cli("audit", "verify")
    assert result.exit_code == 1
    assert "faceauth init" in result.stderr
