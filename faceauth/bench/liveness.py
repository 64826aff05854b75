"""Where the CPU time of judging one session goes, from its JPEGs to `LiveCapture`, stage by stage."""

import cProfile
import pstats
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from statistics import median
from time import thread_time
from typing import TYPE_CHECKING, Any, Final

from faceauth.bench.pad import Judge
from faceauth.bench.pad_films import shots_of
from faceauth.bench.pad_fixtures import Portrait
from faceauth.bench.pad_items import BONA_FIDE
from faceauth.bench.plots import new_figure
from faceauth.capture.decode import decode
from faceauth.capture.faces import FaceReader
from faceauth.errors import LivenessDenied
from faceauth.liveness.decision import judge
from faceauth.types import ChipTemplate, DetectedFace, Detector, Embedder, Frame, PassiveModels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Progress = Callable[[str, int, int], None]

STAGES: Final = (
    "decode",
    "detection",
    "alignment and quality",
    "tracking",
    "parallax",
    "flash",
    "embeddings",
    "passive",
    "other gates",
)

STUDY_MS: Final = (900, 1000)
STUDY_FRAMES: Final = 40
"""The preliminary study's: 0.9 to 1.0 s of CPU for a session of 40 frames (docs/liveness.md)."""

_PLACES: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    "tracking": {"tracking.py": frozenset({"__init__", "track", "steadied", "pair"})},
    "parallax": {"parallax.py": frozenset({"parallax"}), "plane.py": frozenset({"off_plane"})},
    "flash": {"flash.py": frozenset({"read_flash"})},
}
"""The gates' work that is told apart by a profiler: files and their functions, none of which calls another."""


@dataclass(frozen=True, slots=True)
class SessionCost:
    """CPU milliseconds of one session, by stage; `outcome` is `accepted`, guidance, or the gate that ended it."""

    frames: int
    stages_ms: Mapping[str, float]
    outcome: str

    @property
    def whole_ms(self) -> float:
        """All stages together."""
        return sum(self.stages_ms.values())


@dataclass(frozen=True, slots=True)
class LivenessCost:
    """What was measured of several sessions of one level."""

    level: str
    sessions: Sequence[SessionCost] = field(repr=False)

    @property
    def frames(self) -> float:
        """Frames of a session, the median."""
        return median(one.frames for one in self.sessions)

    @property
    def stages_ms(self) -> dict[str, float]:
        """CPU milliseconds a session by stage, each the median over the sessions."""
        return {name: median(one.stages_ms[name] for one in self.sessions) for name in STAGES}

    @property
    def whole_ms(self) -> float:
        """CPU milliseconds a session, the median."""
        return median(one.whole_ms for one in self.sessions)

    def as_json(self) -> dict[str, Any]:
        """Return it as a report holds it, beside the study's figure."""
        outcomes = [one.outcome for one in self.sessions]
        return {
            "level": self.level,
            "sessions": len(self.sessions),
            "outcomes": {name: outcomes.count(name) for name in sorted(set(outcomes))},
            "frames": self.frames,
            "cpu_ms": round(self.whole_ms, 1),
            "cpu_ms_least_most": [round(pick(one.whole_ms for one in self.sessions), 1) for pick in (min, max)],
            "cpu_ms_of_40_frames": round(self.whole_ms * STUDY_FRAMES / self.frames, 1),
            "study_cpu_ms_of_40_frames": list(STUDY_MS),
            "stages_cpu_ms": {name: round(spent, 2) for name, spent in self.stages_ms.items()},
        }

    def lines(self) -> list[str]:
        """Return the table, a line a stage."""
        total = sum(self.stages_ms.values()) or 1.0
        rows = [f"{name:<24}{spent:8.1f} ms {spent / total:6.0%}" for name, spent in self.stages_ms.items()]
        least, most = STUDY_MS
        each = self.whole_ms * STUDY_FRAMES / self.frames
        head = f"{self.level}: {self.whole_ms:.0f} ms of CPU a session of {self.frames:g} frames"
        tail = f"for {STUDY_FRAMES} frames {each:.0f} ms; the preliminary study: {least} to {most} ms"
        return [f"{head} (median of {len(self.sessions)})", *rows, tail]


class _Timed:
    """Adds up the CPU time of this thread that calls take."""

    def __init__(self) -> None:
        self.ms = 0.0

    def __call__(self, act: Callable[..., Any], *args: Any) -> Any:
        began = thread_time()
        try:
            return act(*args)
        finally:
            self.ms += 1000 * (thread_time() - began)


class _TimedDetector:
    """A detector whose time is taken; it follows only where the one behind it does."""

    def __init__(self, behind: Detector, timed: _Timed) -> None:
        self._behind, self._timed = behind, timed
        if hasattr(behind, "follow"):
            self.follow = self._follow

    def detect(self, image: Any) -> Sequence[DetectedFace]:
        found: Sequence[DetectedFace] = self._timed(self._behind.detect, image)
        return found

    def _follow(self, image: Any, faces: Sequence[DetectedFace]) -> Sequence[DetectedFace]:
        follow: Any = getattr(self._behind, "follow")  # noqa: B009  not every detector has it
        found: Sequence[DetectedFace] = self._timed(follow, image, faces)
        return found


