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


def test_a_checkpoint_kept_elsewhere_convicts_a_rebuilt_log(cli: Cli, home: Path) -> None:
    """R51: whoever writes the whole log anew leaves nothing in the database that tells."""
    cli("init")
    kept = home / "kept.txt"
    told = json.loads(cli("audit", "checkpoint", "--out", str(kept), "--json").stdout)
    assert kept.read_text() == told["note"] == cli("audit", "checkpoint").stdout
    assert cli("audit", "verify", "--checkpoint", str(kept)).exit_code == 0
    assert cli("audit", "checkpoint", "--out", str(kept)).exit_code == 1

    with sqlite3.connect(home / "faceauth.db") as conn:
        conn.execute("DELETE FROM audit_log")
        conn.execute("DELETE FROM audit_checkpoints")
        conn.execute("UPDATE audit_head SET seq = 0, digest = zeroblob(32)")
    conn.close()
    cli("apikey", "create")
    assert cli("audit", "verify").exit_code == 0
    result = cli("audit", "verify", "--checkpoint", str(kept))
    assert result.exit_code == 1
    assert "written anew" in result.stderr or "altered" in result.stderr
    forged = home / "forged.txt"
    forged.write_text(kept.read_text().replace(f"\n{told['size']}\n", "\n9\n", 1))
    assert "no checkpoint" in cli("audit", "verify", "--checkpoint", str(forged)).stderr
    assert "cannot be read" in cli("audit", "verify", "--checkpoint", str(home / "none")).stderr


def approve(cli: Cli) -> None:
    """Approve what was asked for last, as another."""
    asked = json.loads(cli("approvals", "list", "--json").stdout)[0]["approval_id"]
    assert cli("approvals", "approve", asked, "--by", "ben").exit_code == 0


def test_everything_is_exported_by_two_people(cli: Cli, home: Path) -> None:
    """R52: once for each approval, and that it was is in the log."""
    cli("init")
    target, wanted = home / "log.jsonl", ("audit", "export", "--by", "anna")
    assert "nobody has asked" in cli(*wanted, "--dry-run").stderr
    assert "second person" in cli(*wanted, "--out", str(target)).stderr
    assert not target.exists()
    assert "is requested" in cli(*wanted, "--dry-run").stderr
    approve(cli)
    assert cli(*wanted, "--out", str(target)).exit_code == 0
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert cli(*wanted).stdout == "", "it counts once"
    approve(cli)
    again = [json.loads(line) for line in cli(*wanted).stdout.splitlines()]
    assert again[: len(lines)] == lines
    exported = [one["actor"] for one in again if one["event"] == "operator:audit:exported"]
    assert exported == ["cli:anna"]
    result = cli(*wanted, "--out", str(target))
    assert result.exit_code == 1
    assert "Name a file that is not there" in result.stderr


def test_records_go_to_the_second_place_too(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R49: and where it cannot be written, nothing is done."""
    monkeypatch.setenv("FACEAUTH_AUDIT__FILE", str(home / "second.jsonl"))
    cli("init")
    made = len((home / "second.jsonl").read_text().splitlines())
    assert made == json.loads(cli("audit", "verify", "--json").stdout)["records"]
    monkeypatch.setenv("FACEAUTH_AUDIT__FILE", str(home / "missing" / "second.jsonl"))
    result = cli("apikey", "create")
    assert result.exit_code == 1
    assert "nothing was done" in result.stderr
    monkeypatch.setenv("FACEAUTH_AUDIT__SYSLOG", "/dev/log")
    assert "AUDIT__SYSLOG" in cli("audit", "verify").stderr


def test_without_an_installation_it_says_how_to_make_one(cli: Cli, home: Path) -> None:
    result = cli("audit", "verify")
    assert result.exit_code == 1
    assert "faceauth init" in result.stderr
