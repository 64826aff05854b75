"""Campaigns as they go over the wire."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from faceauth.api.wire.base import Answer, At, Request, ScenarioName, Version, with_example

_AUDIENCE: Final[dict[str, Any]] = {"version_below": 3, "active_since": "2026-01-01T00:00:00Z"}
_CAMPAIGN: Final[dict[str, Any]] = {
    "campaign_id": "campaign_5f0c2d8a9b1e4f37",
    "scenario": "login",
    "notice_version": 3,
    "audience": {
        "consented_to": None,
        "version_below": 3,
        "active_since": "2026-01-01T00:00:00Z",
        "inactive_since": None,
    },
    "deadline": "2026-06-01T00:00:00Z",
    "on_deadline": "suspend",
    "remind_days": [7, 1],
    "state": "open",
    "created_by": "apikey:key_0a1b2c3d4e5f6071",
    "created_at": "2026-05-01T09:00:00Z",
    "closed_at": None,
    "undelivered": None,
    "asked": 1204,
    "given": 811,
    "refused": 17,
    "pending": 374,
    "progress": {
        "chosen": 1204,
        "asked": 1204,
        "given": 811,
        "refused": 17,
        "pending": 374,
        "lapsed": 0,
        "suspended": 0,
        "erased": 0,
        "waiting": 0,
        "gone": 2,
    },
}


class AudienceRequest(Request):
    """Whom to ask: those with a live consent that fits everything that is given."""

    consented_to: ScenarioName | None = Field(
        default=None, description="The scenario they agreed to; the campaign's own, if left out."
    )
    version_below: Version | None = Field(default=None, description="Agreed under an older notice than this.")
    active_since: At | None = Field(default=None, description="Last used, or agreed, then or after.")
    inactive_since: At | None = Field(default=None, description="Last used, or agreed, before.")

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_AUDIENCE))


class CampaignRequest(Request):
    """A question to put: the notice in force, of whom, until when, and what silence leads to (R34)."""

    scenario: ScenarioName
    audience: AudienceRequest = AudienceRequest()
    deadline: At
    on_deadline: Literal["suspend", "erase"] = Field(description="What happens to who was asked and is silent.")
    remind_days: tuple[Annotated[int, Field(ge=1, le=365)], ...] = Field(
        default=(7, 1), max_length=10, description="Days before the deadline on which the silent are reminded."
    )

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "scenario": "login",
                "audience": _AUDIENCE,
                "deadline": "2026-06-01T00:00:00Z",
                "on_deadline": "suspend",
                "remind_days": [7, 1],
            }
        ),
    )


class PreviewAnswer(Answer):
    """How many people it would ask, by the version of the notice they agreed to. Nothing was done."""

    people: int
    by_version: dict[int, int]
    notice_version: int

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example({"people": 1204, "by_version": {"1": 204, "2": 1000}, "notice_version": 3}),
    )


class AudienceAnswer(Answer):
    """Whom a campaign asks."""

    consented_to: str | None
    version_below: int | None
    active_since: datetime | None
    inactive_since: datetime | None


class ProgressAnswer(Answer):
    """How far it has come, in people: of the `chosen`, `asked` were asked, `waiting` will be, `gone` left."""

    chosen: int
    asked: int
    given: int
    refused: int
    pending: int
    lapsed: int
    suspended: int
    erased: int
    waiting: int
    gone: int


class CampaignAnswer(Answer):
    """One campaign, how many were asked and what they said; once it is closed, `progress` is its report."""

    campaign_id: str
    scenario: str
    notice_version: int
    audience: AudienceAnswer
    deadline: datetime
    on_deadline: Literal["suspend", "erase"]
    remind_days: tuple[int, ...]
    state: Literal["open", "closed", "cancelled"]
    created_by: str
    created_at: datetime
    closed_at: datetime | None
    undelivered: int | None = Field(description="How many silent ones the question had not reached at the end.")
    asked: int
    given: int
    refused: int
    pending: int
    progress: ProgressAnswer

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_CAMPAIGN))


class CampaignsAnswer(Answer):
    """Every campaign of the tenant, the newest first."""

    campaigns: tuple[CampaignAnswer, ...]

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra=with_example({"campaigns": [_CAMPAIGN]})
    )


class BegunAnswer(Answer):
    """The campaign; or none yet, and the approval that one with erasure waits for (R52)."""

    campaign_id: str | None
    campaign: CampaignAnswer | None
    approval_id: str | None
    left_to_do: str

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "campaign_id": _CAMPAIGN["campaign_id"],
                "campaign": _CAMPAIGN,
                "approval_id": None,
                "left_to_do": "People are asked within minutes.",
            }
        ),
    )
