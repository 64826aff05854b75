"""People as administrators see them, over the wire: no name in the clear, and nothing made of a face."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from faceauth.api.wire.base import Answer, Name, Request, with_example

Mark = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""The audit log's pseudonym of an account."""

_MARK = "5f1d7a84db00d2fce00b31a7fc73224f8ae1ee0c9b1b3f4ae9a60d6c0f0e5c11"
_PERSON = {
    "mark": _MARK,
    "shown": "a***@example.com",
    "created_at": "2026-03-01T12:00:00Z",
    "restricted_at": None,
    "references": 3,
}
_LOCK = {
    "failures": 7,
    "since": "2026-03-01T12:00:00Z",
    "until": "2026-03-01T12:04:00Z",
    "until_with_flash": "2026-03-01T12:00:00Z",
    "open_with_flash": True,
}


class PersonAnswer(Answer):
    """One person. `mark` is the audit log's pseudonym, `shown` the disguised name."""

    mark: str
    shown: str
    created_at: datetime
    restricted_at: datetime | None
    references: int

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_PERSON))


class PeopleAnswer(Answer):
    """A page of the tenant's people; `more` says whether there is a next one."""

    people: list[PersonAnswer]
    page: int
    more: bool

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example({"people": [_PERSON], "page": 1, "more": False}),
    )


class SearchRequest(Request):
    """Whom to look for, by exactly the application's own name; parts of a name find nobody."""

    account_id: Name

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra=with_example({"account_id": "anna@example.com"})
    )


class SearchAnswer(Answer):
    """Under which mark the person is."""

    mark: str

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example({"mark": _MARK}))


class LockAnswer(Answer):
    """Why a face may not be tried: `until` is null where only another factor helps.

    `with_flash` is the same at levels with the flash, which have looser limits.
    """

    failures: int
    since: datetime | None
    until: datetime | None
    until_with_flash: datetime | None
    open_with_flash: bool

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_LOCK))


class PersonConsent(Answer):
    """Where the person stands with one scenario; `stale` asks for a new answer."""

    scenario: str
    state: str
    notice_version: int
    since: datetime
    valid_until: datetime | None
    stale: bool
    references: int

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "scenario": "login",
                "state": "given",
                "notice_version": 1,
                "since": "2026-03-01T12:00:00Z",
                "valid_until": None,
                "stale": False,
                "references": 3,
            }
        ),
    )


class PersonDevice(Answer):
    """A bound device, without the person's own name for it."""

    kind: str
    hardware: bool
    created_at: datetime
    last_used_at: datetime | None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {"kind": "webauthn", "hardware": True, "created_at": "2026-03-01T12:00:00Z", "last_used_at": None}
        ),
    )


class StandingAnswer(Answer):
    """All that an administrator sees of one person."""

    person: PersonAnswer
    consents: list[PersonConsent]
    devices: list[PersonDevice]
    lock: LockAnswer | None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example({"person": _PERSON, "consents": [], "devices": [], "lock": _LOCK}),
    )


class UnlockedAnswer(Answer):
    """The counters start again from nothing; `was_disabled` says whether the face was switched off."""

    was_disabled: bool

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example({"was_disabled": True}))


class LockedOutAnswer(Answer):
    """Somebody who may not try now; `there` is false for a name that is no account."""

    mark: str
    shown: str
    there: bool
    lock: LockAnswer

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example({"mark": _MARK, "shown": "a***@example.com", "there": True, "lock": _LOCK}),
    )


class FullPlaceAnswer(Answer):
    """A device or network whose tries are used up; `searching` where its searches are meant."""

    mark: str
    kind: Literal["device", "network"]
    searching: bool
    tries: int
    since: datetime
    until: datetime

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "mark": _MARK,
                "kind": "device",
                "searching": False,
                "tries": 20,
                "since": "2026-03-01T12:00:00Z",
                "until": "2026-03-01T13:00:00Z",
            }
        ),
    )


class LocksAnswer(Answer):
    """Who is locked out, the last failure first and at most 200; and the places that are."""

    people: list[LockedOutAnswer] = Field(max_length=200)
    places: list[FullPlaceAnswer]

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra=with_example({"people": [], "places": []})
    )
