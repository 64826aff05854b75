"""What the acts lean on: an installation that shares nothing, a log that is kept, lines that tell the truth."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import structlog

from faceauth.demo.line import Line, refused
from faceauth.demo.proof import found_in, needles, size_of
from faceauth.demo.stage import Recording, demo_settings, quiet_log, renamed
from faceauth.errors import ConsentRequired, Locked
from faceauth.sessions import OpenedSession
from faceauth.settings import Settings
from faceauth.types import Challenge, Step


def test_the_demo_shares_nothing_with_the_users_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Database, keyring and data folder are the demo's own, whatever the environment says."""
    monkeypatch.setenv("FACEAUTH_DATABASE_URL", "postgresql+psycopg://production")
    monkeypatch.setenv("FACEAUTH_DATA_DIR", "/srv/faceauth")
    monkeypatch.setenv("FACEAUTH_KEYS__FILE", "/srv/keyring")
    monkeypatch.setenv("FACEAUTH_MODELS_DIR", "/srv/models")
    own = demo_settings(tmp_path, Settings())
    assert own.database == f"sqlite:///{tmp_path / 'data' / 'faceauth.db'}"
    assert own.data_dir == tmp_path / "data"
    assert own.keyring_file == tmp_path / "keyring.json"
    assert own.models_dir == Path("/srv/models")


def test_the_log_is_kept_and_put_back(capsys: pytest.CaptureFixture[str]) -> None:
    """The operator's log is read for the gate, not printed between the story's lines."""
    before = structlog.get_config()
    with quiet_log() as log:
        structlog.get_logger().info("session.liveness", gate="parallax")
        start = len(log.lines)
        assert log.gate_since(0) == "parallax"
        structlog.get_logger().info("something else")
        assert log.gate_since(start) is None
    assert structlog.get_config() == before
    assert capsys.readouterr().out == ""


def _act(error: Exception | None) -> None:
    if error is not None:
        raise error


@pytest.mark.parametrize(("error", "expected"), [(ConsentRequired("No."), True), (Locked(), False), (None, False)])
def test_refused(error: Exception | None, expected: bool) -> None:
    """Only the refusal that was meant counts; being done, or refused for another reason, does not."""
    line = refused("x", lambda: _act(error), expected=ConsentRequired, proves="y")
    assert isinstance(line, Line)
    assert line.as_expected is expected


def test_a_recording_is_fitted_to_another_session() -> None:
    """The frames get the new session's step names, in order: the best an attacker can do with them."""
    challenge = Challenge(b"n" * 16, "motion", (Step("x", "center"), Step("y", "turn_left")), datetime.now(UTC))
    opened = OpenedSession("fs_1", "fc_1", challenge, datetime.now(UTC))
    fitted = renamed(Recording((b"1", b"2", b"3", b"4"), (0, 1, 2, 3), ("a", "b", "b", "c")), opened)
    assert fitted.steps == ("x", "y", "y", "y")
    assert fitted.parts == (b"1", b"2", b"3", b"4")


def test_the_scan_finds_what_is_there_and_only_that(tmp_path: Path) -> None:
    """A template is found in the clear, half of it too, and not when it is not there (R42)."""
    template = np.random.default_rng(1).normal(size=128).astype(np.float32)
    (tmp_path / "a.bin").write_bytes(bytes(100))
    assert found_in(tmp_path, needles([template])) == []
    (tmp_path / "b.bin").write_bytes(b"x" + template.tobytes()[:256])
    assert {hit.path.name for hit in found_in(tmp_path, needles([template]))} == {"b.bin"}
    assert found_in(tmp_path, []) == []
    assert size_of(tmp_path) == (2, 357)
