"""`faceauth models`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from faceauth.cli import app

RUN = CliRunner()


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder with nothing in it."""
    monkeypatch.setenv("FACEAUTH_MODELS_DIR", str(tmp_path))
    monkeypatch.setenv("FACEAUTH_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def test_list(empty: Path) -> None:
    """Every pack with its licence; which one is active; none installed."""
    rows = {row["name"]: row for row in json.loads(RUN.invoke(app, ["models", "list", "--json"]).stdout)}
    assert rows["open"]["active"]
    assert rows["open"]["installed"] == "no"
    assert rows["retail"]["installed"] == "no"
    assert rows["buffalo_l"]["accept_licence"]
    table = RUN.invoke(app, ["models", "list"])
    assert table.exit_code == 0
    assert "buffalo_sc" in table.stdout


def test_info(empty: Path) -> None:
    """What it is made of; never a threshold (R24)."""
    told = RUN.invoke(app, ["models", "info", "open", "--json"])
    found = json.loads(told.stdout)
    assert {file["name"] for file in found["files"]} == {"embedder.onnx", "pnet.onnx", "rnet.onnx", "onet.onnx"}
    assert found["operating_points"]
    assert "threshold" not in told.stdout
    assert found["model_digest"] in RUN.invoke(app, ["models", "info", "open"]).stdout


def test_info_says_how_much_was_measured(empty: Path) -> None:
    """R3: a rate comes with its number of comparisons and its interval."""
    found = json.loads(RUN.invoke(app, ["models", "info", "retail", "--json"]).stdout)
    assert found["dimension"] == 256
    assert "Apache-2.0" in found["licence"]
    point = next(one for one in found["operating_points"] if one["name"] == "fmr-1e-4")
    least, most = point["fmr_interval"]
    assert least < point["fmr"] < most
    assert point["comparisons"] > 0
    low, high = point["fnmr_interval"]
    assert low <= point["fnmr"] < high
    shown = RUN.invoke(app, ["models", "info", "retail"]).stdout
    assert f"n = {point['comparisons']:,}" in shown
    assert "nothing yet" in RUN.invoke(app, ["models", "info", "opencv"]).stdout


def test_info_says_who_is_enrolled(cli: Callable[..., Result], home: Path) -> None:
    """Nothing is known without a database; then nobody; a database that cannot be read is a warning."""
    assert json.loads(cli("models", "info", "open", "--json").stdout)["enrolled"] is None
    assert "no database yet" in cli("models", "info", "open").stdout
    assert cli("init").exit_code == 0
    assert json.loads(cli("models", "info", "open", "--json").stdout)["enrolled"] == []
    assert "nobody" in cli("models", "info", "open").stdout
    (home / "faceauth.db").write_bytes(b"no database" * 1000)
    broken = cli("models", "info", "open")
    assert broken.exit_code == 0
    assert "who is enrolled is not known" in broken.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["install", "nonesuch"], "no model pack"),
        (["install", "buffalo_l"], "--accept-licence"),
        (["install", "retail", "--from", "."], "holds no face_detection_yunet_2023mar.onnx"),
        (["install", "open", "--from", "/nonexistent"], "is not a folder"),
        (["info", "nonesuch"], "no model pack"),
        (["verify"], "faceauth models install open"),
        (["verify", "open"], "is missing"),
    ],
)
def test_failures_are_one_line_and_a_status(empty: Path, arguments: list[str], says: str) -> None:
    result = RUN.invoke(app, ["models", *arguments])
    assert result.exit_code == 1
    assert says in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert "Traceback" not in result.stderr


def test_a_licence_is_shown_before_anything_is_installed(empty: Path, tmp_path: Path) -> None:
    """Asked for, or accepted at once: its name and address come first in either case."""
    arguments = ["models", "install", "buffalo_sc", "--from", str(tmp_path)]
    asked, accepted = (
        " ".join(RUN.invoke(app, [*arguments, *more]).stderr.split()) for more in ([], ["--accept-licence"])
    )
    assert all("deepinsight/insightface" in shown for shown in (asked, accepted))
    assert asked.index("Non-commercial research only") < asked.index("--accept-licence")
    assert accepted.index("Non-commercial research only") < accepted.index("holds no")


def test_verify_in_json_says_what_is_wrong(empty: Path) -> None:
    (empty / "open").mkdir()
    result = RUN.invoke(app, ["models", "verify", "--json"])
    assert result.exit_code == 1
    told = json.loads(result.stdout)["open"]
    assert not told["ok"]
    assert "rnet.onnx is missing." in told["problems"]


def test_verify_of_the_installed_pack(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R22: every file of the installed pack is the manifest's."""
    monkeypatch.setenv("FACEAUTH_MODELS_DIR", str(models_dir))
    result = RUN.invoke(app, ["models", "verify", "open"])
    assert result.exit_code == 0
    assert "open" in result.stdout
