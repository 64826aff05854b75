"""The groups of settings: names, defaults and what they mean. `faceauth.settings` reads them."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, SecretStr, model_validator


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


class AttemptSettings(Section):
    """How often a face may be tried."""

    profile: Literal["nist-63b-4", "strict"] = Field(
        default="nist-63b-4", description="The limits, by name (docs/identity.md)."
    )
    network: Literal["connection", "told"] = Field(
        default="connection",
        description="`told`: only the address that the application tells names a network, not the connection's.",
    )


class SessionSettings(Section):
    """The life of a session."""

    open_s: PositiveInt = Field(default=300, description="Seconds a session waits for its first frame.")
    capture_s: PositiveInt = Field(default=60, le=60, description="Seconds it lives once capture starts (R15).")
    reauthentication_max_age_s: PositiveInt = Field(
        default=300, description="How old the proof by another factor may be when a face is enrolled (R14)."
    )
    posts: PositiveInt = Field(default=3, description="Multipart posts one session may make before a decision.")


class FlowSettings(Section):
    """Links to the hosted page."""

    open_s: PositiveInt = Field(
        default=300, le=3600, description="Seconds a link to the hosted page may be used, until the camera starts."
    )
    return_to: list[str] = Field(
        default_factory=list,
        description="Where flows may return to besides CORS_ORIGINS: origins, and apps' schemes with a colon.",
    )


class OpenIdSettings(Section):
    """The OpenID provider (docs/openid.md)."""

    login_s: PositiveInt = Field(default=600, le=3600, description="Seconds a login sent here may take.")
    code_s: PositiveInt = Field(default=60, le=60, description="Seconds an authorization code is good, once.")
    token_s: PositiveInt = Field(default=300, le=3600, description="Seconds an access token is good.")
    refresh_days: PositiveInt = Field(
        default=30, le=365, description="Days a client may refresh at most, where it may at all."
    )


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
    denial_s: float = Field(
        default=1.5,
        ge=0,
        le=10,
        description="Seconds after which a denial is told at the earliest, until the service knows what it takes "
        "here (R25).",
    )


class StreamSettings(Section):
    """Sessions over the WebSocket."""

    sessions: PositiveInt = Field(default=64, description="Sessions that may be streamed at once (R59).")
    step_s: PositiveInt = Field(default=7, le=60, description="Seconds a person has for one step.")
    frames: PositiveInt = Field(default=240, description="Frames of one burst; a post has its own cap.")
    first_frame_s: PositiveInt = Field(
        default=30, description="Seconds a connection may wait with its first frame."
    )


class DeviceSettings(Section):
    """Device keys (docs/devices.md)."""

    rp_id: str = Field(
        default="", description="The domain WebAuthn keys are bound to, if it is not the host of ISSUER."
    )
    origins: list[str] = Field(
        default_factory=list, description="Pages and apps that may use WebAuthn keys, beside the service's own."
    )
    attestation_roots: Path | None = Field(
        default=None,
        description="A folder with root certificates, format/*.pem, that make a key count as hardware.",
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


class WebhookSettings(Section):
    """Messages to applications (docs/webhooks.md)."""

    allow: list[str] = Field(
        default_factory=list, description="Hosts that messages may go to; none without (R26)."
    )
    private: bool = Field(
        default=False, description="Whether they may be at private, link-local or loopback addresses."
    )
    http: bool = Field(default=False, description="Whether messages may go over plain http, for tests.")
    timeout_s: float = Field(default=10.0, gt=0, le=60, description="Seconds one delivery may take, all in all.")
    tries: PositiveInt = Field(default=10, le=30, description="Tries before a message is given up.")
    every_s: float = Field(default=5.0, gt=0, le=3600, description="Seconds between two looks for messages.")


class CampaignSettings(Section):
    """Asking for consent again (docs/campaigns.md)."""

    batch: PositiveInt = Field(default=50, le=5000, description="People asked in one transaction.")
    every_s: NonNegativeInt = Field(
        default=60, le=86_400, description="Seconds between two rounds; 0: only by `faceauth campaign run`."
    )


class AdministrationSettings(Section):
    """What administrators see and do (docs/administration.md)."""

    minimum_group: int = Field(
        default=10, ge=2, le=10_000, description="People a statistic must stand for; smaller groups are not told."
    )
    bulk: PositiveInt = Field(
        default=10, description="People from which on an erasure of many takes a second person (R52)."
    )


class ConsoleOpenIdSettings(Section):
    """Another OpenID provider, through which administrators sign in to the console."""

    issuer: str = Field(default="", description="The provider's issuer, exactly as it calls itself; empty: none.")
    client_id: str = Field(default="", description="What this service is called there.")
    client_secret: SecretStr = Field(default=SecretStr(""), description="Its secret there, if it has one.")
    scopes: list[str] = Field(default_factory=lambda: ["openid"], description="What is asked for there.")
    claim: str = Field(default="groups", description="The claim of the ID Token that says who may what.")
    roles: dict[str, Literal["operator", "privacy", "auditor"]] = Field(
        default_factory=dict, description="Which value of the claim stands for which role; the first that fits."
    )


class ConsoleSettings(Section):
    """The console at /ui/admin (docs/console.md)."""

    idle_minutes: PositiveInt = Field(
        default=15, le=120, description="Minutes after which an unused session ends."
    )
    longest_hours: PositiveInt = Field(default=8, le=24, description="Hours after which any session ends.")
    openid: ConsoleOpenIdSettings = Field(default_factory=ConsoleOpenIdSettings)


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
        default=4_000,
        description="References of a large gallery that are compared exactly where the first 200 leave a doubt.",
    )


class ConsentSettings(Section):
    """What notices and receipts name, and who may agree."""

    controller: str = Field(default="The operator of this service", description="Who decides about the data.")
    controller_contact: str = Field(default="", description="How the controller is reached.")
    jurisdiction: str = Field(default="", description="Whose law applies, as written into receipts.")
    storage_place: str = Field(default="On this installation's own storage", description="Where data is kept.")
    minimum_age: PositiveInt = Field(default=14, description="Below it a guardian must agree (R35).")
    validity_days: PositiveInt = Field(default=365, description="Days after which a consent must be renewed.")
