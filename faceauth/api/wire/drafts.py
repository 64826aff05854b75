"""Drafts of scenarios and notices, as the privacy officer writes them."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import ConfigDict, model_validator

from faceauth.api.wire.base import Answer, Request, ScenarioName, with_example
from faceauth.api.wire.scenarios import NoticeRequest, ScenarioRequest

_DRAFT = {
    "draft_id": "draft_0f1e2d3c4b5a6978",
    "kind": "notice",
    "scenario": "login",
    "content": {"notices": {"en": "# Logging in with your face\n…"}, "material": False},
    "created_by": "apikey:ak_0f1e2d3c",
    "created_at": "2026-03-01T12:00:00Z",
    "changed_at": "2026-03-01T12:05:00Z",
}


class DraftRequest(Request):
    """A new scenario, or the next notice of one that is there; nobody is shown it before it is published."""

    new_scenario: ScenarioRequest | None = None
    scenario: ScenarioName | None = None
    notice: NoticeRequest | None = None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "scenario": "login",
                "notice": {"notices": {"en": "# Logging in with your face\n…"}, "material": False},
            }
        ),
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.new_scenario is None) == (self.notice is None) or (self.notice is None) != (
            self.scenario is None
        ):
            raise ValueError("send new_scenario, or scenario and notice")
        return self


class DraftAnswer(Answer):
    """A draft; `content` is the request that publishing it makes."""

    draft_id: str
    kind: Literal["scenario", "notice"]
    scenario: str
    content: dict[str, Any]
    created_by: str
    created_at: datetime
    changed_at: datetime

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_DRAFT))


class DraftsAnswer(Answer):
    """All drafts, the one changed last first."""

    drafts: tuple[DraftAnswer, ...]

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example({"drafts": [_DRAFT]}))
