"""What the privacy page asks and is told. Its token stands for one person, for one visit."""

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import ConfigDict, Field, StrictBool

from faceauth.api.wire.accounts import ActivityItem
from faceauth.api.wire.base import Answer, At, Request, ScenarioName, Text, with_example
from faceauth.api.wire.flows import ShownNotice

_NOTICE: Final[dict[str, Any]] = {
    "version": 2,
    "texts": {"en": {"text": "# Logging in with your face\n…", "sha256": "9f86d081…"}},
}


def _example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(example))


class RenewalRequest(Request):
    """What the person may set up anew from the page: as a flow that enrols, and with its proof (R14)."""

    scenario: ScenarioName
    return_url: Text = Field(max_length=2000, description="As for a flow: where the person goes back to.")
    reauthenticated_at: At = Field(description="When the person proved another factor.")


class PrivacyLinkRequest(Request):
    """What the link is to allow beside what the page does by itself; nothing, if left out."""

    renewal: RenewalRequest | None = None

    model_config = _example(
        {
            "renewal": {
                "scenario": "login",
                "return_url": "https://shop.example/face/done",
                "reauthenticated_at": "2026-03-01T12:00:00Z",
            }
        }
    )


class PrivacyLinkAnswer(Answer):
    """A link to the privacy page for one person, to be opened once; `flow_id` is that of the renewal, if any."""

    privacy_url: str
    expires_at: datetime
    flow_id: str | None = None

    model_config = _example(
        {
            "privacy_url": "https://face.example/ui/privacy#token=fl_…",
            "expires_at": "2026-03-01T12:10:00Z",
            "flow_id": None,
        }
    )


class PrivacyBegunAnswer(Answer):
    """The page's own token, for this visit."""

    page_token: str
    expires_at: datetime

    model_config = _example({"page_token": "fv_the-page-s-secret", "expires_at": "2026-03-01T12:30:00Z"})


class StandingItem(Answer):
    """One purpose: what it is, what is told about it now, and where the person stands."""

    scenario: str
    title: dict[str, str]
    stance: Literal["agreed", "ask_again", "refused", "withdrawn", "over", "never"]
    since: datetime | None
    version: int | None
    until: datetime | None
    declined: int | None = Field(
        description="The newest version they said no to since, while what they agreed to went on."
    )
    notice: ShownNotice


class PrivacyDevice(Answer):
    """One device that signs for the person."""

    device_id: str
    label: str
    created_at: datetime
    last_used_at: datetime | None


class PrivacyAnswer(Answer):
    """Everything the page shows."""

    locale: str | None
    restricted_at: datetime | None
    scenarios: tuple[StandingItem, ...]
    devices: tuple[PrivacyDevice, ...]
    activity: tuple[ActivityItem, ...]

    model_config = _example(
        {
            "locale": "en",
            "restricted_at": None,
            "scenarios": [
                {
                    "scenario": "login",
                    "title": {"en": "Sign in with your face"},
                    "stance": "agreed",
                    "since": "2026-03-01T12:00:00Z",
                    "version": 1,
                    "until": "2027-03-01T12:00:00Z",
                    "declined": None,
                    "notice": _NOTICE,
                }
            ],
            "devices": [],
            "activity": [
                {"at": "2026-03-01T12:00:10Z", "event": "person:consent:given", "scenario": "login"},
            ],
        }
    )


class PrivacyWithdrawal(Request):
    """What the person withdraws from."""

    scenario: ScenarioName

    model_config = _example({"scenario": "login"})


class PrivacyClosing(Request):
    """The person wants everything deleted, and says so in as many words."""

    everything: StrictBool

    model_config = _example({"everything": True})
