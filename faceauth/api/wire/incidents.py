"""The register of incidents, as it goes over the wire."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from faceauth.api.wire.base import Answer, At, Locale, Request, ScenarioName, Text, Version, with_example

Risk = Literal["none", "risk", "high"]
Long = Annotated[Text, Field(max_length=20_000)]

_SCOPE = {
    "reach": "stored",
    "since": "2026-05-01T00:00:00Z",
    "until": "2026-05-03T00:00:00Z",
    "scenario": "login",
    "model_digest": None,
    "key_version": None,
}
_OPENING = {
    "title": "A copy of the database left the building",
    "nature": "A backup disk was lost on its way. The keys were not on it.",
    "risk": "risk",
    "aware_at": "2026-05-03T08:00:00Z",
    "scope": _SCOPE,
}
_NOTICE = {"sent_at": "2026-05-04T12:00:00Z", "people": 1312, "texts": {"en": "A disk was lost."}}
_INCIDENT = {
    **_OPENING,
    "incident_id": "incident_5f0c2d8a9b1e4f37",
    "consequences": "Sealed templates cannot be opened without the keys.",
    "measures": "The keys were rotated.",
    "state": "open",
    "due_at": "2026-05-06T08:00:00Z",
    "authority_at": "2026-05-04T10:00:00Z",
    "overdue": False,
    "created_at": "2026-05-03T08:20:00Z",
    "closed_at": None,
    "report": None,
    "notices": [_NOTICE],
}
_PERSON = {"subject": "9f" * 32, "shown": "a***@example.com", "there": True}


class IncidentScope(Request):
    """Whom it reached: whose face was `used`, or `stored`, between two times; narrower if more is known."""

    reach: Literal["used", "stored"]
    since: At
    until: At
    scenario: ScenarioName | None = None
    model_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    key_version: Version | None = None

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_SCOPE))


class IncidentRequest(Request):
    """A new incident. `aware_at` is when somebody first knew: the 72 hours run from it."""

    title: Annotated[Text, Field(min_length=1, max_length=200)]
    nature: Annotated[Long, Field(min_length=1)]
    risk: Risk
    aware_at: At
    scope: IncidentScope

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_OPENING))


class IncidentChange(Request):
    """What is known better now. `authority_at`: when the authority was told, which stops the clock."""

    nature: Annotated[Long, Field(min_length=1)] | None = None
    consequences: Long | None = None
    measures: Long | None = None
    risk: Risk | None = None
    scope: IncidentScope | None = None
    authority_at: At | None = None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {"measures": "The keys were rotated.", "authority_at": "2026-05-04T10:00:00Z"}
        ),
    )


class TellingRequest(Request):
    """What the people it reached are told, by language; with `elsewhere` nothing is sent, only written down."""

    texts: Annotated[dict[Locale, Annotated[Long, Field(min_length=1)]], Field(min_length=1, max_length=50)]
    elsewhere: bool = False

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra=with_example({"texts": {"en": "A disk was lost."}})
    )


class ClosingRequest(Request):
    """What came out of it, for the closing report."""

    conclusion: Annotated[Long, Field(min_length=1)]

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra=with_example({"conclusion": "Disks travel encrypted now."})
    )


class NoticeTold(Answer):
    """One notice to people."""

    sent_at: datetime
    people: int
    texts: dict[str, str]

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_NOTICE))


class IncidentAnswer(Answer):
    """One incident. `report` is the signed closing report, a JWS, once it is closed."""

    incident_id: str
    title: str
    nature: str
    consequences: str
    measures: str
    risk: Risk
    scope: dict[str, str | int | None]
    state: Literal["open", "closed"]
    aware_at: datetime
    due_at: datetime
    authority_at: datetime | None
    overdue: bool
    created_at: datetime
    closed_at: datetime | None
    report: str | None
    notices: list[NoticeTold]

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_INCIDENT))


class IncidentsAnswer(Answer):
    """Every incident of the tenant, the newest first."""

    incidents: list[IncidentAnswer]

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra=with_example({"incidents": [_INCIDENT]})
    )


class AffectedPerson(Answer):
    """One person under the audit log's pseudonym; `shown` is the account disguised, `there` if it still is."""

    subject: str
    shown: str
    there: bool

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_PERSON))


class AffectedAnswer(Answer):
    """How many it reached, how many of them still have an account, and a page of them. `next` goes on after it."""

    count: int
    there: int
    people: list[AffectedPerson]
    next: str | None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example({"count": 1, "there": 1, "people": [_PERSON], "next": None}),
    )


class RecipientsAnswer(Answer):
    """The accounts by name, once a second person approved it; until then none, and what waits."""

    approval_id: str
    state: Literal["requested", "approved", "rejected", "used", "expired"]
    accounts: list[str]

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {"approval_id": "approval_5f0c2d8a9b1e4f37", "state": "used", "accounts": ["anna@example.com"]}
        ),
    )
