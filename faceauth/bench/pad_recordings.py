"""Frames with a challenge, from a session's folder or from a clip that happens to answer one.

A clip answers no challenge. What it shows is looked for instead: whoever faces the camera, turns or nods, faces it
again and moves once more has answered the challenge with those two motions. The clip is then put to that very
challenge, which is what the luckiest replay meets.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.bench.pad_items import CHALLENGE, frames_of
from faceauth.capture.burst import WORKING_SIDE, read_burst
from faceauth.capture.faces import FaceReader
from faceauth.errors import InvalidRequest, InvalidTimeline
from faceauth.liveness.challenge import challenge_from_wire
from faceauth.liveness.geometry import nose
from faceauth.liveness.profiles import Profile
from faceauth.sections import CaptureSettings
from faceauth.types import Challenge, DetectedFace, Frame, Step, StepKind

CLIP_FPS: Final = 15.0
"""Frames a second that are taken of a film: what a capturing page sends, more or less."""

LONGEST_S: Final = 60.0
"""Seconds of a film that are looked at (R15)."""

AWAY: Final = 0.15
"""Eye distances the nose of a motion goes at least; a head that faces the camera may be 0.12 aside."""

LEAD_MS: Final = 600
"""How long before a motion begins the first look into the camera is taken to begin."""

PROMPT_MS: Final = 200
"""How long before the head is on its way the motion is taken to have been asked for."""


Found = dict[int, Sequence[DetectedFace]]
"""Faces by the frame's number."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Frames that answer a challenge; `found` are the faces found in them, by the frame's number."""

    challenge: Challenge
    frames: tuple[Frame, ...] = field(repr=False)
    found: Found = field(default_factory=dict, repr=False)


def read_session(folder: Path, limits: CaptureSettings) -> Recording:
    """Read a session's folder: ``challenge.json`` with the pictures or the film that answer it.

    The file holds ``challenge``, as the service told it, and ``timeline``, as the device sent it: a list of
    ``{"step", "t_ms"}``, one a frame.

    Raises:
        InvalidRequest, InvalidTimeline: the file is wrong, or does not fit the frames.
        InvalidImage, TooManyFrames: the frames are none a service would take.
    """
    try:
        told = json.loads((folder / CHALLENGE).read_text(encoding="utf-8"))
        wire, timeline = told["challenge"], told["timeline"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InvalidRequest(f"{folder.name}/{CHALLENGE} holds no challenge and timeline.") from error
    challenge = challenge_from_wire(wire)
    pictures, film = frames_of(folder)
    if film is None:
        parts = [path.read_bytes() for path in pictures]
        return Recording(challenge, read_burst(parts, timeline, challenge, limits))
    frames = read_film(film, fps=None)
    if not isinstance(timeline, list) or len(timeline) != len(frames):
        raise InvalidTimeline(f"{folder.name}/{CHALLENGE}: the timeline needs one entry a frame of the film.")
    try:
        placed = [
            replace(frame, t_ms=int(at["t_ms"]), step=str(at["step"]))
            for frame, at in zip(frames, timeline, strict=True)
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidTimeline(f"{folder.name}/{CHALLENGE}: the timeline is wrong.") from error
    return Recording(challenge, tuple(placed))


def read_film(path: Path, *, fps: float | None = CLIP_FPS) -> list[Frame]:
    """Read a film's frames, so many a second or all of them, the longer side `WORKING_SIDE` pixels at most.

    A film has forgotten the bytes of its frames, so a frame's digest is that of its number and pixels: repeated
    frames are not looked for in films.

    Raises:
        InvalidRequest: OpenCV cannot read it.
    """
    film = cv2.VideoCapture(str(path))
    rate = film.get(cv2.CAP_PROP_FPS)
    if not film.isOpened() or not 1 <= rate <= 240:
        raise InvalidRequest(f"{path.name} cannot be read as a film.")
    frames: list[Frame] = []
    number, taken = 0, 0
    while number / rate < LONGEST_S:
        read, bgr = film.read()
        if not read:
            break
        if fps is None or number / rate >= taken / fps - 1e-6:
            pixels = _small(np.asarray(bgr, np.uint8))
            digest = hashlib.sha256(number.to_bytes(8, "big") + pixels.tobytes()).digest()
            frames.append(Frame(pixels, round(1000 * number / rate), "clip", digest))
            taken += 1
        number += 1
    film.release()
    return frames


def _small(bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    share = WORKING_SIDE / max(bgr.shape[:2])
    if share < 1:
        size = (round(bgr.shape[1] * share), round(bgr.shape[0] * share))
        bgr = np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(bgr[..., ::-1])


def find_faces(frames: Sequence[Frame], reader: FaceReader) -> Found:
    """Return the faces of a clip's frames, by the frame's number."""
    found: Found = {}
    before: Sequence[DetectedFace] = ()
    for number, frame in enumerate(frames):
        before = found[number] = reader.find(frame, before, whole=number % 4 == 0)
    return found


def facing(found: Found, profile: Profile, *, most: int) -> list[int]:
    """Return up to `most` frames, spread over a clip, in which somebody faces the camera as at its beginning."""
    offsets = _offsets(found, len(found))
    frames = np.flatnonzero((np.abs(offsets) <= profile.steady_nose).all(axis=1))
    if not len(frames):
        return []
    return sorted({int(frames[at]) for at in np.linspace(0, len(frames) - 1, most).round().astype(int)})


def find_recordings(frames: Sequence[Frame], found: Found, profile: Profile) -> list[Recording]:
    """Look for what a clip answers: a recording for each two motions in a row with looks into the camera between.

    Args:
        frames: the clip's.
        found: their faces.
        profile: says how long steps last.

    Returns:
        The recordings, with their faces; none where nobody moves as a challenge would ask.
    """
    times = np.array([frame.t_ms for frame in frames])
    motions = _motions(times, _offsets(found, len(frames)), profile)
    made = []
    for first, second in pairwise(motions):
        spans = _spans(first, second, profile)
        if spans is not None:
            challenge = _challenge((first.kind, second.kind), frames, profile)
            made.append(_recording(challenge, frames, found, spans))
    return made


@dataclass(frozen=True, slots=True)
class _Motion:
    """Where a head was away from the camera: from when to when, when furthest, and which way."""

    start: int
    peak: int
    end: int
    kind: StepKind


def _offsets(found: Found, count: int) -> NDArray[np.float64]:
    """Return where the nose stood in each frame, shape (n, 2), from the median of the clip's first second."""
    seen = np.full((count, 2), np.nan)
    for number, faces in found.items():
        if faces:
            try:
                seen[number] = nose(faces[0].landmarks)
            except ValueError:
                continue
    rest = np.nanmedian(seen[: round(CLIP_FPS)], axis=0) if np.isfinite(seen).any() else np.zeros(2)
    return seen - rest


