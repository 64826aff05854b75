"""`faceauth doctor` finds what is wrong and says what to do."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import Result

from faceauth.cli.checks import examine
from faceauth.cli.findings import Finding
from faceauth.settings import load_settings, setting_fields

Cli = Callable[..., Result]


@pytest.fixture
def healthy(cli: Cli, home: Path) -> Path:
    """An installation with nothing wrong."""
    assert cli("init").exit_code == 0
    return home


def problems(cli: Cli) -> dict[str, str]:
    """Run doctor and return what is wrong, by the check's name; the exit status must fit."""
    result = cli("doctor", "--json")
    told = json.loads(result.stdout)
    found = {one["name"]: one["line"] for one in told["findings"] if one["state"] == "problem"}
    assert told["ok"] is (not found)
    assert result.exit_code == (1 if found else 0)
    return found


def test_a_healthy_installation(cli: Cli, healthy: Path) -> None:
    assert problems(cli) == {}
    shown = cli("doctor")
    assert shown.exit_code == 0
    assert "✗" not in shown.stdout
    assert "Nothing is wrong" in shown.stdout


def test_it_shows_every_setting_and_hides_secrets(
    cli: Cli, healthy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEAUTH_DATABASE_URL", "postgresql+psycopg://me:hunter2@127.0.0.1:1/none")
    shown = cli("doctor").output + cli("doctor", "--json").output
    assert "hunter2" not in shown
    assert "FACEAUTH_DATABASE_URL = (hidden)" in shown
    assert all(name in shown for name, _ in setting_fields())


def test_before_init_it_says_to_run_it(cli: Cli, home: Path) -> None:
    found = problems(cli)
    assert {"data folder", "keyring", "database"} <= set(found)
    assert all("faceauth init" in line for line in found.values())


def test_an_altered_model_file(cli: Cli, healthy: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R22."""
    copy = healthy.with_name("models")
    shutil.copytree(models_dir / "open", copy / "open")
    victim = next((copy / "open").glob("*.onnx"))
    victim.write_bytes(victim.read_bytes() + b"\0")
    monkeypatch.setenv("FACEAUTH_MODELS_DIR", str(copy))
    assert "faceauth models install open" in problems(cli)["model pack"]


def test_an_accelerator_that_is_not_there(cli: Cli, healthy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service would not start; doctor says so before it is tried."""
    monkeypatch.setenv("FACEAUTH_INFERENCE__PROVIDER", "coreml")
    assert "FACEAUTH_INFERENCE__PROVIDER" in problems(cli)["provider"]


def test_a_missing_keyring(cli: Cli, healthy: Path) -> None:
    healthy.with_name("data.keyring").unlink()
    assert "no keyring" in problems(cli)["keyring"]


def test_a_keyring_that_others_can_read(cli: Cli, healthy: Path) -> None:
    healthy.with_name("data.keyring").chmod(0o644)
    assert "chmod 600" in problems(cli)["keyring"]


def test_a_keyring_of_another_installation(
    cli: Cli, healthy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEAUTH_DATA_DIR", str(tmp_path / "other"))
    cli("init")
    monkeypatch.setenv("FACEAUTH_DATA_DIR", str(healthy))
    monkeypatch.setenv("FACEAUTH_KEYS__FILE", str(tmp_path / "other.keyring"))
    assert "FACEAUTH_KEYS__FILE" in problems(cli)["installation"]


def test_a_database_of_a_newer_version(cli: Cli, healthy: Path) -> None:
    with sqlite3.connect(healthy / "faceauth.db") as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
    conn.close()
    assert "newer version" in problems(cli)["database"]


def test_a_file_that_is_no_database(cli: Cli, healthy: Path) -> None:
    (healthy / "faceauth.db").write_bytes(os.urandom(4096))
    assert "not a database" in problems(cli)["database"]


def test_an_unfinished_erasure(cli: Cli, healthy: Path) -> None:
    """R40: it is told until the next start has finished it."""
    with sqlite3.connect(healthy / "faceauth.db") as conn:
        conn.execute(
            "INSERT INTO tombstones (tombstone_id, tenant, account, reason, state, requested_at, doomed)"
            " VALUES ('t1', 'default', 'a', 'withdrawn', 'recorded', '2026-01-01 00:00:00', '{}')"
        )
    conn.close()
    assert "faceauth serve" in problems(cli)["erasures"]


def test_a_database_older_than_the_journal(cli: Cli, healthy: Path) -> None:
    """R43: put back by hand, it does not know what was erased."""
    with sqlite3.connect(healthy / "faceauth-keys.db") as conn:
        conn.execute(
            "INSERT INTO erasures (tombstone_id, tenant, account, reason, requested_at, data_keys)"
            " VALUES ('t1', 'default', 'a', 'withdrawn', '2026-01-01 00:00:00', '[]')"
        )
    conn.close()
    assert "faceauth restore" in problems(cli)["journal"]


def test_a_lost_journal(cli: Cli, healthy: Path) -> None:
    healthy.with_name("data.keyring.erasures").unlink()
    assert "faceauth serve" in problems(cli)["journal"]


def findings(year: int = 2100) -> Iterator[Finding]:
    return examine(load_settings(), lambda: datetime(year, 1, 1, tzinfo=UTC))


def test_a_clock_that_went_back(healthy: Path) -> None:
    assert [one.state for one in findings(2000) if one.name == "clock"] == ["problem"]
    assert [one.state for one in findings(2100) if one.name == "clock"] == ["ok"]


def test_warnings_are_no_failure(cli: Cli, healthy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    healthy.chmod(0o755)
    monkeypatch.setenv("FACEAUTH_MODLE_PACK", "open")
    warned = {one.name: one.line for one in findings() if one.state == "warning"}
    assert "chmod 700" in warned["data folder"]
    assert "Did you mean FACEAUTH_MODEL_PACK?" in warned["settings"]
    assert problems(cli) == {}


def test_a_keyring_inside_the_data_folder(healthy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    healthy.with_name("data.keyring").rename(healthy / "keyring")
    monkeypatch.setenv("FACEAUTH_KEYS__FILE", str(healthy / "keyring"))
    assert [one.state for one in findings() if one.name == "keyring"] == ["warning"]


def test_little_space_is_told(healthy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faceauth.cli.checks.LITTLE_SPACE", 10**30)
    assert [one.state for one in findings() if one.name == "disk"] == ["warning"]


def test_what_consent_records_leave_out_is_told(cli: Cli, healthy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R28: who decides and whose law applies is the operator's to say."""
    told = [("CONTROLLER", "Shop Ltd"), ("CONTROLLER_CONTACT", "privacy@shop.example"), ("JURISDICTION", "DE")]
    for name, value in told:
        (found,) = [one for one in findings() if one.name == "receipts"]
        assert found.state == "warning"
        assert f"FACEAUTH_CONSENT__{name})" in found.line
        monkeypatch.setenv(f"FACEAUTH_CONSENT__{name}", value)
    (found,) = [one for one in findings() if one.name == "receipts"]
    assert found.state == "ok"


@pytest.mark.parametrize(
    ("setting", "what"), [("CONTROLLER", "the controller"), ("STORAGE_PLACE", "the storage place")]
)
def test_settings_that_changed_behind_a_notice_are_told(
    cli: Cli, healthy: Path, monkeypatch: pytest.MonkeyPatch, setting: str, what: str
) -> None:
    """R34: people agreed to somebody, and to a place."""
    monkeypatch.setenv(f"FACEAUTH_CONSENT__{setting}", "Somebody or somewhere else")
    told = json.loads(cli("doctor", "--json").stdout)["findings"]
    (found,) = [one for one in told if one["name"] == "notices"]
    assert found["state"] == "warning"
    assert f"change {what}" in found["line"]
    assert "login" in found["line"]
