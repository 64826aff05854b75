"""Detectors side by side: faces they miss, how still their landmarks stand in a clip, CPU time at 640×480.

Nobody marked the faces, so a miss is a picture of a person in which nothing was found, and `apart` counts the
faces found elsewhere than the first detector's: at most one of the two is the person's.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.bench.dataset import SUFFIXES
from faceauth.bench.embeddings import nearest_centre
from faceauth.bench.rates import Rate
from faceauth.capture.decode import decode
from faceauth.errors import InvalidImage, InvalidRequest
from faceauth.sections import CaptureSettings
from faceauth.types import DetectedFace, Detector, Image

Progress: TypeAlias = Callable[[str, int, int], None]
"""Is told a label, how much of it is done, and of how much."""

CLIPS = frozenset({".mp4", ".webm", ".mov", ".avi"})

TIMED_SHAPE = (480, 640)
"""Height and width of the pictures whose detection is timed."""

PERCENTILES = (50, 95)
"""Of the jitter."""


class Follower(Protocol):
    """A detector that can look where the faces of the frame before were."""

    def detect(self, image: Image) -> Sequence[DetectedFace]: ...  # noqa: D102  as `Detector`

    def follow(self, image: Image, faces: Sequence[DetectedFace]) -> Sequence[DetectedFace]: ...  # noqa: D102  its name


class Following:
    """Looks where the face of the frame before was, and over the whole frame only where that finds nothing."""

    def __init__(self, detector: Follower) -> None:
        self._detector = detector
        self._last: Sequence[DetectedFace] = ()

    def detect(self, image: Image) -> Sequence[DetectedFace]:
        """Return the faces of the next frame."""
        found = self._detector.follow(image, self._last[:1]) or self._detector.detect(image)
        self._last = found
        return found


@dataclass(frozen=True, slots=True)
class Stills:
    """What a detector did on a set of pictures; `apart` is None for the first one."""

    missed: Rate
    apart: Rate | None


@dataclass(frozen=True, slots=True)
class Clip:
    """What a detector did on a clip.

    `jitter` holds percentiles (`PERCENTILES`) of how far a landmark lies from the middle between where it was one
    frame before and is one frame later, as a share of the distance between the eyes: even motion gives 0. Only
    frames count in which every detector found the face, three in a row; there were `triples`. `milliseconds` is
    the median CPU time a frame.
    """

    missed: Rate
    jitter: tuple[float, ...]
    triples: int
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Speed:
    """Median CPU milliseconds at 640×480; `ratio` is the median, picture by picture, to the first detector."""

    milliseconds: float
    ratio: float
    pictures: int


@dataclass(frozen=True, slots=True)
class DetectionResult:
    """By detector, and for pictures and clips by set."""

    stills: dict[str, dict[str, Stills]]
    clips: dict[str, dict[str, Clip]]
    speed: dict[str, Speed]

    def as_json(self) -> dict[str, object]:
        """Return the result as a report holds it."""
        return {
            "stills": {
                name: {
                    who: {"missed": one.missed.as_json(), "apart": one.apart.as_json() if one.apart else None}
                    for who, one in found.items()
                }
                for name, found in self.stills.items()
            },
            "percentiles": list(PERCENTILES),
            "clips": {
                name: {
                    who: {
                        "missed": one.missed.as_json(),
                        "jitter": one.jitter,
                        "triples": one.triples,
                        "milliseconds": one.milliseconds,
                    }
                    for who, one in found.items()
                }
                for name, found in self.clips.items()
            },
            "at_640x480": {
                who: {"milliseconds": one.milliseconds, "ratio": one.ratio, "pictures": one.pictures}
                for who, one in self.speed.items()
            },
        }


def measure_detection(
    data: Path,
    detectors: Mapping[str, Detector],
    followers: Mapping[str, Follower],
    *,
    limit: int,
    progress: Progress,
) -> DetectionResult:
    """Run every detector over every picture and clip below a folder, in turn on each, so that a load falls on all.

    Args:
        data: The folder. The pictures of the folders beside each other make one set.
        detectors: By name; the others are compared with the first.
        followers: By name; run on clips as well, as `Following`.
        limit: The most pictures of a set, spread evenly over it, and the most frames of a clip.
        progress: Is told what is done.

    Raises:
        InvalidRequest: There is no picture and no clip, or one is none.
    """
    cv2.setNumThreads(1)
    sets, clips = _found(data)
    if not sets and not clips:
        raise InvalidRequest(f"{data} holds no pictures and no clips.")
    taken: defaultdict[str, list[float]] = defaultdict(list)
    stills = {
        name: _stills(name, _spread(paths, limit), detectors, taken, progress) for name, paths in sets.items()
    }
    seen = {
        path.relative_to(data).as_posix(): _clip(
            path, {**detectors, **{name: Following(one) for name, one in followers.items()}}, limit, progress
        )
        for path in clips
    }
    first = next(iter(detectors))
    speed = {
        who: Speed(
            1000 * float(np.median(spent)),
            float(np.median(np.asarray(spent) / np.asarray(taken[first]))),
            len(spent),
        )
        for who, spent in taken.items()
    }
    return DetectionResult(stills, seen, speed)


def _found(data: Path) -> tuple[dict[str, list[Path]], list[Path]]:
    """Return the sets of pictures by name, and the clips."""
    files = sorted(path for path in data.rglob("*") if path.is_file())
    sets: defaultdict[str, list[Path]] = defaultdict(list)
    for path in files:
        if path.suffix.lower() in SUFFIXES:
            within = path.relative_to(data).parts[:-2]
            sets["/".join(within) or data.resolve().name].append(path)
    return dict(sets), [path for path in files if path.suffix.lower() in CLIPS]


def _spread(paths: Sequence[Path], limit: int) -> list[Path]:
    if len(paths) <= limit:
        return list(paths)
    return [paths[int(at)] for at in np.linspace(0, len(paths) - 1, limit)]


def _stills(
    name: str,
    paths: Sequence[Path],
    detectors: Mapping[str, Detector],
    taken: dict[str, list[float]],
    progress: Progress,
) -> dict[str, Stills]:
    missed, apart = dict.fromkeys(detectors, 0), dict.fromkeys(detectors, 0)
    first = next(iter(detectors))
    count = 0
    for done, path in enumerate(paths, 1):
        progress(name, done, len(paths))
        try:
            image = decode(path.read_bytes(), t_ms=0, step="picture", limits=CaptureSettings()).pixels
        except InvalidImage:
            continue
        count += 1
        timed = image.shape[:2] == TIMED_SHAPE
        faces = {}
        for who, (found, spent) in _each(detectors, image, turn=done).items():
            faces[who] = nearest_centre(image, found) if found else None
            missed[who] += not found
            if timed:
                taken[who].append(spent)
        apart = {who: apart[who] + _is_apart(faces[first], face) for who, face in faces.items()}
    return {
        who: Stills(Rate(missed[who], count), None if who == first else Rate(apart[who], count))
        for who in (detectors if count else ())
    }


def _each(
    detectors: Mapping[str, Detector], image: Image, *, turn: int
) -> dict[str, tuple[Sequence[DetectedFace], float]]:
    """Return what each found and the CPU seconds it took; who begins changes with every turn."""
    names = list(detectors)
    begin = turn % len(names)
    found = {}
    for who in names[begin:] + names[:begin]:
        start = time.thread_time()
        faces = detectors[who].detect(image)
        found[who] = (faces, time.thread_time() - start)
    return {who: found[who] for who in names}


def _is_apart(first: DetectedFace | None, other: DetectedFace | None) -> bool:
    if first is None or other is None:
        return False
    x, y, width, height = first.box
    across, down = other.landmarks.mean(axis=0)
    return not (x <= across <= x + width and y <= down <= y + height)


def _frames(path: Path, limit: int) -> Iterator[Image]:
    capture = cv2.VideoCapture(str(path))
    try:
        for _ in range(limit):
            there, frame = capture.read()
            if not there:
                return
            yield np.ascontiguousarray(frame[..., ::-1])
    finally:
        capture.release()


def _clip(path: Path, detectors: Mapping[str, Detector], limit: int, progress: Progress) -> dict[str, Clip]:
    points: dict[str, list[NDArray[np.float32] | None]] = {who: [] for who in detectors}
    taken: dict[str, list[float]] = {who: [] for who in detectors}
    for turn, image in enumerate(_frames(path, limit), 1):
        progress(path.name, turn, 0)
        for who, (found, spent) in _each(detectors, image, turn=turn).items():
            points[who].append(found[0].landmarks if found else None)
            taken[who].append(spent)
    frames = len(next(iter(taken.values())))
    if not frames:
        raise InvalidRequest(f"{path.name} is no clip that OpenCV can read.")
    there = [all(found[at] is not None for found in points.values()) for at in range(frames)]
    middles = [at for at in range(1, frames - 1) if all(there[at - 1 : at + 2])]
    return {
        who: Clip(
            missed=Rate(sum(one is None for one in found), frames),
            jitter=jitter(found, middles),
            triples=len(middles),
            milliseconds=1000 * float(np.median(taken[who])),
        )
        for who, found in points.items()
    }


def jitter(points: Sequence[NDArray[np.float32] | None], middles: Sequence[int]) -> tuple[float, ...]:
    """Return the percentiles of `Clip.jitter` over the frames `middles`, whose neighbours have landmarks too.

    The distance between the eyes is the median over those frames: that of one frame shrinks as the head turns.
    """
    if not middles:
        return ()
    before, here, after = (np.asarray([points[at + step] for at in middles], np.float64) for step in (-1, 0, 1))
    eyes = float(np.median(np.linalg.norm(here[:, 1] - here[:, 0], axis=1)))
    off = np.linalg.norm(here - (before + after) / 2, axis=2) / eyes
    return tuple(np.percentile(off, PERCENTILES).tolist())
