"""How somebody in front of the camera moves: the answer to a challenge, or something else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from faceauth.simulate.light import Placement
from faceauth.types import Challenge, Pose, StepKind

Manner = Literal["obey", "mirror", "still", "shake", "wave"]
"""`obey` does what is asked; `mirror` turns to the other side; `still` holds still; `shake` turns left and right
all the time; `wave` moves to and fro, and turns, without regard to what is asked."""

LEAST_MS: dict[StepKind, int] = {"center": 500, "flash": 2400}
"""How long the page shows a step whose challenge asks for less; any other step lasts `MOTION_MS`."""
MOTION_MS = 1200
RETURN_MS = 1250
"""A centre step after a motion: the way back takes time."""

Angles = Callable[[float], tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant of the session: the frame's time, its step and for how long that goes, and where the head is."""

    t_ms: int
    step: str
    since_ms: float
    at: Placement


@dataclass(frozen=True, slots=True)
class _Move:
    """A movement that starts and ends smoothly; `to` is (yaw, pitch, nearer)."""

    start_ms: float
    for_ms: float
    to: tuple[float, float, float]


def perform(
    challenge: Challenge, rng: np.random.Generator, *, fps: float, start_t_ms: int, manner: Manner, mild: bool
) -> Iterator[Moment]:
    """Yield the moments of a session that answers `challenge`.

    A person reacts after 0.2 to 0.4 s, turns by 17 to 26 degrees within 0.4 to 0.6 s, and never holds quite still.
    With `mild` the turns are all alike and the sway is halved.
    """
    steps: list[tuple[float, str]] = []
    moves: list[_Move] = []
    at_ms = 0.0
    for number, step in enumerate(challenge.steps):
        steps.append((at_ms, step.id))
        react, lasts = rng.uniform(200, 400), rng.uniform(400, 600)
        moves.append(_Move(at_ms + react, lasts, _goal(step.kind, rng, mild=mild)))
        least = LEAST_MS.get(step.kind, MOTION_MS)
        if step.kind == "center" and number:
            least = RETURN_MS
        at_ms += max(step.min_ms + 60, least)
    path = _path(manner, moves, rng)
    sway = rng.uniform(0, 2 * np.pi, 6)
    amount = 0.5 if mild else 1.0
    frame, t_ms = 0, 0.0
    while t_ms < at_ms:
        start, step_id = next((start, name) for start, name in reversed(steps) if start <= t_ms)
        at = _place(path(t_ms), t_ms / 1000, sway, amount)
        yield Moment(start_t_ms + round(t_ms), step_id, t_ms - start, at)
        frame += 1
        t_ms = (frame + rng.uniform(-0.06, 0.06)) * 1000 / fps  # cameras do not tick exactly


def _goal(kind: StepKind, rng: np.random.Generator, *, mild: bool) -> tuple[float, float, float]:
    turn = 22.0 if mild else float(rng.uniform(17, 26))
    nod = 15.0 if mild else float(rng.uniform(12, 18))
    slant = float(rng.normal(0, 0.3 if mild else 1.5))
    goals: dict[StepKind, tuple[float, float, float]] = {
        "turn_left": (turn, slant, 0.0),
        "turn_right": (-turn, slant, 0.0),
        "nod_up": (slant, nod, 0.0),
        "nod_down": (slant, -nod, 0.0),
        "closer": (slant, 0.0, 2.5),
    }
    return goals.get(kind, (slant, slant / 2, 0.0))


def _path(manner: Manner, moves: list[_Move], rng: np.random.Generator) -> Angles:
    """Return yaw and pitch (degrees) and nearness (eye distances) as functions of the time in ms."""
    phase, rate = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 0.8)

    def obey(t_ms: float) -> tuple[float, float, float]:
        now = np.zeros(3)
        for move in moves:
            share = np.clip((t_ms - move.start_ms) / move.for_ms, 0.0, 1.0)
            now += (share * share * (3 - 2 * share)) * (np.array(move.to) - now)
        return float(now[0]), float(now[1]), float(now[2])

    def mirror(t_ms: float) -> tuple[float, float, float]:
        yaw, pitch, nearer = obey(t_ms)
        return -yaw, -pitch, nearer

    def shake(t_ms: float) -> tuple[float, float, float]:
        return 22.0 * float(np.sin(2 * np.pi * rate * t_ms / 1000 + phase)), 0.0, 0.0

    def wave(t_ms: float) -> tuple[float, float, float]:
        turn = 2 * np.pi * rate * t_ms / 1000
        return 28.0 * float(np.sin(turn + phase)), 8.0 * float(np.sin(1.7 * turn)), 0.8 * float(np.sin(0.6 * turn))

    def still(t_ms: float) -> tuple[float, float, float]:  # noqa: ARG001  the others depend on the time
        return 0.0, 0.0, 0.0

    return {"obey": obey, "mirror": mirror, "shake": shake, "wave": wave, "still": still}[manner]


def _place(angles: tuple[float, float, float], seconds: float, sway: np.ndarray, amount: float) -> Placement:
    yaw, pitch, nearer = angles
    wobble = amount * np.sin(2 * np.pi * np.array([0.31, 0.43, 0.37, 0.23, 0.29, 0.19]) * seconds + sway)
    pose = Pose(yaw + 0.8 * wobble[0], pitch + 0.8 * wobble[1], 1.2 * wobble[2] + 0.06 * yaw)
    return Placement(pose, (0.05 * wobble[3], 0.04 * wobble[4], nearer + 0.06 * wobble[5]))
