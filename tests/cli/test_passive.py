"""Missing passive models are told where a level asks for them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from faceauth.cli import passive
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.embed.install import install
from faceauth.installation import open_installation
from faceauth.settings import load_settings

Cli = Callable[..., Result]


@pytest.fixture
def asked(cli: Cli, home: Path, models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with a scenario of the level motion+passive, in a models folder of its own."""
    own = tmp_path / "models"
    own.mkdir()
    (own / "open").symlink_to((models_dir / "open").absolute())
    monkeypatch.setenv("FACEAUTH_MODELS_DIR", str(own))
    assert cli("init").exit_code == 0
    installation = open_installation(load_settings())
    with installation.data.begin() as conn:
        installation.scenarios.create(
            conn,
            tenant=DEFAULT_TENANT,
            scenario="door",
            mode="verify",
            titles={"en": "The door"},
            retention_days=30,
            liveness_profile="motion+passive",
            notices={"en": "A notice."},
            now=installation.clock(),
        )
    installation.close()
    return own


def test_doctor_and_serve_say_so(cli: Cli, asked: Path, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """R4: the level denies everybody until the models are there; that is said at start."""
    told = cli("doctor")
    assert told.exit_code == 1
    assert "Everybody is denied in door" in told.output
    assert "faceauth models install pad-minifasnet" in told.output
    installation = open_installation(load_settings())
    try:
        assert installation.pipeline.passive is None
        passive.warn(installation)
    finally:
        installation.close()
    assert "Everybody is denied in door" in capsys.readouterr().err
    install("pad-minifasnet", asked, from_dir=shared / "models" / "minifasnet")
    healthy = cli("doctor")
    assert healthy.exit_code == 0
    assert "pad-minifasnet, asked for by door" in healthy.output
    installation = open_installation(load_settings())
    try:
        assert installation.pipeline.passive is not None
        passive.warn(installation)
    finally:
        installation.close()
    assert capsys.readouterr().err == ""


def test_an_altered_or_unset_pack(cli: Cli, asked: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install("pad-minifasnet", asked, from_dir=shared / "models" / "minifasnet")
    (asked / "pad-minifasnet" / "minifasnet-v2.onnx").write_bytes(b"other")
    assert "not the file the manifest names" in cli("doctor").output
    monkeypatch.setenv("FACEAUTH_PAD_PACK", "")
    assert "Set FACEAUTH_PAD_PACK" in cli("doctor").output
    monkeypatch.setenv("FACEAUTH_PAD_PACK", "nonesuch")
    assert "no passive pack 'nonesuch'" in cli("doctor").output


def test_observe_mode_is_a_setting(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Off unless it is asked for; it then watches the pipeline's own decisions."""
    assert cli("init").exit_code == 0
    for told, watches in (("false", False), ("true", True)):
        monkeypatch.setenv("FACEAUTH_LIVENESS__OBSERVE", told)
        installation = open_installation(load_settings())
        try:
            assert (installation.pipeline.observer is not None) is watches
        finally:
            installation.close()
