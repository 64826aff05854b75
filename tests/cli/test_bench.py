"""`faceauth bench accuracy` on a few real faces, from folder to report."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Cli


@pytest.fixture
def people(shared: Path, tmp_path: Path) -> Path:
    """Six people of LFW with their pictures, and pairs of them."""
    folder = tmp_path / "people"
    everybody = sorted(path for path in (shared / "data" / "lfw").iterdir() if path.is_dir())
    found = [
        one
        for one in everybody
        if len(list(one.iterdir())) > 3 and all((one / f"{one.name}_000{n}.jpg").is_file() for n in (1, 2))
    ]
    for one in found[:6]:
        shutil.copytree(one, folder / one.name)
    names = [one.name for one in found[:6]]
    folds = [f"{names[n]}\t1\t2\n{names[n]}\t1\t{names[n + 3]}\t1" for n in range(3)]
    (folder / "pairs.txt").write_text("3\t1\n" + "\n".join(folds) + "\n")
    return folder


def test_report(cli: Cli, home: Path, people: Path, tmp_path: Path) -> None:
    """The table tells every rate with trials and interval (R3); a cache serves a second run."""
    out, cache = tmp_path / "out", tmp_path / "cache.npz"
    arguments = ("bench", "accuracy", "--data", str(people), "--out", str(out), "--cache", str(cache))
    first = cli(*arguments)
    assert first.exit_code == 0, first.stderr
    assert "TAR at FMR 1e-03" in first.stdout
    assert "6 people" in first.stdout
    assert "rule of 3" in first.stderr
    assert {path.name for path in out.iterdir()} == {"accuracy.json", "det.png", "scores.png", "fusing.png"}
    report = json.loads((out / "accuracy.json").read_text())
    assert report["pairs"]["pairs"] == 6
    assert report["all_against_all"]["non_mated"] > 200
    again = cli(*arguments, "--json")
    assert again.exit_code == 0, again.stderr
    assert json.loads(again.stdout)["all_against_all"] == report["all_against_all"]


def test_toml(cli: Cli, home: Path, people: Path, tmp_path: Path) -> None:
    """Points are printed only where the comparisons are enough (R3)."""
    result = cli(
        "bench", "accuracy", "--data", str(people), "--out", str(tmp_path / "out"), "--toml", "--limit", "8"
    )
    assert result.exit_code == 0, result.stderr
    assert result.stdout.strip() == ""


def test_a_folder_that_is_not_there(cli: Cli, home: Path, tmp_path: Path) -> None:
    """One line says what is wrong and what to do."""
    result = cli("bench", "accuracy", "--data", str(tmp_path / "nothing"))
    assert result.exit_code == 1
    assert "--data" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_chip_template(cli: Cli, home: Path, people: Path, tmp_path: Path) -> None:
    """Without a folder of pictures, or without dlib's shape predictor, one line says what is missing."""
    result = cli("bench", "chip-template", "--data", str(tmp_path / "nothing"))
    assert result.exit_code == 1
    assert "--data" in result.stderr
    (tmp_path / "empty").mkdir()
    result = cli("bench", "chip-template", "--data", str(people), "--from", str(tmp_path / "empty"))
    assert result.exit_code == 1
    assert len(result.stderr.strip().splitlines()) == 1
