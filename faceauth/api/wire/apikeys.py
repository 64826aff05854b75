"""API keys, as they go over the wire to an operator."""

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from faceauth.api.wire.base import Answer, Request, Text, with_example
from faceauth.identity.apikeys import LABEL_LENGTH, LONGEST_OVERLAP, Role

_KEY = {
    "key_id": "key_5f0c2d8a9b1e4f37",
    "role": "application",
    "label": "The shop",
    "created_at": "2026-11-22T09:30:00Z",
    "expires_at": None,
    "revoked_at": None,
}


class ApiKeyAnswer(Answer):
    """What may be told about a key."""

    key_id: str
    role: Role
    label: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_KEY))


class ApiKeysAnswer(Answer):
    """The tenant's keys, the oldest first."""

    keys: list[ApiKeyAnswer]

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example({"keys": [_KEY]}))


class IssueRequest(Request):
    """A new key. An administrator's role takes two people."""

    role: Role
    label: Annotated[Text, Field(max_length=LABEL_LENGTH)] = ""
    expires_days: Annotated[int, Field(ge=1, le=36_500)] | None = None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example({"role": "application", "label": "The shop", "expires_days": 365}),
    )


class RotateKeyRequest(Request):
    """How long both keys work; 0 ends the old one now."""

    overlap_hours: int = Field(default=24, ge=0, le=LONGEST_OVERLAP.days * 24)

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example({"overlap_hours": 24}))


class IssuedAnswer(Answer):
    """The new key; `secret` is told this once and kept nowhere.

    Without a key it waits for a second person's word on `approval_id`; then ask for the same again.
    """

    key_id: str | None
    secret: str | None = Field(repr=False)
    approval_id: str | None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {"key_id": None, "secret": None, "approval_id": "approval_5f0c2d8a9b1e4f37"}
        ),
    )
