"""How the service is, as it goes over the wire to an operator."""

from pydantic import ConfigDict

from faceauth.api.wire.base import Answer, with_example

_PART = {"name": "data", "works": True, "code": None}
_STEP = {"up_to_s": 0.3, "answers": 214}


class HealthPart(Answer):
    """One part that serving takes: `index`, `data` or `keys`; `code` names what is wrong with it."""

    name: str
    works: bool
    code: str | None

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_PART))


class LatencyStep(Answer):
    """Answers that took up to so many seconds, and longer than the step before; null has no end."""

    up_to_s: float | None
    answers: int

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_STEP))


class DetailedHealthAnswer(Answer):
    """How the service is. The numbers from `judging` on are of the process that answers, since it started.

    `people` is null until they were counted for the first time.
    """

    ready: bool
    parts: list[HealthPart]
    people: int | None
    people_alert_at: int
    erasures_unfinished: int
    messages: dict[str, int]
    judging: int
    judging_most: int
    streams: int
    streams_most: int
    posts: dict[str, int]
    shed: int
    latencies: list[LatencyStep]

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "ready": True,
                "parts": [_PART],
                "people": 1204,
                "people_alert_at": 100000,
                "erasures_unfinished": 0,
                "messages": {"pending": 2, "delivered": 40},
                "judging": 1,
                "judging_most": 10,
                "streams": 3,
                "streams_most": 64,
                "posts": {"accepted": 80, "denied": 7},
                "shed": 0,
                "latencies": [_STEP],
            }
        ),
    )
