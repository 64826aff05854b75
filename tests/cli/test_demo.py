"""`faceauth demo`: the whole story, and that it fails when a step does not go as it must."""

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faceauth.demo import story
from faceauth.demo.line import Line
from faceauth.demo.stage import Stage
from faceauth.errors import StorageError
from tests.cli.conftest import Cli

Act = Callable[[Stage], Iterator[Line]]


def test_the_whole_story(cli: Cli, home: Path) -> None:
    """Consent, enrolment, login, three attacks, a new scenario, withdrawal, and the scan, on real faces."""
    result = cli("demo", "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["as_expected"] is True
    assert [step["act"] for step in told["steps"]] == sorted(step["act"] for step in told["steps"])
    assert {step["act"] for step in told["steps"]} == set(range(1, 10))
    happened = {step["title"]: step["happened"] for step in told["steps"]}
    assert "mismatch" in happened["Another person"]
    assert "gate" in happened["A flat photograph"]
    assert "replay" in happened["A replay"]
    assert not home.exists()


@pytest.mark.parametrize("error", [None, StorageError("The disk is full.")])
def test_a_step_that_goes_wrong_ends_it(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch, error: StorageError | None
) -> None:
    """The exit status tells a script, the last line a person; nothing is told after it."""

    def goes_wrong(stage: Stage) -> Iterator[Line]:
        yield Line("asked", "as it must be", "something")
        if error is not None:
            raise error
        yield Line("asked", "an open door", "nothing", as_expected=False)
        yield Line("asked", "never told", "nothing")

    def another(stage: Stage) -> Iterator[Line]:
        yield Line("asked", "never told", "nothing")

    acts: tuple[tuple[str, Act], ...] = (("The first", goes_wrong), ("The second", another))
    monkeypatch.setattr(story, "acts", lambda: acts)
    result = cli("demo")
    assert result.exit_code == 1
    assert "Act 1, The first" in result.stderr
    assert ("an open door" if error is None else "The disk is full") in result.stderr
    assert "never told" not in result.stdout


def test_a_folder_without_people(cli: Cli, home: Path, tmp_path: Path) -> None:
    """One line says what the folder must hold."""
    (tmp_path / "nobody").mkdir()
    result = cli("demo", "--images", str(tmp_path / "nobody"))
    assert result.exit_code == 1
    assert "two pictures" in result.stderr


def test_the_folder_can_be_kept(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With --keep the data folder stays and its place is said; without, nothing stays."""

    def nothing(stage: Stage) -> Iterator[Line]:
        yield Line("asked", "happened", "proven")

    monkeypatch.setattr(story, "acts", lambda: (("Nothing", nothing),))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert cli("demo").exit_code == 0
    assert list(tmp_path.glob("faceauth-demo-*")) == []
    result = cli("demo", "--keep")
    (kept,) = tmp_path.glob("faceauth-demo-*")
    assert (kept / "data").is_dir()
    assert kept.name in result.stderr
