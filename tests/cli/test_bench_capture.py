"""`faceauth bench capture` on a few webcam stills."""

import json
from pathlib import Path

from tests.cli.conftest import Cli


def test_report(cli: Cli, home: Path, shared: Path) -> None:
    data = shared / "data" / "pad-stills" / "live"
    told = cli("bench", "capture", "--data", str(data), "--limit", "4")
    assert told.exit_code == 0, told.stderr
    assert "fit to be judged:" in told.stdout
    assert "of 4)" in told.stdout
    result = cli("bench", "capture", "--data", str(data), "--limit", "4", "--json")
    assert json.loads(result.stdout)["judged"]["trials"] == 4


def test_a_folder_that_is_not_there(cli: Cli, home: Path, tmp_path: Path) -> None:
    result = cli("bench", "capture", "--data", str(tmp_path / "nothing"))
    assert result.exit_code == 1
    assert "no folder" in result.stderr
