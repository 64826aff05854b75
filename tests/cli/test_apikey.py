"""`faceauth apikey`: made once, listed without secrets, revoked for good."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from faceauth.clock import system_clock
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import NotAuthenticated
from faceauth.identity.apikeys import ROLES, ApiKeys, Caller
from faceauth.installation import create_installation, databases
from faceauth.settings import load_settings
from faceauth.vault.keyring import create_keyring

Cli = Callable[..., Result]


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without models: keys need none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACEAUTH_DATA_DIR", str(tmp_path / "data"))
    create_installation(load_settings())


def caller(secret: str) -> Caller:
    data, keys = databases(load_settings())
    try:
        with data.read() as conn:
            return ApiKeys(system_clock, bytes).authenticate(conn, secret)
    finally:
        data.dispose()
        keys.dispose()


@pytest.mark.parametrize("role", ROLES)
def test_a_key_is_shown_once_and_works_until_it_is_revoked(cli: Cli, role: str) -> None:
    made = json.loads(cli("apikey", "create", "--role", role, "--label", "shop", "--json").stdout)
    assert (caller(made["secret"]).role, caller(made["secret"]).tenant) == (role, DEFAULT_TENANT)
    (listed,) = json.loads(cli("apikey", "list", "--json").stdout)
    assert (listed["key_id"], listed["label"], listed["revoked_at"]) == (made["key_id"], "shop", None)
    assert made["secret"] not in cli("apikey", "list").stdout
    assert cli("apikey", "revoke", made["key_id"]).exit_code == 0
    with pytest.raises(NotAuthenticated):
        caller(made["secret"])
    assert json.loads(cli("apikey", "list", "--json").stdout)[0]["revoked_at"]


def test_a_key_for_people_is_the_whole_output(cli: Cli) -> None:
    result = cli("apikey", "create", "--expires-days", "1")
    assert caller(result.stdout.strip()).role == "application"
    assert "shown this once" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("create", "--role", "god"), "role"),
        (("create", "--label", "x" * 201), "label"),
        (("revoke", "key_none"), "key_none"),
        (("rotate", "key_none"), "key_none"),
        (("rotate", "key_none", "--overlap", "soon"), "24h"),
        (("revoke", "[bold]key"), "[bold]key"),
    ],
)
def test_what_is_wrong_is_one_line(cli: Cli, arguments: tuple[str, ...], told: str) -> None:
    result = cli("apikey", *arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.strip().splitlines()) == 1
    assert told in result.stderr


def test_a_key_is_rotated_with_an_overlap(cli: Cli) -> None:
    """R53: expiry and rotation; the old key works until the overlap ends, and the act is on record."""
    old = json.loads(cli("apikey", "create", "--role", "operator", "--json").stdout)
    made = json.loads(cli("apikey", "rotate", old["key_id"], "--overlap", "90m", "--json").stdout)
    assert (made["old"], made["role"]) == (old["key_id"], "operator")
    assert made["old_ends"]
    assert caller(made["secret"]).role == caller(old["secret"]).role == "operator"
    ended = cli("apikey", "rotate", made["key_id"], "--overlap", "0m")
    assert caller(ended.stdout.strip()).role == "operator"
    with pytest.raises(NotAuthenticated):
        caller(made["secret"])


def test_without_an_installation_it_says_what_to_do(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEAUTH_DATA_DIR", str(tmp_path / "nothing"))
    result = cli("apikey", "list")
    assert result.exit_code == 1
    assert "faceauth init" in result.stderr


def test_every_key_made_or_revoked_is_audited(cli: Cli) -> None:
    """R49."""
    made = json.loads(cli("apikey", "create", "--json").stdout)
    cli("apikey", "revoke", made["key_id"])
    verdict = json.loads(cli("audit", "verify", "--json").stdout)
    assert verdict["records"] >= 2


def test_a_keyring_of_another_installation_makes_no_key(cli: Cli) -> None:
    """Bad input of issue 2: its pseudonyms would stand in this installation's audit log."""
    keyring = load_settings().keyring_file
    keyring.unlink()
    create_keyring(keyring, now=system_clock())
    result = cli("apikey", "create")
    assert result.exit_code == 1
    assert "FACEAUTH_KEYS__FILE" in result.stderr
    assert result.stdout == ""
