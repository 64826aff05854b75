"""`faceauth bench all`: one report of what was measured, and of what could not be."""

from pathlib import Path

from tests.cli.conftest import Cli

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


def test_the_command_reports_what_is_there(cli: Cli, tmp_path: Path) -> None:
    answer = cli("bench", "all", "--read", str(RESULTS), "--out", str(tmp_path))
    assert answer.exit_code == 0, answer.stderr
    assert (tmp_path / "report.html").is_file()


def test_a_benchmark_that_is_none_is_told(cli: Cli, tmp_path: Path) -> None:
    answer = cli("bench", "all", "--only", "sped", "--out", str(tmp_path))
    assert answer.exit_code == 1
    assert "no benchmark sped" in answer.stderr


def test_what_lacks_its_pictures_is_not_measured_and_told(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "speed").mkdir()
    kept = (RESULTS / "speed" / "speed.json").read_text(encoding="utf-8")
    (tmp_path / "speed" / "speed.json").write_text(kept, encoding="utf-8")
    answer = cli("bench", "all", "--only", "speed", "--out", str(tmp_path))
    assert answer.exit_code == 1
    assert "not measured: speed: it needs pictures" in answer.stderr
    assert "Not measured" in (tmp_path / "report.html").read_text(encoding="utf-8")
