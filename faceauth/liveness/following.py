"""How far a step was answered while frames still come, so that a stream knows when to tell the next one.

It only paces a session. Whether it is accepted is for the gates, over every frame, once all steps are done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from faceauth.liveness.geometry import eye_distance, nose
from faceauth.liveness.motion import DIRECTION
from faceauth.liveness.profiles import Profile
from faceauth.types import Points, Step, StepKind

ENOUGH: Final[Mapping[StepKind, float]] = MappingProxyType(
    {"turn_left": 0.2, "turn_right": 0.2, "nod_up": 0.1, "nod_down": 0.1, "closer": 0.2}
)
"""How far the nose must go in a turn or a nod, in eye distances, and by how much the eyes must move apart in
`closer`, as a share, for the next step to be told (own figures: above what a face at rest shows, and below what
the simulated camera's heads reach)."""

PATIENCE_MS: Final = 2500
"""After so long half of it will do: some people move less, and the gates decide anyway."""

MARGIN_MS: Final = 100
"""A step lasts so much longer than it must, for the frames that are on their way when it ends."""

LAG_MS: Final = 400
"""A screen's colours may reach the camera so much later (study, G0: flash lag 0 to 400 ms)."""


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """What is kept of one frame that was looked at.

    `nose` is where the nose stood in the face's frame, shape (2,), and `eyes` the pixels between the eyes; both
    say nothing without a face. `good` says that nothing stood against the frame.
    """

    t_ms: int
    good: bool
    nose: NDArray[np.float64] | None = field(default=None, repr=False)
    eyes: float = 0.0

    @classmethod
    def of(cls, t_ms: int, landmarks: Points | None, *, good: bool) -> "Mark":
        """Measure landmarks of shape (5, 2); such as have no shape are as good as none."""
        try:
            return cls(t_ms, good, None if landmarks is None else nose(landmarks), _eyes(landmarks))
        except ValueError:
            return cls(t_ms, good=False)


class Follower:
    """Follows one burst, step by step."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._rest: NDArray[np.float64] | None = None
        self._eyes = 1.0

    def answered(self, step: Step, marks: Sequence[Mark], *, first: bool) -> float:
        """Return how far a step was answered, 0 to 1; at 1 the next may be told.

        Args:
            step: the one that was told last.
            marks: the frames of it that were looked at, in order.
            first: whether it opens the session; where the face then is, is where motions begin.
        """
        if not marks:
            return 0.0
        lasted = marks[-1].t_ms - marks[0].t_ms
        if step.kind == "center":
            done = self._steady(step, marks, lasted, first=first)
            if first and done >= 1:
                self._settle(marks)
            return done
        if step.kind == "flash":
            return min(1.0, lasted / (max(step.min_ms, sum(one.ms for one in step.colours)) + LAG_MS))
        return self._moved(step, marks, lasted)

    def _steady(self, step: Step, marks: Sequence[Mark], lasted: int, *, first: bool) -> float:
        since = marks[-1].t_ms
        for mark in reversed(marks):
            if not mark.good or not self._facing(mark):
                break
            since = mark.t_ms
        held = marks[-1].t_ms - since
        wanted = step.min_ms if first else self._profile.steady_ms
        return min(1.0, held / (wanted + MARGIN_MS), lasted / (step.min_ms + MARGIN_MS))

    def _facing(self, mark: Mark) -> bool:
        at = mark.nose
        if at is None:
            return False
        if self._rest is None:
            # Where the nose is at rest is not known yet: near the line between the eyes it is.
            return bool(abs(at[0]) <= 2 * self._profile.steady_nose)
        return bool((np.abs(at - self._rest) <= self._profile.steady_nose).all())

    def _settle(self, marks: Sequence[Mark]) -> None:
        seen = [mark for mark in marks if mark.good and mark.nose is not None]
        self._rest = np.median(np.stack([mark.nose for mark in seen if mark.nose is not None]), axis=0)
        self._eyes = float(np.median([mark.eyes for mark in seen]))

    def _moved(self, step: Step, marks: Sequence[Mark], lasted: int) -> float:
        if self._rest is None:
            return 0.0
        if step.kind == "closer":
            far = max(mark.eyes for mark in marks) / self._eyes - 1
        else:
            axis, sign = DIRECTION[step.kind]
            ways = [float(sign * (mark.nose - self._rest)[axis]) for mark in marks if mark.nose is not None]
            far = max(ways, default=0.0)
        enough = ENOUGH[step.kind] * (0.5 if lasted > PATIENCE_MS else 1.0)
        return max(0.0, min(1.0, far / enough, lasted / (step.min_ms + MARGIN_MS)))


def _eyes(landmarks: Points | None) -> float:
    return 0.0 if landmarks is None else eye_distance(landmarks)
