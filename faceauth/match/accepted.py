"""The repository of the thresholds that were accepted: by model, which ones count (R52)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from faceauth.db.schema import installation

_KEY = "thresholds/"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was accepted for one model: `digest` names all that decides, `points` are the thresholds by name."""

    digest: str
    points: Mapping[str, float]


def accepted(conn: Connection) -> dict[str, Accepted]:
    """Return what was accepted, by the model's digest in hex; empty before the first start."""
    row = installation.c
    found = conn.execute(select(row.key, row.value).where(row.key.startswith(_KEY, autoescape=True)))
    return {key.removeprefix(_KEY): Accepted(**json.loads(value)) for key, value in found}


def accept(conn: Connection, *, model: str, digest: str, points: Mapping[str, float]) -> None:
    """Write down what counts for a model from now on, in the place of what counted before."""
    key = _KEY + model
    conn.execute(delete(installation).where(installation.c.key == key))
    value = json.dumps({"digest": digest, "points": dict(points)}, sort_keys=True)
    conn.execute(insert(installation).values(key=key, value=value))
