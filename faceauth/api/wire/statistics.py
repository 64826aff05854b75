"""Statistics, as they go over the wire."""

from datetime import date

from pydantic import ConfigDict

from faceauth.api.wire.base import Answer, with_example

_GROUP = {"day": "2026-05-03", "scenario": "login", "people": 128, "accepted": 301, "denied": 12}


class UsageGroup(Answer):
    """People and decided sessions of a day and scenario; `scenario` is null for a day's small groups together."""

    day: date
    scenario: str | None
    people: int
    accepted: int
    denied: int

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_GROUP))


class UsageAnswer(Answer):
    """Usage of whole UTC days. A group of fewer than `minimum` people is left out, and `withheld` says so."""

    since: date
    until: date
    minimum: int
    groups: list[UsageGroup]
    withheld: bool

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {"since": "2026-05-01", "until": "2026-05-04", "minimum": 10, "groups": [_GROUP], "withheld": True}
        ),
    )
