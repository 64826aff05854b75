"""Settings come from arguments, the environment, a file and defaults, in this order, and say what is wrong."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from faceauth.errors import ConfigurationError
from faceauth.settings import Settings, load_settings, setting_fields, setting_values, unknown_variables


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No file and no variable of the machine the tests run on."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("FACEAUTH_"):
            monkeypatch.delenv(name)
    return tmp_path


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings().keys.file is None
    (alone / "faceauth.toml").write_text("model_pack = 'file'\n[keys]\nfile = '/file'\n", encoding="utf-8")
    assert (load_settings().keys.file, load_settings().model_pack) == (Path("/file"), "file")
    monkeypatch.setenv("FACEAUTH_KEYS__FILE", "/environment")
    assert (load_settings().keys.file, load_settings().model_pack) == (Path("/environment"), "file")
    assert Settings(model_pack="argument").model_pack == "argument"


def test_a_list_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEAUTH_CORS_ORIGINS", '["https://shop.example"]')
    assert load_settings().cors_origins == ["https://shop.example"]
    monkeypatch.setenv("FACEAUTH_CORS_ORIGINS", "https://shop.example")
    with pytest.raises(ConfigurationError, match="cors_origins"):
        load_settings()


def test_the_keyring_lies_outside_the_data_folder(alone: Path) -> None:
    settings = Settings(data_dir=alone / "data")
    assert settings.keyring_file == alone / "data.keyring"
    assert settings.database == f"sqlite:///{alone / 'data' / 'faceauth.db'}"


def test_the_database_address_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEAUTH_DATABASE_URL", "postgresql+psycopg://me:hunter2@host/name")
    settings = load_settings()
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in repr(setting_values(settings))
    assert isinstance(setting_values(settings)["FACEAUTH_DATABASE_URL"], SecretStr)
    assert settings.database.endswith("me:hunter2@host/name")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FACEAUTH_SESSIONS__CAPTURE_S", "61"),  # R15: at most 60 s once capture starts
        ("FACEAUTH_SESSIONS__CAPTURE_S", "0"),
        ("FACEAUTH_CAPTURE__MAX_PIXELS", "-1"),
        ("FACEAUTH_SERVICE__QUEUE", "many"),
        ("FACEAUTH_KEYS__PROVIDER", "none"),
        ("FACEAUTH_KEYS__FIEL", "x"),
    ],
)
def test_a_wrong_value_is_told_by_name_in_one_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name) as caught:
        load_settings()
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_toml_is_told(alone: Path) -> None:
    (alone / "faceauth.toml").write_text("model_pack =", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="no TOML"):
        load_settings()


def test_a_mistyped_variable_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEAUTH_DATADIR", "/somewhere")
    monkeypatch.setenv("FACEAUTH_DEBUG", "1")
    assert unknown_variables() == {"FACEAUTH_DATADIR": "FACEAUTH_DATA_DIR"}


def test_every_setting_has_a_name_a_value_and_a_description() -> None:
    fields = dict(setting_fields())
    assert set(setting_values(Settings())) == set(fields)
    assert [name for name, field in fields.items() if not field.description] == []
