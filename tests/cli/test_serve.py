"""`faceauth serve`: what stands in its way is told in one line. tests/e2e starts it for real."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from faceauth.cli import serve as command
from faceauth.installation import create_installation
from faceauth.settings import load_settings

Cli = Callable[..., Result]


def one_line(result: Result) -> str:
    assert result.exit_code == 1
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert "Traceback" not in result.stderr
    return lines[0]


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACEAUTH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(command, "configure_logging", lambda: None)  # pytest keeps its own
    return tmp_path


def test_without_an_installation(cli: Cli) -> None:
    assert "faceauth init" in one_line(cli("serve"))


def test_without_models(cli: Cli, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEAUTH_MODELS_DIR", str(empty / "models"))
    create_installation(load_settings())
    assert "faceauth models install" in one_line(cli("serve"))


def test_with_a_port_that_is_taken(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    class Opened:
        def close(self) -> None:
            closed.append(True)

    closed: list[bool] = []
    monkeypatch.setattr(command, "open_installation", lambda *_, **__: Opened())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        line = one_line(cli("serve", "--port", str(taken.getsockname()[1])))
    assert "--port" in line
    assert line.count("127.0.0.1") == 1
    assert closed == [True]


@pytest.mark.parametrize(
    ("issuer", "told"),
    [
        ("http://127.0.0.1:8000", False),
        ("http://127.0.0.1:9000", True),
        ("http://localhost", True),
        ("http://[::1]:9000", True),
        ("https://face.example", False),  # a proxy's
    ],
)
def test_links_that_lead_to_another_port_are_told(issuer: str, told: bool) -> None:
    found = command.issuer_elsewhere(issuer, 8000)
    assert (found is not None) == told
    assert found is None or ("FACEAUTH_ISSUER" in found and "8000" in found)
