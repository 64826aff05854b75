"""Somebody before the camera: who does not get through tries again, as people do, and the story says so."""

from collections.abc import Sequence

from faceauth.demo.people import Person, Photo
from faceauth.demo.stage import Outcome, Stage
from faceauth.simulate import Head
from faceauth.types import Purpose

TRIES = 3
"""How often somebody tries. Two acts with three failures each would still not lock Ann's face (R10)."""


def attempt(
    stage: Stage,
    purpose: Purpose,
    scenario: str,
    account: str | None,
    heads: Sequence[Head],
    *,
    until: str = "accepted",
) -> tuple[Outcome, str]:
    """Let a living person try, with one photograph after the other.

    It ends when they are accepted, or denied for the reason `until`, or have tried `TRIES` times.

    Returns:
        The last outcome, and how many tries it took and why, to be told; nothing if it took one.
    """
    outcome = stage.perform(stage.open(purpose, scenario, account), heads[0])
    earlier: list[str] = []
    while not outcome.accepted and outcome.reason != until and len(earlier) + 1 < TRIES:
        earlier.append(outcome.gate or outcome.reason or ", ".join(outcome.guidance))
        outcome = stage.perform(stage.open(purpose, scenario, account), heads[len(earlier) % len(heads)])
    return outcome, f" (at try {len(earlier) + 1}; before it: {', '.join(earlier)})" if earlier else ""


def told(outcome: Outcome) -> str:
    """Return what a session came to, as the backend and the operator see it."""
    if outcome.accepted:
        return "accepted"
    if outcome.device == "open":
        return f"not judged, guidance: {', '.join(outcome.guidance)}"
    log = f"; the log: gate {outcome.gate}" if outcome.gate else ""
    return f"the device learns `{outcome.device}`; the backend: {outcome.reason}{log}"


def head(person: Person, photo: Photo) -> Head:
    """Return a head of the person's own shape that wears the photograph."""
    return Head(photo.image, photo.landmarks, seed=sum(person.account.encode()))
