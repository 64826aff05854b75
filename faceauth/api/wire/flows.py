"""Flows, as the backend mints and reads them and as the hosted page walks through them."""

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import ConfigDict, Field

from faceauth.api.wire.base import Answer, At, Locale, Name, Request, ScenarioName, Text, Version, with_example
from faceauth.api.wire.consents import AffirmationRequest

_ID: Final = "ff_0f1e2d3c4b5a69788796a5b4c3d2e1f0"
_SHA256: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_RETURN: Final = "https://shop.example/face/done"


def _example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(example))


class FlowRequest(Request):
    """Whom to send to the hosted page, and what for."""

    account_id: Name
    scenario: ScenarioName
    purpose: Literal["enrol", "verify"]
    return_url: Text = Field(
        max_length=2000, description="Where the person goes back to; on CORS_ORIGINS or FLOWS__RETURN_TO."
    )
    reauthenticated_at: At | None = Field(
        default=None,
        description="When the person proved another factor; needed to enrol (R14), and for a login that shows the "
        "notice and takes an answer.",
    )
    locale: Locale | None = Field(default=None, description="The page's language; else the browser's.")

    model_config = _example(
        {
            "account_id": "user-42",
            "scenario": "login",
            "purpose": "enrol",
            "return_url": _RETURN,
            "reauthenticated_at": "2026-03-01T12:00:00Z",
            "locale": "en",
        }
    )


class FlowMintedAnswer(Answer):
    """A link. Send the person to `flow_url`, which works once; it is told only here."""

    flow_id: str
    flow_url: str
    expires_at: datetime

    model_config = _example(
        {
            "flow_id": _ID,
            "flow_url": f"https://face.example/ui/capture#flow={_ID}&token=ft_…",
            "expires_at": "2026-03-01T12:05:00Z",
        }
    )


class FlowAnswer(Answer):
    """A flow as the backend may see it; where there is a session, `GET /v1/sessions/{id}` tells the rest."""

    flow_id: str
    account_id: str
    scenario: str
    purpose: Literal["enrol", "verify"]
    state: Literal["open", "refused", "accepted", "denied", "expired", "cancelled"]
    reason: str | None = None
    session_id: str | None = None
    expires_at: datetime

    model_config = _example(
        {
            "flow_id": _ID,
            "account_id": "user-42",
            "scenario": "login",
            "purpose": "enrol",
            "state": "accepted",
            "reason": None,
            "session_id": "fs_0f1e2d3c4b5a69788796a5b4c3d2e1f0",
            "expires_at": "2026-03-01T12:05:00Z",
        }
    )


class ShownText(Answer):
    """A notice in one language, to be shown as it is."""

    text: str
    sha256: str


class ShownNotice(Answer):
    """The notice in force, in every language it was published in."""

    version: int
    texts: dict[str, ShownText]


class FlowBegunAnswer(Answer):
    """What the page shows. `page_token` is the credential for the rest; `notice` is null for who agreed before."""

    page_token: str
    scenario: str
    title: dict[str, str]
    purpose: Literal["enrol", "verify"]
    locale: str | None
    return_url: str
    notice: ShownNotice | None

    model_config = _example(
        {
            "page_token": "fp_the-page-s-secret",
            "scenario": "login",
            "title": {"en": "Signing in", "zh": "登录"},
            "purpose": "enrol",
            "locale": "en",
            "return_url": f"{_RETURN}?flow={_ID}",
            "notice": {
                "version": 1,
                "texts": {"en": {"text": "# Signing in with your face …", "sha256": _SHA256}},
            },
        }
    )


class FlowConsentRequest(Request):
    """The person's answer to the notice that the page showed."""

    decision: Literal["given", "refused"]
    notice_version: Version
    notice_sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the exact text shown.")
    locale: Locale
    affirmation: AffirmationRequest

    model_config = _example(
        {
            "decision": "given",
            "notice_version": 1,
            "notice_sha256": _SHA256,
            "locale": "en",
            "affirmation": {"method": "checkbox", "checked_by_default": False, "text": "I have read this."},
        }
    )


class FlowConsentAnswer(Answer):
    """What was recorded. `receipt` is a JWS the person can keep."""

    decision: Literal["given", "refused"]
    receipt: str | None = Field(description="None where a newer text was refused: nothing was written.")

    model_config = _example(
        {
            "decision": "given",
            "receipt": "eyJhbGciOiJFUzI1NiIsImtpZCI6Ii4uLiJ9.eyJjb25zZW50X3JlY29yZCI6Ii4uLiJ9.c2ln",
        }
    )


class FlowSessionAnswer(Answer):
    """The flow's session, for the page that asked."""

    session_id: str
    client_token: str
    expires_at: datetime

    model_config = _example(
        {
            "session_id": "fs_0f1e2d3c4b5a69788796a5b4c3d2e1f0",
            "client_token": "fc_the-device-s-secret",
            "expires_at": "2026-03-01T12:05:00Z",
        }
    )
