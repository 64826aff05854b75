"""Accounts, their references, and what a person may see and take along."""

from datetime import date, datetime
from typing import Any

from pydantic import ConfigDict, Field, StrictBool

from faceauth.api.wire.base import Answer, Locale, Request, Text, with_example


class AccountRequest(Request):
    """Facts about a person that the service needs; a fact left out stays as it is."""

    locale: Locale | None = None
    birth_date: date | None = Field(default=None, description="Below the minimum age a guardian must agree (R35).")
    contact: Text | None = Field(default=None, max_length=320)
    guardian: dict[str, Text | bool | int] | None = Field(default=None, description="Who agrees for a child.")

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example({"locale": "en", "birth_date": "1990-05-17"}),
    )


class AccountAnswer(Answer):
    """An account as it is kept."""

    account_id: str
    locale: str | None
    birth_date: date | None
    contact: str | None
    guardian: dict[str, Any] | None
    created_at: datetime
    restricted_at: datetime | None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "account_id": "user-42",
                "locale": "en",
                "birth_date": "1990-05-17",
                "contact": None,
                "guardian": None,
                "created_at": "2026-03-01T12:00:00Z",
                "restricted_at": None,
            }
        ),
    )


class RestrictionRequest(Request):
    """Whether every use of the face is to be suspended; nothing is erased by it (GDPR 18)."""

    restricted: StrictBool

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example({"restricted": True}))


class ReceiptsAnswer(Answer):
    """Every receipt the person was ever given, and the keys that check them: nothing else is needed."""

    receipts: tuple[str, ...]
    jwks: dict[str, Any]

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {"receipts": ["eyJhbGciOiJFUzI1NiIsImtpZCI6Ii4uLiJ9.eyJ3aHkiOiIuLi4ifQ.c2ln"], "jwks": {"keys": []}}
        ),
    )


class DeletionAnswer(Answer):
    """What was erased, as a signed receipt (a JWS) that anyone can check against /oauth2/jwks (R44)."""

    receipt: str

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {"receipt": "eyJhbGciOiJFUzI1NiIsImtpZCI6Ii4uLiJ9.eyJ3aHkiOiIuLi4ifQ.c2ln"}
        ),
    )


class ReferenceAnswer(Answer):
    """One stored reference: never a vector. `model` is the SHA-256 of the model it was made with."""

    reference_id: str
    scenario: str
    model: str
    created_at: datetime


class ReferencesAnswer(Answer):
    """All references of an account."""

    references: tuple[ReferenceAnswer, ...]

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "references": [
                    {
                        "reference_id": "ref_0f1e2d3c4b5a69788796a5b4c3d2e1f0",
                        "scenario": "login",
                        "model": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                        "created_at": "2026-03-01T12:01:30Z",
                    }
                ]
            }
        ),
    )


class ActivityItem(Answer):
    """One thing that was done with the face."""

    at: datetime
    event: str
    scenario: str | None


class ActivityAnswer(Answer):
    """What was done with the face, the oldest first."""

    activity: tuple[ActivityItem, ...]

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "activity": [
                    {"at": "2026-03-01T12:00:10Z", "event": "person:consent:given", "scenario": "login"},
                    {"at": "2026-03-01T12:05:00Z", "event": "service:session:accepted", "scenario": "login"},
                ]
            }
        ),
    )


class ExportAnswer(Answer):
    """Everything kept about the person, without any vector."""

    export: dict[str, Any]

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "export": {
                    "schema": "faceauth/export/v1",
                    "exported_at": "2026-03-01T12:10:00+00:00",
                    "account": {"account_id": "user-42", "locale": "en"},
                    "consents": [],
                    "references": [],
                    "activity": [],
                }
            }
        ),
    )
