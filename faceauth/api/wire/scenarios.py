"""Scenarios and their notices, as applications read them and as the privacy officer makes them."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, StrictBool

from faceauth.api.wire.base import Answer, At, Locale, Request, ScenarioName, Text, with_example
from faceauth.types import DeviceKeyPolicy

_SHA256: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_NOTICE: Final[dict[str, Any]] = {
    "version": 1,
    "state": "active",
    "material": True,
    "material_because": [],
    "substance": {
        "controller": "The shop",
        "recipients": [],
        "purpose": {"en": "Log in with your face"},
        "method": "face recognition, verify",
        "retention_days": 365,
        "storage_place": "The shop's own computers",
    },
    "effective_at": "2026-03-01T12:00:00Z",
    "texts": {"en": {"text": "# Logging in with your face\n…", "sha256": _SHA256}},
}


Recipient = Annotated[Text, Field(min_length=1, max_length=200)]


class NoticeTextAnswer(Answer):
    """A notice in one language; `sha256` is over the exact UTF-8 text."""

    text: str
    sha256: str


NoticeState = Literal["scheduled", "active", "superseded", "retired"]
"""Where a version stands: its time has not come, it is in force, a newer one is, or its purpose is closed."""


class SubstanceAnswer(Answer):
    """What the notice promises beyond its words."""

    controller: str
    recipients: tuple[str, ...]
    purpose: dict[str, str]
    method: str
    retention_days: int
    storage_place: str


class NoticeAnswer(Answer):
    """One version of a scenario's notice, by language; `material_because` names what made it so by rule."""

    version: int
    state: NoticeState
    material: bool
    material_because: tuple[str, ...]
    substance: SubstanceAnswer | None
    effective_at: datetime
    texts: dict[str, NoticeTextAnswer]

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_NOTICE))


class NoticesAnswer(Answer):
    """Every version, the oldest first."""

    notices: tuple[NoticeAnswer, ...]

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example({"notices": [_NOTICE]}))


class ScenarioAnswer(Answer):
    """One purpose, with the notice in force now."""

    scenario: str
    mode: Literal["verify", "identify"]
    title: dict[str, str]
    retention_days: int
    state: Literal["active", "retired"]
    liveness_level: str
    flash_choice: bool
    device_key: DeviceKeyPolicy
    notice: NoticeAnswer | None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "scenario": "login",
                "mode": "verify",
                "title": {"en": "Log in with your face"},
                "retention_days": 365,
                "state": "active",
                "liveness_level": "motion+flash",
                "flash_choice": True,
                "device_key": "preferred",
                "notice": _NOTICE,
            }
        ),
    )


class ScenariosAnswer(Answer):
    """Every scenario."""

    scenarios: tuple[ScenarioAnswer, ...]

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "scenarios": [
                    {
                        "scenario": "login",
                        "mode": "verify",
                        "title": {"en": "Log in with your face"},
                        "retention_days": 365,
                        "state": "active",
                        "liveness_level": "motion+flash",
                        "flash_choice": True,
                        "device_key": "preferred",
                        "notice": _NOTICE,
                    }
                ]
            }
        ),
    )


class ScenarioRequest(Request):
    """A new purpose; it starts with nobody's consent (R34)."""

    scenario: ScenarioName
    mode: Literal["verify", "identify"]
    title: Text | dict[Locale, Text] = Field(description="One for every language, or one for each.")
    retention_days: int = Field(ge=1, le=1095)
    stream_only: StrictBool = Field(
        default=False,
        description="Whether frames are taken over the stream alone, where steps are told one by one.",
    )
    flash_choice: StrictBool = Field(
        default=True,
        description="Whether a person may answer with a second motion in place of flashing colours.",
    )
    device_key: DeviceKeyPolicy = Field(
        default="preferred",
        description="Whether a login needs a device key, uses one that signed, or none (docs/devices.md).",
    )
    liveness_level: str = Field(default="motion+flash", pattern=r"^[a-z][a-z0-9+_-]{0,39}$")
    recipients: tuple[Recipient, ...] = Field(
        default=(), max_length=20, description="Whoever else gets the data, as the notice names them."
    )
    notices: dict[Locale, Text] = Field(min_length=1, max_length=20)

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "scenario": "payment",
                "mode": "verify",
                "title": {"en": "Confirm payments with your face"},
                "retention_days": 180,
                "liveness_level": "motion+flash",
                "notices": {"en": "# Confirming payments with your face\n…"},
            }
        ),
    )


class ScenarioChange(Request):
    """What may change about a purpose without asking anybody again; what is left out stays."""

    flash_choice: StrictBool | None = Field(default=None, description="As for a new scenario.")
    device_key: DeviceKeyPolicy | None = Field(default=None, description="The same.")

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example({"flash_choice": False}))


class NoticeRequest(Request):
    """The next version of a scenario's notice; a material one asks everyone again.

    Recipients, title and retention that are left out stay as they are. Each that changes makes it material, and so
    does a change of the controller or the storage place in the settings.
    """

    notices: dict[Locale, Text] = Field(min_length=1, max_length=20)
    material: StrictBool
    effective_at: At | None = Field(default=None, description="Now, if left out or past.")
    recipients: tuple[Recipient, ...] | None = Field(default=None, max_length=20)
    title: Text | dict[Locale, Text] | None = Field(default=None, description="The purpose, in words.")
    retention_days: int | None = Field(default=None, ge=1, le=1095)

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "notices": {"en": "# Logging in with your face\n…"},
                "material": True,
                "effective_at": "2026-04-01T00:00:00Z",
            }
        ),
    )
