"""What takes two people, as it goes over the wire."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict

from faceauth.api.wire.base import Answer, Request, with_example

_EXAMPLE = {
    "approval_id": "approval_5f0c2d8a9b1e4f37",
    "kind": "key_destroy",
    "details": {"version": 1},
    "state": "approved",
    "requested_by": "cli:anna",
    "requested_at": "2026-05-01T09:00:00Z",
    "expires_at": "2026-05-02T09:00:00Z",
    "decided_by": "apikey:key_0a1b2c3d4e5f6071",
}


class DecisionRequest(Request):
    """The second person's answer."""

    decision: Literal["approve", "reject"]

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example({"decision": "approve"}))


class ApprovalAnswer(Answer):
    """What was asked for, by whom, and what became of it; an `approved` one is done by asking for it again."""

    approval_id: str
    kind: str
    details: dict[str, str | int]
    state: Literal["requested", "approved", "rejected", "used", "expired"]
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    decided_by: str | None

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_EXAMPLE))


class ApprovalsAnswer(Answer):
    """Every approval of the tenant, the newest first."""

    approvals: list[ApprovalAnswer]

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra=with_example({"approvals": [_EXAMPLE]})
    )
