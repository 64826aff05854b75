"""`faceauth init`, `keys status`, `keys rotate` and `doctor` with each way of holding keys, as one types them."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from faceauth.cli import app
from faceauth.clock import system_clock
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.installation import databases, keyring_place
from faceauth.sections import KeySettings
from faceauth.settings import load_settings
from faceauth.vault.keystore import DataKeys
from tests.vault.providers.holding import Holding


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def told(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def set_environment(settings: KeySettings, monkeypatch: pytest.MonkeyPatch, name: str = "FACEAUTH_KEYS") -> None:
    """Say the same in the environment, as whoever runs the service does."""
    for field, value in settings:
        if isinstance(value, SecretStr):
            value = value.get_secret_value()  # noqa: PLW2901  the same value, in the clear
        if hasattr(value, "model_fields_set"):
            set_environment(value, monkeypatch, f"{name}__{field.upper()}")
        elif value not in (None, ""):
            monkeypatch.setenv(f"{name}__{field.upper()}", str(value))


@pytest.fixture
def home(holding: Holding, tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where an installation with these keys is to be made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACEAUTH_MODELS_DIR", str(models_dir.absolute()))
    monkeypatch.setenv("FACEAUTH_DATA_DIR", str(tmp_path / "data"))
    set_environment(holding.settings, monkeypatch)
    return tmp_path


def current(account: str) -> bytes:
    """Open an account's data key, or make it, as a service would that starts now."""
    settings = load_settings()
    place, (data, keys) = keyring_place(settings), databases(settings)
    try:
        opened = DataKeys(keys, place.provider(place.load()), system_clock).current(DEFAULT_TENANT, account)
        return bytes(opened.secret)
    finally:
        place.close()
        data.dispose()
        keys.dispose()


def test_the_way_from_init_to_a_rotated_key(holding: Holding, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R45: the same commands for everyone, and no data key changes."""
    assert run("init").exit_code == 0
    before = {account: current(account) for account in ("anna", "ben")}
    first = told("keys", "status")
    assert first["provider"] == holding.settings.provider
    assert first["data_keys"] == {str(first["active_version"]): 2}
    holding.add()
    set_environment(holding.settings, monkeypatch)
    rotated = told("keys", "rotate", "--retire")
    assert rotated["rewrapped"] == 2
    assert rotated["minimum"] == rotated["version"] != first["active_version"]
    assert told("keys", "status")["data_keys"] == {str(rotated["version"]): 2}
    assert {account: current(account) for account in ("anna", "ben")} == before
    assert run("init").exit_code == 0
    findings = {one["name"]: one["state"] for one in told("doctor")["findings"]}
    assert findings["keys"] == "ok"
    assert findings["references"] == "ok"


def test_a_holder_that_is_down_is_a_problem_the_doctor_names(holding: Holding, home: Path) -> None:
    """R57: and nothing is rotated or made."""
    if holding.settings.provider == "environment":
        pytest.skip("it is there, or no command starts")
    assert run("init").exit_code == 0
    kept = (home / "data.keyring").read_bytes()
    holding.down()
    try:
        for command in ("doctor", "keys status", "keys rotate", "apikey create --role operator"):
            result = run(*command.split())
            assert result.exit_code == 1
            assert "token" in result.output or "Vault" in result.output
    finally:
        holding.up()
    assert (home / "data.keyring").read_bytes() == kept


def test_another_provider_is_not_tried(holding: Holding, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No falling back: the keyring says who made it."""
    assert run("init").exit_code == 0
    monkeypatch.setenv("FACEAUTH_KEYS__PROVIDER", "file")
    result = run("keys", "status")
    assert result.exit_code == 1
    assert "none is used in the place of another" in result.stderr
