"""How the liveness levels answer living people and attacks: every gate's verdict, and all of them together.

An item is judged as the service would: the same capture, the same gates, the same thresholds. Beside the decision
each gate's measured values are kept, where it was denied from a second pass whose gates let everything by, so that
a gate can be looked at alone. Nothing of a person is kept: neither path nor picture.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import numpy as np

from faceauth.bench.pad_items import BONA_FIDE, Channel, Item, Kind
from faceauth.bench.pad_recordings import Recording, facing, find_faces, find_recordings, read_film, read_session
from faceauth.capture.decode import decode
from faceauth.capture.faces import FaceReader
from faceauth.errors import (
    ImageTooLarge,
    InvalidImage,
    InvalidRequest,
    InvalidTimeline,
    LivenessDenied,
    LivenessInconclusive,
    ModelError,
    TooManyFrames,
)
from faceauth.liveness.decision import judge
from faceauth.liveness.profiles import PROFILES, Profile
from faceauth.sections import CaptureSettings
from faceauth.types import AlignedFace, Embedder, PassiveModels, Recorder

Progress = Callable[[str, int, int], None]
Verdict = Literal["accepted", "denied", "unclear", "no response"]

SINGLE: Final = "single pictures, passive"
"""What a picture that stands alone is put to: the passive models, one look instead of a median."""

CLIPS: Final = "clips, passive"
"""What a clip is put to beside the challenges it happens to answer: the passive models on key frames."""

UNREADABLE: Final = "unreadable"

_ANYTHING: Final = -1e9
_OPEN: Final[dict[str, Any]] = {
    "steady_nose": -_ANYTHING,
    "nose_turn": _ANYTHING,
    "nose_astray": -_ANYTHING,
    "closer_least": _ANYTHING,
    "closer_soon": -_ANYTHING,
    "least_kept": _ANYTHING,
    "way_least": _ANYTHING,
    "way_aside": -_ANYTHING,
    "parallax": _ANYTHING,
    "parallax_each": _ANYTHING,
    "off_plane": _ANYTHING,
    "too_constant": -_ANYTHING,
    "flash_least": _ANYTHING,
    "flash_rho": _ANYTHING,
    "flash_shape": _ANYTHING,
    "flash_flat": _ANYTHING,
    "passive_pass": _ANYTHING,
    "passive_fail": _ANYTHING,
}
"""Thresholds of a pass that only measures. Order, timing, points that are left to follow and one person still
count: without them there is nothing to measure."""

THRESHOLDS: Final[Mapping[tuple[str, str], str | float]] = {
    ("continuity", "kept"): "least_kept",
    ("motion", "nose"): "nose_turn",
    ("motion", "way"): "way_least",
    ("parallax", "each"): "parallax_each",
    ("parallax", "gamma"): "parallax",
    ("plane", "residual"): "off_plane",
    ("identity", "margin"): 0.0,
    ("flash", "amplitude"): "flash_least",
    ("flash", "rho"): "flash_rho",
    ("flash", "shape"): "flash_shape",
    ("passive", "live"): "passive_pass",
}
"""Measured values that are good when they are large, and the threshold of each: the profile's of that name, or a
number."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One answer to one item at one level. `by` is the gate that denied or could not tell, or the guidance."""

    level: str
    kind: Kind
    species: str
    channel: Channel
    verdict: Verdict
    by: str = ""
    values: Mapping[tuple[str, str], float] = field(default_factory=dict, repr=False)

    @property
    def bona_fide(self) -> bool:
        """Whether a living person was presented."""
        return self.species == BONA_FIDE


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judge:
    """What decides: a pack's capture and embedder, and the passive models where they are installed."""

    reader: FaceReader
    embedder: Embedder
    passive: PassiveModels | None
    levels: Sequence[Profile]
    limits: CaptureSettings

    def items(self, items: Sequence[Item], *, progress: Progress) -> Iterator[Trial]:
        """Judge every item at every level that fits it.

        Args:
            items: what to judge.
            progress: is told how many are done.
        """
        for number, item in enumerate(items):
            yield from self.item(item)
            progress("judging", number + 1, len(items))

    def item(self, item: Item) -> Iterator[Trial]:
        """Judge one item: a session, a clip or a picture."""
        if item.kind == "picture":
            if self.passive is not None:
                yield self._picture(item)
            return
        try:
            if item.kind == "session":
                recordings = [read_session(item.path, self.limits)]
            else:
                recordings = yield from self._clip(item)
        except (ImageTooLarge, InvalidImage, InvalidRequest, InvalidTimeline, TooManyFrames):
            yield from (self._none(item, level.name, UNREADABLE) for level in self.levels)
            return
        for recording in recordings:
            yield from self.recording(item, recording)

    def recording(self, item: Item, recording: Recording) -> Iterator[Trial]:
        """Judge frames that answer a challenge at every level whose steps it has."""
        looks = frozenset(step.id for step in recording.challenge.steps if step.kind in {"center", "flash"})
        faces, guidance = self.reader.read(recording.frames, facing=looks, found=recording.found)
        flashes = any(step.kind == "flash" for step in recording.challenge.steps)
        for level in self.levels:
            if level.flash == flashes:
                if guidance:
                    yield self._none(item, level.name, guidance[0])
                else:
                    yield self._judged(item, recording, faces, level)

    def _clip(self, item: Item) -> Generator[Trial, None, list[Recording]]:
        """Put a clip's key frames to the passive models, and return what the clip answers."""
        frames, plain = read_film(item.path), _without_flash(self.levels)
        found = find_faces(frames, self.reader)
        if self.passive is not None:
            profile = PROFILES["motion+passive"]
            shown = [frames[number] for number in facing(found, profile, most=profile.best_faces)]
            # Each by itself: they lie seconds apart, and nothing is said of what happened between them.
            looks = [self.reader.read([frame]) for frame in shown]
            faces = [face for found_there, _ in looks for face in found_there]
            if len(faces) < profile.passive_frames:
                told = Counter(guidance[0] for _, guidance in looks if guidance).most_common(1)
                yield self._none(item, CLIPS, told[0][0] if told else "nobody faces the camera")
            else:
                yield self._looked_at(item, CLIPS, faces)
        recordings = find_recordings(frames, found, plain[0]) if plain else []
        if not recordings:
            yield from (self._none(item, level.name, "no motion found") for level in plain)
        return recordings

    def _judged(self, item: Item, recording: Recording, faces: Sequence[AlignedFace], level: Profile) -> Trial:
        values: dict[tuple[str, str], float] = {}

        def keep(gate: str, name: str, value: float) -> None:
            # Both passes may measure it, the second of frames that the gates would not take: the worse one counts.
            values[gate, name] = min(values.get((gate, name), value), value)

        verdict, by = self._decide(recording, faces, level, keep)
        if verdict != "accepted":
            # What came after the gate that ended it was not measured yet.
            self._decide(recording, faces, replace(level, **_OPEN), keep)
        return Trial(level.name, item.kind, item.species, item.channel, verdict, by, values)

    def _decide(
        self,
        recording: Recording,
        faces: Sequence[AlignedFace],
        level: Profile,
        record: Recorder,
    ) -> tuple[Verdict, str]:
        challenge = replace(recording.challenge, profile=level.name)
        try:
            judge(
                "bench",
                challenge,
                faces,
                embedder=self.embedder,
                profile=level,
                passive=self.passive,
                record=record,
            )
        except LivenessInconclusive as unclear:
            return "unclear", unclear.gate
        except LivenessDenied as denied:
            return "denied", denied.gate
        return "accepted", ""

    def _picture(self, item: Item) -> Trial:
        try:
            frame = decode(item.path.read_bytes(), t_ms=0, step="s1", limits=self.limits)
            faces, guidance = self.reader.read([frame])
        except (ImageTooLarge, InvalidImage):
            return self._none(item, SINGLE, UNREADABLE)
        return self._none(item, SINGLE, guidance[0]) if guidance else self._looked_at(item, SINGLE, faces)

    def _looked_at(self, item: Item, level: str, faces: Sequence[AlignedFace]) -> Trial:
        """Let the passive models alone decide."""
        if self.passive is None:
            return self._none(item, level, "no model")
        try:
            live = float(np.median(self.passive.live_scores(faces)))
        except ModelError:
            return self._none(item, level, "passive")
        profile = PROFILES["motion+passive"]
        verdict: Verdict = "accepted" if live >= profile.passive_pass else "denied"
        if profile.passive_fail <= live < profile.passive_pass:
            verdict = "unclear"
        by = "" if verdict == "accepted" else "passive"
        return Trial(level, item.kind, item.species, item.channel, verdict, by, {("passive", "live"): live})

    @staticmethod
    def _none(item: Item, level: str, why: str) -> Trial:
        return Trial(level, item.kind, item.species, item.channel, "no response", why)


def levels_of(names: Iterable[str], *, passive: bool) -> list[Profile]:
    """Return the profiles of these names, or all that can be asked.

    Args:
        names: level names; none for all.
        passive: whether the passive models are there; without them the levels that name them are left out of all.

    Raises:
        InvalidRequest: there is no such level, or it needs models that are not installed.
    """
    wanted = list(names)
    for name in wanted:
        if name not in PROFILES:
            raise InvalidRequest(f"There is no level {name!r}. Known ones: {', '.join(PROFILES)}.")
        if PROFILES[name].passive and not passive:
            raise InvalidRequest(f"{name} needs passive models. Run: faceauth models install pad-minifasnet")
    if wanted:
        return [PROFILES[name] for name in wanted]
    return [profile for profile in PROFILES.values() if passive or not profile.passive]


def _without_flash(levels: Sequence[Profile]) -> list[Profile]:
    """Return the levels a clip can be put to: nobody showed it colours."""
    return [level for level in levels if not level.flash]
