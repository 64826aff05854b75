"""Making and opening an installation: what is missing, foreign, altered or too new is said, and nothing opens."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from faceauth.errors import (
    ConfigurationError,
    DatabaseNewer,
    FaceauthError,
    KeyringForeign,
    KeyringMissing,
    ModelAltered,
    ModelError,
    ModelMissing,
    StorageError,
)
from faceauth.installation import create_installation, open_installation
from faceauth.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, models_dir: Path) -> Settings:
    made = Settings(data_dir=tmp_path / "data", models_dir=models_dir)
    create_installation(made)
    return made


def test_what_is_made_can_be_opened_and_made_again(settings: Settings) -> None:
    open_installation(settings).close()
    create_installation(settings)
    open_installation(settings).close()


def test_files_are_for_their_owner_alone(settings: Settings) -> None:
    assert settings.data_dir.stat().st_mode & 0o077 == 0
    for file in [settings.keyring_file, *settings.data_dir.iterdir()]:
        assert file.stat().st_mode & 0o077 == 0
    assert settings.data_dir not in settings.keyring_file.parents


def lose_keyring(settings: Settings) -> None:
    settings.keyring_file.unlink()


def swap_keyring(settings: Settings) -> None:
    other = Settings(data_dir=settings.data_dir.parent / "other", models_dir=settings.models_dir)
    create_installation(other)
    shutil.copy(other.keyring_file, settings.keyring_file)


def open_keyring_to_all(settings: Settings) -> None:
    settings.keyring_file.chmod(0o644)


def cut_keyring(settings: Settings) -> None:
    text = settings.keyring_file.read_text()
    settings.keyring_file.write_text(text[: len(text) // 2])


def _stamp(settings: Settings, revision: str) -> None:
    with sqlite3.connect(settings.data_dir / "faceauth.db") as conn:
        conn.execute("UPDATE alembic_version SET version_num = ?", (revision,))


def come_from_the_future(settings: Settings) -> None:
    _stamp(settings, "from_the_future")


def lose_database(settings: Settings) -> None:
    (settings.data_dir / "faceauth.db").unlink()


def scramble_database(settings: Settings) -> None:
    (settings.data_dir / "faceauth.db").write_bytes(b"no database" * 400)


@pytest.mark.parametrize(
    ("harm", "error", "text"),
    [
        (lose_keyring, KeyringMissing, "keyring"),
        (swap_keyring, KeyringForeign, "FACEAUTH_KEYS__FILE"),
        (open_keyring_to_all, KeyringMissing, "keyring"),
        (cut_keyring, KeyringMissing, "damaged"),
        (come_from_the_future, DatabaseNewer, "newer version"),
        (lose_database, StorageError, "faceauth init"),
        (scramble_database, StorageError, "faceauth"),
    ],
)
def test_a_harmed_installation_does_not_open(
    settings: Settings, harm: Callable[[Settings], None], error: type[FaceauthError], text: str
) -> None:
    harm(settings)
    with pytest.raises(error, match=text) as raised:
        open_installation(settings)
    assert "\n" not in str(raised.value)


def test_a_lost_keyring_is_not_replaced(settings: Settings) -> None:
    """A new one would open nothing, and would hide that the old one is gone."""
    lose_keyring(settings)
    with pytest.raises(KeyringMissing, match="Put the keyring back"):
        create_installation(settings)
    assert not settings.keyring_file.exists()


def test_models_are_checked_before_they_are_loaded(settings: Settings, tmp_path: Path) -> None:
    """R22: one altered byte, and nothing opens; a missing file says what to run."""
    copy = tmp_path / "models"
    shutil.copytree(settings.models_dir / "open", copy / "open")
    harmed = settings.model_copy(update={"models_dir": copy})
    file = copy / "open" / "onet.onnx"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(ModelAltered):
        open_installation(harmed)
    file.unlink()
    with pytest.raises(ModelMissing, match="faceauth models install open"):
        open_installation(harmed)


def test_an_unknown_pack_or_database_is_refused(settings: Settings) -> None:
    with pytest.raises(ModelError):
        open_installation(settings.model_copy(update={"model_pack": "nonesuch"}))
    wrong = Settings(
        data_dir=settings.data_dir, models_dir=settings.models_dir, database_url=SecretStr("mysql://x/y")
    )
    with pytest.raises(ConfigurationError):
        open_installation(wrong)


def test_the_pack_before_must_be_another_and_installed(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="FACEAUTH_MODEL_PACK_BEFORE"):
        open_installation(settings.model_copy(update={"model_pack_before": "open"}))
    with pytest.raises(ModelError):
        open_installation(settings.model_copy(update={"model_pack_before": "nonesuch"}))


def test_a_read_only_data_folder_is_not_opened(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that cannot write can neither charge an attempt nor audit, so it does not start (R11, R49)."""
    monkeypatch.setattr(os, "access", lambda _path, mode: not mode & os.W_OK)
    with pytest.raises(StorageError, match="read-only") as raised:
        open_installation(settings)
    assert "\n" not in str(raised.value)


def test_a_full_disk_is_said_and_nothing_is_lost(settings: Settings) -> None:
    """The database may not grow: an act that needs room fails as a whole, and reading goes on."""
    installation = open_installation(settings)
    with installation.data.begin() as conn:
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
        conn.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        row = "INSERT INTO installation (key, value) VALUES ('large', ?)"
        with pytest.raises(StorageError, match=r"full|space"), installation.data._translated():
            conn.exec_driver_sql(row, ("x" * 4_000_000,))
    with installation.data.read() as conn:
        assert installation.scenarios.list(conn, "default")
    installation.close()


def test_the_least_eye_distance_is_the_one_that_was_set(settings: Settings) -> None:
    """A setting that nobody reads would promise what it does not do."""
    caps = settings.capture.model_copy(update={"min_eye_distance": 63.0})
    with_caps = settings.model_copy(update={"capture": caps})
    installation = open_installation(with_caps)
    assert installation.pipeline.reader._profile.min_eye_distance == 63.0
    installation.close()
