"""What the gates look at: one burst with all that is known of it."""

from dataclasses import dataclass, field

from faceauth.liveness.profiles import Profile
from faceauth.types import AlignedFace, Challenge, Embedder, Evidence, PassiveModels, Recorder


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One burst before the gates.

    Attributes:
        challenge: what the person was asked to do.
        faces: the one face of every frame, in order.
        profile: the gates' thresholds.
        embedder: tells whether the frames show one person.
        passive: the passive models, where they are installed.
        evidence: what is known of the burst beside its frames.
        record: is told what each gate measured.
    """

    challenge: Challenge
    faces: tuple[AlignedFace, ...] = field(repr=False)
    profile: Profile
    embedder: Embedder
    passive: PassiveModels | None
    evidence: Evidence
    record: Recorder


class Least:
    """The least of each value that a gate measures several times in one burst, told once: it decides."""

    def __init__(self, record: Recorder) -> None:
        """Tell `record`, when asked to."""
        self._record = record
        self._least: dict[tuple[str, str], float] = {}

    def add(self, gate: str, name: str, value: float) -> None:
        """Take one value."""
        self._least[gate, name] = min(self._least.get((gate, name), value), value)

    def tell(self) -> None:
        """Tell what there is, and forget it."""
        for (gate, name), value in self._least.items():
            self._record(gate, name, value)
        self._least.clear()
