"""The only reader of the environment: prefix ``FACEAUTH_``, ``__`` for nesting, or a TOML file."""

import os
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Any, Literal, Self

from platformdirs import user_cache_path, user_data_path
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from faceauth.errors import ConfigurationError

CONFIG_FILE = "faceauth.toml"
PREFIX = "FACEAUTH_"


class Section(BaseModel):
    """A group of settings; a name that is none is refused, here as at the top."""

    model_config = ConfigDict(extra="forbid")


class TokenSettings(Section):
    """The PKCS#11 token of the key provider `pkcs11`."""

    module: Path | None = Field(default=None, description="The token's PKCS#11 library.")
    token: str = Field(default="", description="The token's label.")
    pin: SecretStr = Field(default=SecretStr(""), description="The user's PIN on the token.")
    label: str = Field(default="faceauth", description="How the keys' labels start; the version follows.")


class VaultSettings(Section):
    """HashiCorp Vault, for the key provider `vault`."""

    url: str = Field(default="", description="Vault's address.")
    token: SecretStr = Field(default=SecretStr(""), description="The token that may use the key.")
    token_file: Path | None = Field(
        default=None, description="A file with the token instead, read at each use: an agent may renew it."
    )
    mount: str = Field(default="transit", description="Where the transit engine is mounted.")
    key: str = Field(default="faceauth", description="The transit key's name.")
    namespace: str = Field(default="", description="Vault's namespace, if it has any.")
    ca_file: Path | None = Field(default=None, description="The certificates that Vault's own must lead to.")


class KeySettings(Section):
    """Where the key-encryption keys come from."""

    provider: Literal["file", "environment", "pkcs11", "vault"] = Field(
        default="file", description="Who holds the key-encryption keys; nothing falls back to another."
    )
    file: Path | None = Field(
        default=None, description="The keyring file; beside the data folder, named after it, if not set."
    )
    journal: Path | None = Field(
        default=None, description="The journal of erasures; beside the keyring, named after it, if not set."
    )
    secret: SecretStr = Field(
        default=SecretStr(""), description="For `environment`: 32 random bytes in base64, or versions: `1:… 2:…`."
    )
    timeout_s: float = Field(
        default=3.0, gt=0, le=30, description="Seconds after which a token or Vault counts as down."
    )
    pkcs11: TokenSettings = Field(default_factory=TokenSettings)
    vault: VaultSettings = Field(default_factory=VaultSettings)


class CaptureSettings(Section):
    """Caps on what a device may send (R20)."""

    max_pixels: PositiveInt = Field(default=12_000_000, description="Pixels in one picture, from its header.")
    max_frame_bytes: PositiveInt = Field(default=2_000_000, description="Bytes of one frame.")
    max_frames: PositiveInt = Field(default=90, description="Frames in one session.")
    max_session_bytes: PositiveInt = Field(default=30_000_000, description="Bytes of all frames of one session.")
    min_eye_distance: float = Field(default=50.0, description="Pixels between the eyes, facing the camera.")


class SessionSettings(Section):
    """The life of a session."""

    open_s: PositiveInt = Field(default=300, description="Seconds a session waits for its first frame.")
    capture_s: PositiveInt = Field(default=60, le=60, description="Seconds it lives once capture starts (R15).")
    reauthentication_max_age_s: PositiveInt = Field(
        default=300, description="How old the proof by another factor may be when a face is enrolled (R14)."
    )
    posts: PositiveInt = Field(default=3, description="Multipart posts one session may make before a decision.")


class LivenessSettings(Section):
    """What is kept of the liveness gates; what they ask for is the scenario's."""

    observe: bool = Field(
        default=False, description="Keep what the gates measured, without frames, for tuning (docs/passive.md)."
    )
    observe_days: PositiveInt = Field(default=14, le=90, description="Days such values are kept.")


class ServiceSettings(Section):
    """The process that serves."""

    workers: PositiveInt = Field(default=2, description="Threads that judge frames.")
    queue: PositiveInt = Field(default=16, description="Requests that may wait for one of them (R59).")


class StreamSettings(Section):
    """Sessions over the WebSocket."""

    sessions: PositiveInt = Field(default=64, description="Sessions that may be streamed at once (R59).")
    step_s: PositiveInt = Field(default=7, le=60, description="Seconds a person has for one step.")
    frames: PositiveInt = Field(default=240, description="Frames of one burst; a post has its own cap.")
    first_frame_s: PositiveInt = Field(
        default=30, description="Seconds a connection may wait with its first frame."
    )


class InferenceSettings(Section):
    """What runs the embedder."""

    provider: Literal["cpu", "cuda", "coreml", "openvino"] = Field(
        default="cpu", description="ONNX Runtime's provider for the embedder; nothing falls back to another."
    )
    batch: PositiveInt = Field(default=32, description="Chips embedded at once on an accelerator.")
    wait_ms: float = Field(
        default=3.0, ge=0, le=50, description="Milliseconds an accelerator waits for more chips to embed at once."
    )


class RetentionSettings(Section):
    """How long what is kept (R39); a scenario's own term is the scenario's."""

    inactivity_days: PositiveInt = Field(
        default=365, le=1095, description="Days after which a face that nobody used is erased."
    )
    sessions_days: PositiveInt = Field(
        default=90, le=1095, description="Days that the record of a session is kept, but a person's last use."
    )
    every_minutes: NonNegativeInt = Field(
        default=60, description="Minutes between two runs by the service; 0: only by `faceauth retention run`."
    )


class AuditSettings(Section):
    """A second place for audit records, outside the database (R49)."""

    file: Path | None = Field(default=None, description="A file that every audit record is appended to as well.")
    syslog: Path | None = Field(default=None, description="A syslog socket instead, such as /dev/log.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.file is not None and self.syslog is not None:
            raise ValueError("set either AUDIT__FILE or AUDIT__SYSLOG")
        return self


class IndexSettings(Section):
    """What searches for whoever gives no name."""

    backend: Literal["faiss"] = Field(default="faiss", description="What searches: FAISS, in this process.")
    engine: Literal["auto", "exact", "fp16", "int8", "codes"] = Field(
        default="auto", description="How large galleries are kept; `auto` chooses by size (docs/index-engines.md)."
    )
    nominated: PositiveInt = Field(
        default=1_000, description="References that the codes of a large gallery nominate for exact comparison."
    )


class ConsentSettings(Section):
    """What notices and receipts name, and who may agree."""

    controller: str = Field(default="The operator of this service", description="Who decides about the data.")
    controller_contact: str = Field(default="", description="How the controller is reached.")
    jurisdiction: str = Field(default="", description="Whose law applies, as written into receipts.")
    storage_place: str = Field(default="On this installation's own storage", description="Where data is kept.")
    minimum_age: PositiveInt = Field(default=14, description="Below it a guardian must agree (R35).")
    validity_days: PositiveInt = Field(default=365, description="Days after which a consent must be renewed.")


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
    liveness: LivenessSettings = Field(default_factory=LivenessSettings)
    service: ServiceSettings = Field(default_factory=ServiceSettings)
    stream: StreamSettings = Field(default_factory=StreamSettings)
    inference: InferenceSettings = Field(default_factory=InferenceSettings)
    index: IndexSettings = Field(default_factory=IndexSettings)
    consent: ConsentSettings = Field(default_factory=ConsentSettings)
    audit: AuditSettings = Field(default_factory=AuditSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)

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
