"""What observe mode kept, in a few lines a gate; for the operator's eyes on the machine itself (R24)."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from faceauth.liveness.observations import Measured, Outcomes

SHARES: Final = (5, 50, 95)
"""Percentiles that are told."""

LEAST: Final = 20
"""Values below which no percentile is told: so few would be somebody's."""


def summary(outcomes: Sequence[Outcomes], measured: Sequence[Measured]) -> dict[str, Any]:
    """Return counts and percentiles as JSON values.

    Args:
        outcomes: how often each gate ended a burst, by level.
        measured: every value that is kept.
    """
    return {
        "levels": {one.profile: one.counts for one in outcomes},
        "gates": [
            {
                "gate": one.gate,
                "value": one.name,
                "accepted": _spread(one.accepted),
                "denied": _spread(one.denied),
            }
            for one in measured
        ],
    }


def _spread(values: Sequence[float]) -> dict[str, Any]:
    told = len(values) >= LEAST
    percentiles = np.percentile(values, SHARES).tolist() if told else None
    return {"bursts": len(values), "percentiles": percentiles}


def as_lines(found: dict[str, Any]) -> list[str]:
    """Return the summary as text: a line a level, two a value."""
    lines = [
        f"{level}: " + ", ".join(f"{name} {count}" for name, count in counts.items())
        for level, counts in found["levels"].items()
    ]
    for one in found["gates"]:
        name = f"{one['gate']} {one['value']}"
        lines += [f"{name}, {side}: {_told(one[side])}" for side in ("accepted", "denied")]
    return lines


def _told(spread: dict[str, Any]) -> str:
    if spread["percentiles"] is None:
        return f"{spread['bursts']} values, too few to tell percentiles ({LEAST} are needed)"
    values = ", ".join(f"{value:.3f}" for value in spread["percentiles"])
    return f"{spread['bursts']} values; 5th, 50th, 95th percentile {values}"
