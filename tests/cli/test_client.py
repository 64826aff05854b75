"""`faceauth client`: registered once, listed without secrets, revoked for good."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from faceauth.clock import system_clock
from faceauth.installation import create_installation, databases
from faceauth.oidc.clients import Client, ClientStore
from faceauth.settings import load_settings

Cli = Callable[..., Result]
ADDRESS = ("--redirect", "https://shop.example/callback")


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without models: clients need none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACEAUTH_DATA_DIR", str(tmp_path / "data"))
    create_installation(load_settings())


def client(client_id: str) -> Client | None:
    data, keys = databases(load_settings())
    try:
        with data.read() as conn:
            return ClientStore(system_clock, bytes).get(conn, client_id)
    finally:
        data.dispose()
        keys.dispose()


def test_a_secret_is_shown_once_and_rotated_until_the_client_is_revoked(cli: Cli) -> None:
    made = json.loads(cli("client", "create", "The shop", *ADDRESS, "--offline", "--json").stdout)
    found = client(made["client_id"])
    assert found is not None
    assert found.check_client_secret(made["client_secret"])
    assert found.offline
    assert made["client_secret"] not in cli("client", "list", "--json").stdout
    rotated = json.loads(cli("client", "rotate", made["client_id"], "--json").stdout)
    found = client(made["client_id"])
    assert found is not None
    assert found.check_client_secret(rotated["client_secret"])
    assert not found.check_client_secret(made["client_secret"])
    assert cli("client", "revoke", made["client_id"]).exit_code == 0
    assert client(made["client_id"]) is None
    assert json.loads(cli("client", "list", "--json").stdout)[0]["revoked_at"]


def test_an_app_has_no_secret(cli: Cli) -> None:
    shown = cli("client", "create", "The app", "--redirect", "com.example.app:/back", "--native")
    assert "It has no secret" in shown.stderr
    (listed,) = json.loads(cli("client", "list", "--json").stdout)
    assert listed["kind"] == "native"
    assert "com.example.app:/back" in cli("client", "list").stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("create", "The shop", "--redirect", "http://shop.example/callback"), "https"),
        (("create", "The shop", *ADDRESS, "--scenario", "door"), "no scenario"),
        (("rotate", "oc_0000000000000000"), "no client"),
        (("revoke", "oc_0000000000000000"), "no client"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(cli: Cli, words: tuple[str, ...], told: str) -> None:
    answer = cli("client", *words)
    assert answer.exit_code == 1
    assert told in answer.stderr
