"""A person's answers to the question whether their face may be used."""

from datetime import datetime
from typing import Final, Literal

from pydantic import ConfigDict, Field, StrictBool

from faceauth.api.problems import ANOTHER_WAY
from faceauth.api.wire.base import Answer, Locale, Request, ScenarioName, Text, Version, with_example

_SHA256: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class AffirmationRequest(Request):
    """How the person said it: by which act and beside which words."""

    method: Literal["checkbox", "signature", "oral"]
    checked_by_default: StrictBool = Field(description="Must be false: a box ticked for the person is no consent.")
    text: Text = Field(min_length=1, max_length=2000, description="The words beside the box.")


class ConsentAnswerRequest(Request):
    """One person's answer for one scenario, to one exact text (R30, R31)."""

    scenario: ScenarioName
    notice_version: Version
    notice_sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the exact text shown.")
    locale: Locale
    decision: Literal["given", "refused"]
    affirmation: AffirmationRequest

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "scenario": "login",
                "notice_version": 1,
                "notice_sha256": _SHA256,
                "locale": "en",
                "decision": "given",
                "affirmation": {
                    "method": "checkbox",
                    "checked_by_default": False,
                    "text": "Yes, I want to log in with my face.",
                },
            }
        ),
    )


class ConsentAnswer(Answer):
    """What was recorded. `receipt` is a JWS the person can keep; `alternative` holds for either answer (R36)."""

    consent_id: str
    state: str
    scenario: str
    notice_version: int
    receipt: str
    alternative: str = ANOTHER_WAY

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "consent_id": "consent_8a6f0c1de2b34f55a1b2c3d4e5f60718",
                "state": "given",
                "scenario": "login",
                "notice_version": 1,
                "receipt": "eyJhbGciOiJFUzI1NiIsImtpZCI6Ii4uLiJ9.eyJjb25zZW50X3JlY29yZCI6Ii4uLiJ9.c2ln",
                "alternative": ANOTHER_WAY,
            }
        ),
    )


class ConsentItem(Answer):
    """One line of the ledger."""

    consent_id: str
    state: str
    scenario: str
    notice_version: int
    notice_sha256: str
    locale: str
    event_at: datetime
    valid_until: datetime | None
    receipt: str


class ConsentsAnswer(Answer):
    """Everything the person ever answered, the oldest first."""

    consents: tuple[ConsentItem, ...]

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "consents": [
                    {
                        "consent_id": "consent_8a6f0c1de2b34f55a1b2c3d4e5f60718",
                        "state": "given",
                        "scenario": "login",
                        "notice_version": 1,
                        "notice_sha256": _SHA256,
                        "locale": "en",
                        "event_at": "2026-03-01T12:00:10Z",
                        "valid_until": "2027-03-01T12:00:10Z",
                        "receipt": "eyJhbGciOiJFUzI1NiIsImtpZCI6Ii4uLiJ9.eyJjb25zZW50X3JlY29yZCI6Ii4uLiJ9.c2ln",
                    }
                ]
            }
        ),
    )
