"""The only reader of the environment: prefix ``FACEAUTH_``, ``__`` for nesting, or a TOML file."""

import os
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Any

from platformdirs import user_cache_path, user_data_path
from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from faceauth.errors import ConfigurationError
from faceauth.sections import (
    AdministrationSettings,
    AttemptSettings,
    AuditSettings,
    CampaignSettings,
    CaptureSettings,
    ConsentSettings,
    ConsoleSettings,
    DeviceSettings,
    FlowSettings,
    IndexSettings,
    InferenceSettings,
    KeySettings,
    LivenessSettings,
    OpenIdSettings,
    RetentionSettings,
    ServiceSettings,
    SessionSettings,
    StreamSettings,
    WebhookSettings,
)

CONFIG_FILE = "faceauth.toml"
PREFIX = "FACEAUTH_"


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", toml_file=CONFIG_FILE, extra="forbid"
    )

    data_dir: Path = Field(
        default_factory=lambda: user_data_path("faceauth"), description="Folder of the databases."
    )
    database_url: SecretStr | None = Field(
        default=None, description="sqlite:///… in the data folder if not set, or postgresql+psycopg://…"
    )
    models_dir: Path = Field(
        default_factory=lambda: user_cache_path("faceauth") / "models", description="Folder of the model packs."
    )
    model_pack: str = Field(default="open", description="The pack that makes and compares embeddings.")
    model_pack_before: str = Field(
        default="", description="The pack it replaces: served beside it until everyone has moved (docs/models.md)."
    )
    pad_pack: str = Field(
        default="pad-minifasnet", description="The passive pack of the levels with +passive; empty: none."
    )
    models_manifest: Path | None = Field(
        default=None, description="A manifest with packs of your own, added to the project's."
    )
    issuer: str = Field(default="http://127.0.0.1:8000", description="The service's own address, in tokens.")
    cors_origins: list[str] = Field(default_factory=list, description="Pages that may call the service (R19).")
    keys: KeySettings = Field(default_factory=KeySettings)
    capture: CaptureSettings = Field(default_factory=CaptureSettings)
    sessions: SessionSettings = Field(default_factory=SessionSettings)
    attempts: AttemptSettings = Field(default_factory=AttemptSettings)
    flows: FlowSettings = Field(default_factory=FlowSettings)
    openid: OpenIdSettings = Field(default_factory=OpenIdSettings)
    liveness: LivenessSettings = Field(default_factory=LivenessSettings)
    service: ServiceSettings = Field(default_factory=ServiceSettings)
    stream: StreamSettings = Field(default_factory=StreamSettings)
    devices: DeviceSettings = Field(default_factory=DeviceSettings)
    inference: InferenceSettings = Field(default_factory=InferenceSettings)
    index: IndexSettings = Field(default_factory=IndexSettings)
    consent: ConsentSettings = Field(default_factory=ConsentSettings)
    audit: AuditSettings = Field(default_factory=AuditSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    administration: AdministrationSettings = Field(default_factory=AdministrationSettings)
    webhooks: WebhookSettings = Field(default_factory=WebhookSettings)
    console: ConsoleSettings = Field(default_factory=ConsoleSettings)
    campaigns: CampaignSettings = Field(default_factory=CampaignSettings)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take arguments first, then the environment, then the TOML file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @cached_property
    def database(self) -> str:
        """The database's address."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir / 'faceauth.db'}"

    @cached_property
    def keyring_file(self) -> Path:
        """The keyring's place: outside the data folder, so that a copy of the folder opens nothing."""
        return self.keys.file or self.data_dir.with_name(self.data_dir.name + ".keyring")

    @cached_property
    def journal_file(self) -> Path:
        """The journal's place: kept apart from the databases, so that an old copy of them takes nothing back."""
        return self.keys.journal or self.keyring_file.with_name(self.keyring_file.name + ".erasures")


def load_settings() -> Settings:
    """Read the settings from the environment and the TOML file.

    Raises:
        ConfigurationError: One is wrong; the text names it and never holds its value, which may be a secret.
    """
    try:
        return Settings()
    except ValidationError as error:
        told = [_told(details["loc"], details["type"], details["msg"]) for details in error.errors()]
    except SettingsError as error:
        told = [f"{error}."]
    except TOMLDecodeError as error:
        told = [f"{CONFIG_FILE} is no TOML: {error}."]
    except OSError as error:
        told = [f"{CONFIG_FILE} cannot be read ({error.strerror})."]
    raise ConfigurationError(" ".join(told))


def setting_fields(model: type[BaseModel] = Settings, prefix: str = PREFIX) -> Iterator[tuple[str, FieldInfo]]:
    """Yield every setting as the environment names it, with its type, default and description."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from setting_fields(inner, f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}", field


def setting_values(settings: Settings) -> dict[str, Any]:
    """Return the effective values by the names the environment gives them; secrets stay hidden in `SecretStr`."""
    values: dict[str, Any] = {}
    for name, _ in setting_fields():
        value: Any = settings
        for part in name.removeprefix(PREFIX).lower().split("__"):
            value = getattr(value, part)
        values[name] = value
    return values


def unknown_variables() -> dict[str, str | None]:
    """Return the environment's variables that look like settings and are none, each with the nearest that is one.

    A typing error in a name would otherwise leave a default in place, silently.
    """
    known = [name for name, _ in setting_fields()]
    # An option of the command line, what the tests read, and what shells set to ask for completions.
    others = ("FACEAUTH_DEBUG", "FACEAUTH_TEST_", "FACEAUTH_COMPLETE")
    names = [name for name in sorted(os.environ) if name.upper().startswith(PREFIX) and name.upper() not in known]
    return {
        name: next(iter(get_close_matches(name.upper(), known, 1)), None)
        for name in names
        if not name.upper().startswith(others)
    }


def _told(place: tuple[int | str, ...], kind: str, message: str) -> str:
    name = PREFIX + "__".join(str(part).upper() for part in place)
    if kind != "extra_forbidden":
        return f"{name}: {message}."
    nearest = get_close_matches(name, [known for known, _ in setting_fields()], 1)
    told = f"There is no setting {name}, nor {'.'.join(map(str, place))} for {CONFIG_FILE}."
    return f"{told} Did you mean {nearest[0]}?" if nearest else told
