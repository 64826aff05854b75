"""The end of a lock-out, as the application tells it."""

from pydantic import ConfigDict, Field

from faceauth.api.wire.base import Answer, At, Request, with_example


class RestoreRequest(Request):
    """The person proved another factor to the application, and may try their face again."""

    reauthenticated_at: At = Field(description="When that was; only a fresh proof counts (R14).")

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example({"reauthenticated_at": "2026-03-01T12:00:00Z"}),
    )


class RestoredAnswer(Answer):
    """The counters start again from nothing; `was_disabled` says whether the face was switched off."""

    account_id: str
    was_disabled: bool

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example({"account_id": "user-42", "was_disabled": True}),
    )
