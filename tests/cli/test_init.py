"""`faceauth init` makes everything once, and changes nothing when run again."""

import hashlib
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from faceauth.audit.events import Event
from faceauth.cli.audit_log import open_log
from faceauth.clock import system_clock
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.identity.apikeys import ApiKeys
from faceauth.installation import databases, read_keyring
from faceauth.settings import load_settings

Cli = Callable[..., Result]


def test_it_makes_everything_and_shows_the_key_once(cli: Cli, home: Path) -> None:
    told = json.loads(cli("init", "--json").stdout)
    assert told["data_dir"] == str(home)
    assert told["keyring"] == str(home) + ".keyring"
    assert told["api_key"]["secret"].startswith("fa_")
    assert stat.S_IMODE(Path(told["keyring"]).stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    again = json.loads(cli("init", "--json").stdout)
    assert again["api_key"] is None


def test_the_audit_log_begins_with_it(cli: Cli, home: Path) -> None:
    """R49; what is done again and changes nothing is not told again."""
    cli("init")
    cli("init")
    settings = load_settings()
    data, keys = databases(settings)
    try:
        with data.read() as conn:
            told = [one.event for one in open_log(settings, read_keyring(settings)).records(conn, limit=10)]
    finally:
        data.dispose()
        keys.dispose()
    assert sorted(told) == sorted([Event.INSTALLATION_CREATED, Event.APIKEY_CREATED])


def test_the_key_works_and_only_its_digest_is_stored(cli: Cli, home: Path) -> None:
    secret = json.loads(cli("init", "--json").stdout)["api_key"]["secret"]
    data, keys = databases(load_settings())
    try:
        with data.read() as conn:
            caller = ApiKeys(system_clock, bytes).authenticate(conn, secret)
        data.truncate_wal()
    finally:
        data.dispose()
        keys.dispose()
    assert (caller.tenant, caller.role) == (DEFAULT_TENANT, "application")
    stored = b"".join(path.read_bytes() for path in home.iterdir())
    assert secret.encode() not in stored
    assert hashlib.sha256(secret.encode()).digest() in stored


def test_a_second_run_leaves_the_keyring_and_the_data(cli: Cli, home: Path) -> None:
    cli("init")
    keyring = home.with_name("data.keyring").read_bytes()
    assert cli("init").exit_code == 0
    assert home.with_name("data.keyring").read_bytes() == keyring


def test_it_tells_people_what_to_keep(cli: Cli, home: Path) -> None:
    result = cli("init")
    assert result.exit_code == 0
    assert "fa_" in result.stdout
    assert "shown this once" in result.stderr
    assert "faceauth serve" in result.stderr


def test_a_lost_keyring_is_not_replaced(cli: Cli, home: Path) -> None:
    cli("init")
    home.with_name("data.keyring").unlink()
    result = cli("init")
    assert result.exit_code == 1
    assert "no keyring" in result.stderr
    assert not home.with_name("data.keyring").exists()


def test_a_data_folder_that_cannot_be_made_is_told(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.write_text("a file where the folder should be", encoding="utf-8")
    result = cli("init")
    assert result.exit_code == 1
    assert str(home) in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_keyring_that_cannot_be_written_is_told(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEAUTH_DATA_DIR", str(home))
    monkeypatch.setenv("FACEAUTH_KEYS__FILE", "/proc/keyring")  # where nobody writes, root neither
    result = cli("init")
    assert result.exit_code == 1
    assert "FACEAUTH_KEYS__FILE" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_pack_whose_licence_is_not_accepted_is_not_installed(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEAUTH_MODELS_DIR", str(home.with_name("models")))
    monkeypatch.setenv("FACEAUTH_MODEL_PACK", "buffalo_s")
    result = cli("init")
    assert result.exit_code == 1
    assert "--accept-licence" in result.stderr
