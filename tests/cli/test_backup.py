"""`faceauth backup` as it is typed: two people agree to a place, once (R52); then any timer may copy there."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli


@pytest.fixture
def made(cli: Cli, home: Path) -> Path:
    """An installation, and the folder beside it for copies."""
    assert cli("init").exit_code == 0
    return home.parent / "copies"


def asked(cli: Cli) -> str:
    return str(json.loads(cli("approvals", "list", "--json").stdout)[0]["approval_id"])


def test_two_people_agree_to_a_place_once(cli: Cli, made: Path) -> None:
    refused = cli("backup", str(made))
    assert refused.exit_code == 1
    assert "--by NAME" in refused.stderr
    assert "second person" in cli("backup", str(made), "--by", "anna").stderr
    assert cli("approvals", "approve", asked(cli), "--by", "anna").exit_code == 1
    assert not made.exists()
    assert cli("approvals", "approve", asked(cli), "--by", "ben").exit_code == 0
    assert "have to agree" in cli("backup", str(made), "--dry-run").stderr
    assert cli("backup", str(made), "--by", "anna").exit_code == 0
    assert cli("backup", str(made)).exit_code == 0, "every night, with nobody there"
    assert len(list((made / "data").iterdir())) == 2
    assert "agreed to this place" in cli("backup", str(made), "--dry-run").stderr
    assert len(list((made / "data").iterdir())) == 2

    elsewhere = cli("backup", str(made), "--keys-to", str(made.parent / "keys"))
    assert elsewhere.exit_code == 1, "the keys' place is part of it"

    assert cli("approvals", "reject", asked(cli), "--by", "ben").exit_code == 0
    assert cli("backup", str(made)).exit_code == 1, "taken back"
    assert cli("audit", "verify").exit_code == 0