def _motions(times: NDArray[np.int64], offsets: NDArray[np.float64], profile: Profile) -> list[_Motion]:
    away = ~(np.abs(offsets) <= profile.steady_nose).all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], away.astype(int), [0]])))
    motions = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        part = offsets[start:end]
        if not np.isfinite(part).all():
            continue
        furthest = int(np.abs(part).max(axis=1).argmax())
        along = int(np.abs(part[furthest]).argmax())
        if abs(part[furthest, along]) < AWAY:
            continue
        kinds: tuple[StepKind, StepKind] = ("turn_right", "turn_left") if along == 0 else ("nod_up", "nod_down")
        last = min(int(end), len(times) - 1)
        kind = kinds[int(part[furthest, along] > 0)]
        motions.append(_Motion(int(times[start]), int(times[start + furthest]), int(times[last]), kind))
    return motions


def _spans(first: _Motion, second: _Motion, profile: Profile) -> list[int] | None:
    """Return when the four steps begin and the last one ends, or nothing if there is no time for them."""
    one, two = first.start - PROMPT_MS, second.start - PROMPT_MS
    back = max(one + profile.motion_ms, first.peak + PROMPT_MS)
    if first.start < LEAD_MS + PROMPT_MS or two - back < profile.return_ms:
        return None
    return [one - LEAD_MS, one, back, two, max(two + profile.motion_ms, second.peak + PROMPT_MS)]


def _challenge(kinds: tuple[StepKind, StepKind], frames: Sequence[Frame], profile: Profile) -> Challenge:
    asked: tuple[StepKind, ...] = ("center", kinds[0], "center", kinds[1])
    steps = tuple(
        Step(f"s{number}", kind, profile.min_ms(kind, first=number == 1)) for number, kind in enumerate(asked, 1)
    )
    nonce = hashlib.sha256(b"".join(frame.digest for frame in frames)).digest()[:16]
    return Challenge(nonce, profile.name, steps, datetime(2026, 1, 1, tzinfo=UTC))


def _recording(
    challenge: Challenge,
    frames: Sequence[Frame],
    found: Found,
    spans: Sequence[int],
) -> Recording:
    times, steps = [frame.t_ms for frame in frames], challenge.steps
    taken = [number for number, at in enumerate(times) if spans[0] <= at < spans[-1]]
    placed = tuple(
        replace(
            frames[number],
            t_ms=int(times[number] - times[taken[0]]),
            step=steps[int(np.searchsorted(spans, times[number], side="right")) - 1].id,
        )
        for number in taken
    )
    return Recording(challenge, placed, {place: found[number] for place, number in enumerate(taken)})
