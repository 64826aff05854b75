"""`faceauth models thresholds` as two people type it (R52)."""

import json
from pathlib import Path

import pytest

import faceauth.cli.thresholds
from faceauth.embed.manifest import pack_spec
from faceauth.installation import databases
from faceauth.match.accepted import accept
from faceauth.settings import load_settings
from tests.cli.conftest import Cli


def test_nothing_waits_at_first(cli: Cli, home: Path) -> None:
    assert cli("init").exit_code == 0
    assert cli("models", "thresholds").stdout == "open: accepted\n"
    assert "Nothing waits" in cli("models", "thresholds", "--by", "anna").stderr


def test_two_people_accept_what_changed(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither alone; which way it goes stands in the request, and doctor fails until it is done."""
    assert cli("init").exit_code == 0
    data, keys = databases(load_settings())
    spec = pack_spec("open", None)
    higher = {name: one.threshold + 0.01 for name, one in spec.operating_points.items()}
    with data.begin() as conn:
        accept(conn, model=spec.model_digest().hex(), digest="of the pack as it was", points=higher)
    data.dispose()
    keys.dispose()
    monkeypatch.setattr(faceauth.cli.thresholds, "people_enrolled", lambda _: 1)

    waits = cli("models", "thresholds")
    assert (waits.exit_code, waits.stdout) == (0, "open: lower\n")
    assert "faceauth models thresholds --by NAME" in cli("doctor").stdout.replace("\n", " ")
    assert "second person" in cli("models", "thresholds", "--by", "anna").stderr
    (asked,) = json.loads(cli("approvals", "list", "--json").stdout)
    assert (asked["kind"], asked["details"]["change"]) == ("operating_points", "lower")
    assert cli("approvals", "approve", asked["approval_id"], "--by", "anna").exit_code == 1
    assert cli("approvals", "approve", asked["approval_id"], "--by", "ben").exit_code == 0
    (done,) = json.loads(cli("models", "thresholds", "--by", "anna", "--json").stdout)
    assert done["accepted"] is True
    assert json.loads(cli("models", "thresholds", "--json").stdout)[0]["thresholds"] == "accepted"
    assert cli("audit", "verify").exit_code == 0
