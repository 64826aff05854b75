"""The frame of the command line: finding commands, and telling errors in one line."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
import typer
from typer.testing import CliRunner, Result

from faceauth.cli import commands
from faceauth.cli.commands import COMMANDS, CommandGroup, load_command
from faceauth.errors import ConfigurationError

Cli = Callable[..., Result]


def test_help_names_every_command(cli: Cli) -> None:
    shown = cli("--help").stdout
    assert all(name in shown for name in COMMANDS)


def test_no_argument_shows_the_help(cli: Cli) -> None:
    assert "Usage" in cli().output


def test_the_version_is_shown(cli: Cli) -> None:
    assert cli("--version").stdout.startswith("faceauth 0.")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads(name: str) -> None:
    assert load_command(name).name == name


@pytest.mark.parametrize(("typed", "meant"), [(["ini"], "init"), (["keys", "statsu"], "status")])
def test_a_typing_error_suggests_the_nearest_command(cli: Cli, typed: list[str], meant: str) -> None:
    result = cli(*typed)
    assert result.exit_code == 2
    assert f"Did you mean '{meant}'?" in result.stderr


def test_a_typing_error_suggests_the_nearest_option(cli: Cli) -> None:
    result = cli("keys", "status", "--jsno")
    assert result.exit_code == 2
    assert "--json" in result.stderr


def test_help_is_quick_because_it_loads_no_command() -> None:
    """Not a timing, which would hang on the machine: what makes commands slow is simply not imported."""
    script = (
        "import sys, typer.testing, faceauth.cli as c\n"
        "typer.testing.CliRunner().invoke(c.app, ['--help'])\n"
        "slow = {'numpy', 'onnxruntime', 'sqlalchemy', 'cv2', 'faiss', 'fastapi'} & set(sys.modules)\n"
        "print(sorted(slow))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command line whose one command raises what it is given."""

    def run(error: BaseException, *options: str) -> Result:
        broken = typer.Typer()

        @broken.command()
        def demo() -> None:
            raise error

        app = typer.Typer(cls=CommandGroup)

        @app.callback()
        def main(debug: bool = typer.Option(False, "--debug", envvar="FACEAUTH_DEBUG")) -> None: ...

        monkeypatch.setattr(commands, "load_command", lambda _: typer.main.get_command(broken))
        return CliRunner().invoke(app, [*options, "demo"])

    return run


def test_our_own_errors_are_one_line(failing: Callable[..., Result]) -> None:
    result = failing(ConfigurationError("FACEAUTH_X is wrong [red].\nSet it."))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: FACEAUTH_X is wrong [red]. Set it.\n"


def test_logs_leave_standard_output_to_results(failing: Callable[..., Result]) -> None:
    class Logging(ConfigurationError):
        def __str__(self) -> str:
            structlog.get_logger().warning("beside")
            return "wrong"

    result = failing(Logging())
    assert result.stdout == ""
    assert "beside" in result.stderr


def test_an_unexpected_error_says_how_to_see_more(failing: Callable[..., Result]) -> None:
    result = failing(ZeroDivisionError("division by zero"))
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "FACEAUTH_DEBUG=1" in result.stderr


def test_debugging_shows_the_traceback(failing: Callable[..., Result]) -> None:
    error = ZeroDivisionError("division by zero")
    assert failing(error, "--debug").exception is error


@pytest.mark.parametrize("status", [0, 3])
def test_a_command_may_choose_its_exit_status(failing: Callable[..., Result], status: int) -> None:
    result = failing(typer.Exit(status))
    assert (result.exit_code, result.stderr) == (status, "")


def test_a_wrong_setting_is_told_by_name_and_without_its_value(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACEAUTH_KEYS__PROVIDER", "hunter2")
    result = cli("keys", "status")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: FACEAUTH_KEYS__PROVIDER: ")
    assert "hunter2" not in result.stderr


def test_a_mistyped_variable_of_a_group_is_refused(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACEAUTH_KEYS__FIEL", "x")
    assert "Did you mean FACEAUTH_KEYS__FILE?" in cli("keys", "status").stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("modle_pack = 'open'", "Did you mean FACEAUTH_MODEL_PACK?"),
        ("[keys]\nfiel = 'x'", "Did you mean FACEAUTH_KEYS__FILE?"),
        ("model_pack = ", "faceauth.toml is no TOML"),
    ],
)
def test_a_wrong_file_of_settings_is_told(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faceauth.toml").write_text(text, encoding="utf-8")
    result = cli("keys", "status")
    assert result.exit_code == 1
    assert told in result.stderr