class _TimedEmbedder:
    """An embedder whose time is taken."""

    def __init__(self, behind: Embedder, timed: _Timed) -> None:
        self._behind, self._timed = behind, timed

    def embed(self, chips: Any) -> Any:
        return self._timed(self._behind.embed, chips)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)


class _TimedPassive:
    """Passive models whose time is taken."""

    def __init__(self, behind: PassiveModels, timed: _Timed) -> None:
        self._behind, self._timed = behind, timed

    def live_scores(self, faces: Any) -> Any:
        return self._timed(self._behind.live_scores, faces)


def liveness_cost(
    judging: Judge,
    detector: Detector,
    template: ChipTemplate,
    portraits: Sequence[Portrait],
    *,
    sessions: int,
    progress: Progress,
) -> LivenessCost:
    """Film so many sessions of simulated heads and measure what judging them costs, the first one not counted.

    Args:
        judging: the level (its first), the embedder, the passive models and the limits.
        detector: the pack's.
        template: the embedder's.
        portraits: whose faces the heads wear, in turn.
        sessions: how many.
        progress: is told after each.
    """
    found = []
    for number in range(sessions + 1):
        portrait = portraits[number % len(portraits)]
        cost = _cost(judging, detector, template, portrait, seed=number)
        if number:
            found.append(cost)
        progress("judging sessions", number + 1, sessions + 1)
    return LivenessCost(judging.levels[0].name, found)


def _cost(
    judging: Judge, detector: Detector, template: ChipTemplate, portrait: Portrait, *, seed: int
) -> SessionCost:
    level = judging.levels[0]
    challenge, shots = shots_of(BONA_FIDE, portrait, level, seed=seed)
    spent = {name: _Timed() for name in ("decode", "detect", "read", "embed", "passive", "judge")}
    reader = FaceReader(_TimedDetector(detector, spent["detect"]), template)
    embedder: Any = _TimedEmbedder(judging.embedder, spent["embed"])
    passive = None if judging.passive is None else _TimedPassive(judging.passive, spent["passive"])
    frames: list[Frame] = [
        spent["decode"](_decode, shot.jpeg, shot.t_ms, shot.step, judging.limits) for shot in shots
    ]
    looks = frozenset(step.id for step in challenge.steps if step.kind == "center")
    faces, guidance = spent["read"](lambda: reader.read(frames, facing=looks))
    outcome = "accepted"

    def decide(embedding: Any, looking: Any) -> None:
        judge("bench", challenge, faces, embedder=embedding, profile=level, passive=looking)

    shares: Mapping[str, float] = {}
    if guidance:
        outcome = str(guidance[0])
    else:
        try:
            spent["judge"](decide, embedder, passive)
        except LivenessDenied as denied:
            outcome = denied.gate
        shares = _shares(lambda: decide(judging.embedder, judging.passive))
    gates = spent["judge"].ms - spent["embed"].ms - spent["passive"].ms
    stages = {
        "decode": spent["decode"].ms,
        "detection": spent["detect"].ms,
        "alignment and quality": spent["read"].ms - spent["detect"].ms,
        **{name: gates * shares.get(name, 0.0) for name in _PLACES},
        "embeddings": spent["embed"].ms,
        "passive": spent["passive"].ms,
        "other gates": gates * (1 - sum(shares.values())),
    }
    return SessionCost(len(frames), stages, outcome)


def _decode(jpeg: bytes, t_ms: int, step: str, limits: Any) -> Frame:
    return decode(jpeg, t_ms=t_ms, step=step, limits=limits)


def _shares(act: Callable[[], None]) -> dict[str, float]:
    """Return each gate's share of what all take together, without the networks.

    A profiler slows Python code down, so it tells shares only; what they are of was timed without it.
    """
    watched = cProfile.Profile(thread_time)
    with suppress(LivenessDenied):
        watched.runcall(act)
    stats: Any = pstats.Stats(watched)
    found = dict.fromkeys(_PLACES, 0.0)
    networks = whole = 0.0
    for (source, _, function), (_, _, _, cumulative, _) in stats.stats.items():
        path = PurePath(source).as_posix()
        for name, places in _PLACES.items():
            if any(
                path.endswith(f"faceauth/liveness/{file}") and function in those for file, those in places.items()
            ):
                found[name] += cumulative
        if function == "judge" and path.endswith("faceauth/liveness/decision.py"):
            whole += cumulative
        if function in {"embed", "live_scores"} and path.endswith(("embedder.py", "passive_models.py")):
            networks += cumulative
    return {name: took / max(whole - networks, 1e-9) for name, took in found.items()}


def draw(cost: LivenessCost) -> "Figure":
    """Draw the stages as bars.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    figure = new_figure()
    axes: Any = figure.add_subplot()
    stages = cost.stages_ms
    axes.barh(list(stages), list(stages.values()), color="#4477aa")
    axes.invert_yaxis()
    axes.margins(x=0.12)
    for number, spent in enumerate(stages.values()):
        axes.text(spent, number, f" {spent:.0f}", va="center", fontsize=8)
    axes.set_xlabel("ms of CPU a session, one thread")
    axes.set_title(f"{cost.level}: {cost.whole_ms:.0f} ms for {cost.frames:g} frames", fontsize=10)
    return figure


def write_plot(cost: LivenessCost, folder: Path) -> Path:
    """Write ``liveness.png`` and return where it is.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    file = folder / "liveness.png"
    draw(cost).savefig(file, dpi=110)
    return file
