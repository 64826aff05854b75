"""`faceauth keys` says how the keys stand, never a key, and rotates them."""

import dataclasses
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update
from typer.testing import Result

from faceauth.clock import system_clock
from faceauth.db.engine import Database
from faceauth.db.schema import data_keys
from faceauth.installation import create_installation, databases
from faceauth.settings import load_settings
from faceauth.vault.keyring import Keyring, create_keyring, load_keyring, replace_keyring
from faceauth.vault.keys import KeyringProvider
from faceauth.vault.keystore import DataKeys

Cli = Callable[..., Result]
Installed = tuple[Database, Database]


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keyring:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACEAUTH_KEYS__FILE", str(tmp_path / "keyring"))
    monkeypatch.setenv("FACEAUTH_DATA_DIR", str(tmp_path / "data"))
    return create_keyring(tmp_path / "keyring", now=datetime(2026, 1, 2, tzinfo=UTC))


def test_it_says_how_the_keys_stand(cli: Cli, keyring: Keyring, tmp_path: Path) -> None:
    told = json.loads(cli("keys", "status", "--json").stdout)
    assert told["file"] == str(tmp_path / "keyring")
    assert told["mode"] == "0600"
    assert told["installation"] == keyring.installation_id
    assert (told["active_version"], told["minimum_version"], told["versions"]) == (1, 1, [1])
    assert told["signing_keys"] == [keyring.signing_keys[0].kid]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_it_never_shows_a_key(cli: Cli, keyring: Keyring, options: list[str]) -> None:
    shown = cli("keys", "status", *options).output
    secrets = [keyring.kek[1], keyring.pseudonym_key, keyring.replay_key]
    private = str(keyring.signing_keys[0].as_dict(private=True)["d"])
    assert keyring.installation_id in shown
    assert private not in shown
    assert not [key for key in secrets if urlsafe_b64encode(key).decode() in shown or key.hex() in shown]


def test_a_missing_keyring_is_told(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACEAUTH_KEYS__FILE", str(tmp_path / "nowhere"))
    result = cli("keys", "status")
    assert result.exit_code == 1
    assert "faceauth init" in result.stderr


@pytest.fixture
def installed(keyring: Keyring) -> Installed:
    """Two data keys in an installation with this keyring."""
    create_installation(load_settings())
    data, keys = databases(load_settings())
    for account in ("anna", "ben"):
        DataKeys(keys, KeyringProvider(keyring), system_clock).current("default", account)
    return data, keys


@pytest.mark.usefixtures("installed")
def test_status_counts_the_data_keys_of_each_version(cli: Cli) -> None:
    told = json.loads(cli("keys", "status", "--json").stdout)
    assert (told["data_keys"], told["rotating"]) == ({"1": 2}, False)
    assert "2 under version 1" in cli("keys", "status").stdout


@pytest.mark.usefixtures("installed")
def test_rotate_wraps_every_data_key_anew(cli: Cli, tmp_path: Path) -> None:
    """R45: and says that the keyring must be copied again."""
    result = cli("keys", "rotate", "--retire")
    assert result.exit_code == 0, result.output
    assert "Version 2 is active, the minimum is 2; 2 rewrapped." in result.stderr
    assert f"new copy of {tmp_path / 'keyring'}" in result.stderr
    told = json.loads(cli("keys", "status", "--json").stdout)
    assert (told["active_version"], told["minimum_version"], told["versions"]) == (2, 2, [1, 2])
    assert told["data_keys"] == {"2": 2}
    assert json.loads(cli("keys", "rotate", "--json").stdout)["version"] == 3
    assert cli("audit", "verify").exit_code == 0


@pytest.mark.usefixtures("installed")
def test_an_unfinished_rotation_is_told_and_finished(cli: Cli, tmp_path: Path) -> None:
    ring = load_keyring(tmp_path / "keyring")
    begun = dataclasses.replace(ring, kek={**ring.kek, 2: b"2" * 32}, active=2, rotating=True)
    replace_keyring(tmp_path / "keyring", begun)
    assert "faceauth keys rotate" in cli("keys", "status").stderr
    assert "interrupted rotation was finished" in cli("keys", "rotate").stderr
    assert json.loads(cli("keys", "status", "--json").stdout)["rotating"] is False


def test_a_damaged_data_key_is_told_by_its_id(cli: Cli, installed: Installed) -> None:
    """R48: the others are wrapped anew, and the exit status says that not all is well."""
    with installed[1].begin() as conn:
        name = conn.scalar(select(data_keys.c.data_key_id).where(data_keys.c.account == "ben"))
        conn.execute(update(data_keys).where(data_keys.c.data_key_id == name).values(wrapped=b"\1\0\0\0\1" * 13))
    result = cli("keys", "rotate", "--retire")
    assert result.exit_code == 1
    assert str(name) in result.stderr.replace("\n", "")
    assert "The minimum stays 1." in result.stderr


@pytest.mark.usefixtures("keyring")
def test_without_a_database_nothing_is_rotated(cli: Cli, tmp_path: Path) -> None:
    assert json.loads(cli("keys", "status", "--json").stdout)["data_keys"] is None
    before = (tmp_path / "keyring").read_bytes()
    assert cli("keys", "rotate").exit_code == 1
    assert (tmp_path / "keyring").read_bytes() == before


def test_signing_keys_are_rotated_apart(cli: Cli, keyring: Keyring, tmp_path: Path) -> None:
    create_installation(load_settings())
    first = keyring.signing_keys[0].kid
    told = json.loads(cli("keys", "rotate-signing", "--json").stdout)
    assert told["checking"] == [first]
    assert load_keyring(tmp_path / "keyring").signing_keys[0].kid == told["signing"] != first
    assert "still check: 0" in cli("keys", "rotate-signing", "--distrust").output
    assert len(load_keyring(tmp_path / "keyring").signing_keys) == 1
