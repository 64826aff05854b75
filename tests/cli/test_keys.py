"""`faceauth keys status` says how the keys stand, and never a key."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import Result

from faceauth.vault.keyring import Keyring, create_keyring

Cli = Callable[..., Result]


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keyring:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACEAUTH_KEYS__FILE", str(tmp_path / "keyring"))
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
