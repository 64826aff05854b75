"""What tests of the command line share."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from faceauth.cli import app

Cli = Callable[..., Result]


@pytest.fixture
def cli() -> Cli:
    """Run one command in this process; `stdout` and `stderr` are told apart."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, arguments)

    return run


@pytest.fixture
def home(tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder to be, not yet made, in a folder of its own, with the installed pack `open`."""
    monkeypatch.chdir(tmp_path)  # a faceauth.toml lying elsewhere must not count
    monkeypatch.setenv("FACEAUTH_MODELS_DIR", str(models_dir.absolute()))
    monkeypatch.setenv("FACEAUTH_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"
