"""`faceauth keys destroy` and `faceauth approvals`, as two people type them (R52)."""

import json
from pathlib import Path

import pytest

from faceauth.installation import create_installation
from faceauth.settings import load_settings
from tests.cli.conftest import Cli


@pytest.fixture
def rotated(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """An installation with an old version of its key-encryption key."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACEAUTH_DATA_DIR", str(tmp_path / "data"))
    create_installation(load_settings())
    assert cli("keys", "rotate").exit_code == 0
    return cli


def asked(cli: Cli) -> str:
    told = json.loads(cli("keys", "destroy", "1", "--by", "anna", "--json").stdout)
    assert told["destroyed"] is False
    return str(told["approval_id"])


def versions(cli: Cli) -> list[int]:
    return list(json.loads(cli("keys", "status", "--json").stdout)["versions"])


def test_two_people_destroy_a_version(rotated: Cli) -> None:
    first = rotated("keys", "destroy", "1", "--by", "anna")
    approval_id = asked(rotated)
    assert f"faceauth approvals approve {approval_id} --by NAME" in first.stderr
    assert approval_id in rotated("approvals", "list").stdout
    alone = rotated("approvals", "approve", approval_id, "--by", "anna")
    assert alone.exit_code == 1
    assert "second person" in alone.stderr
    assert rotated("approvals", "approve", approval_id, "--by", "ben").exit_code == 0
    assert versions(rotated) == [1, 2]
    done = rotated("keys", "destroy", "1", "--by", "anna")
    assert "Version 1 is destroyed" in done.stderr
    assert versions(rotated) == [2]
    (one,) = json.loads(rotated("approvals", "list", "--json").stdout)
    assert (one["state"], one["requested_by"], one["decided_by"]) == ("used", "cli:anna", "cli:ben")
    assert rotated("audit", "verify").exit_code == 0


def test_a_refused_one_is_not_done(rotated: Cli) -> None:
    approval_id = asked(rotated)
    assert rotated("approvals", "reject", approval_id, "--by", "ben").exit_code == 0
    assert asked(rotated) != approval_id
    assert rotated("approvals", "approve", approval_id, "--by", "ben").exit_code == 1
    assert versions(rotated) == [1, 2]


@pytest.mark.parametrize("version", ["2", "3", "0"])
def test_a_version_in_use_or_not_there_is_refused_before_anybody_is_asked(rotated: Cli, version: str) -> None:
    assert rotated("keys", "destroy", version, "--by", "anna").exit_code != 0
    assert json.loads(rotated("approvals", "list", "--json").stdout) == []


@pytest.mark.parametrize("name", ["", "anna bell", "a" * 51, "ännchen", "x:y"])
def test_a_name_is_a_plain_word(rotated: Cli, name: str) -> None:
    assert rotated("keys", "destroy", "1", "--by", name).exit_code == 1
    assert rotated("approvals", "approve", "approval_1", "--by", name).exit_code == 1


def test_an_unknown_one_is_told(rotated: Cli) -> None:
    result = rotated("approvals", "approve", "approval_none", "--by", "ben")
    assert result.exit_code == 1
    assert "faceauth approvals list" in result.stderr
