"""Model packs and what is enrolled with them, over the wire."""

from typing import Literal

from pydantic import ConfigDict

from faceauth.api.wire.base import Answer, with_example

_DIGEST = "9b3b6a1f0f0e4a0f5c7e3a52e5a2e0d1b7c6f5e4d3c2b1a09f8e7d6c5b4a3928"
_POINT = {
    "name": "fmr-1e-4",
    "fmr": 0.0001,
    "fmr_lower": 0.00008,
    "fmr_upper": 0.00011,
    "comparisons": 5000000,
    "fnmr": 0.05,
    "fnmr_low": 0.04,
    "fnmr_high": 0.06,
    "mated": 20000,
    "source": "a data set, held out",
}
_ENROLLED = {"scenario": "login", "people": 1204, "references": 3612}
_PACK = {
    "name": "open",
    "title": "A pack",
    "kind": "embedder",
    "state": "installed",
    "serves": "now",
    "licence": "Apache-2.0",
    "licence_url": "https://www.apache.org/licenses/LICENSE-2.0",
    "digest": _DIGEST,
    "model": _DIGEST,
    "points": [_POINT],
    "enrolled": [_ENROLLED],
}
_MOVING = {"scenario": "login", "moved": 1100, "left": 104}


class PointAnswer(Answer):
    """One operating point, as measured: `lower` and `upper`, `low` and `high` are the ends of 95 % intervals."""

    name: str
    fmr: float
    fmr_lower: float
    fmr_upper: float
    comparisons: int
    fnmr: float
    fnmr_low: float
    fnmr_high: float
    mated: int
    source: str

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_POINT))


class EnrolledAnswer(Answer):
    """People and references of a scenario; null where it is somebody, but fewer than `minimum`."""

    scenario: str
    people: int | None
    references: int | None

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_ENROLLED))


class PackAnswer(Answer):
    """One pack. `serves` is `now` where it decides, `before` where it only compares people of before."""

    name: str
    title: str
    kind: Literal["embedder", "passive"]
    state: Literal["installed", "missing", "not_installable"]
    serves: Literal["now", "before"] | None
    licence: str
    licence_url: str
    digest: str | None
    model: str | None
    points: list[PointAnswer]
    enrolled: list[EnrolledAnswer]

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_PACK))


class MovingAnswer(Answer):
    """How far a change of model is in one scenario; null where it is somebody, but fewer than `minimum`."""

    scenario: str
    moved: int | None
    left: int | None

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_MOVING))


class ModelsAnswer(Answer):
    """Every pack. `elsewhere` are people enrolled with models that are no pack's, by the model's digest.

    `decides` is false while what the packs decide by waits for a second person.
    """

    packs: list[PackAnswer]
    moving: list[MovingAnswer]
    elsewhere: dict[str, list[EnrolledAnswer]]
    decides: bool
    minimum: int

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {"packs": [_PACK], "moving": [_MOVING], "elsewhere": {}, "decides": True, "minimum": 10}
        ),
    )
