"""How camera pictures fare before anybody is compared: found, judged or sent back, and at what cost."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, TypeVar

import cv2
import numpy as np

from faceauth.bench.dataset import Picture
from faceauth.bench.rates import Rate
from faceauth.capture.decode import decode
from faceauth.capture.faces import FaceReader
from faceauth.errors import InvalidImage, InvalidRequest
from faceauth.sections import CaptureSettings
from faceauth.types import ChipTemplate, DetectedFace, Detector, Frame, Image

Progress: TypeAlias = Callable[[str, int, int], None]
"""Is told a label, how much of it is done, and of how much."""

PERCENTILES = (1, 50, 99)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class CaptureResult:
    """What became of the pictures.

    `judged` are fit to be judged as a burst of one frame; `guidance` says by code what stood against the others;
    `second_faces` are those in which the detector found more than one face of any size. `quality` holds
    percentiles (see `PERCENTILES`) of those judged, `milliseconds` medians of CPU time a picture by stage.
    """

    pack: str
    judged: Rate
    refused: Rate
    guidance: dict[str, Rate]
    second_faces: Rate
    quality: dict[str, tuple[float, ...]]
    milliseconds: dict[str, float]

    def as_json(self) -> dict[str, object]:
        """Return the result as a report holds it."""
        return {
            "pack": self.pack,
            "judged": self.judged.as_json(),
            "refused": self.refused.as_json(),
            "guidance": {code: rate.as_json() for code, rate in self.guidance.items()},
            "second_faces": self.second_faces.as_json(),
            "percentiles": list(PERCENTILES),
            "quality": self.quality,
            "milliseconds": self.milliseconds,
        }


class _Timed:
    """A detector whose CPU time is taken, and which remembers how many faces it found."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.spent = 0.0
        self.found = 0

    def detect(self, image: Image) -> Sequence[DetectedFace]:
        faces, self.spent = _timed(partial(self._detector.detect, image))
        self.found = len(faces)
        return faces


def measure_capture(
    pictures: Sequence[Picture],
    detector: Detector,
    template: ChipTemplate,
    *,
    pack: str,
    progress: Progress,
) -> CaptureResult:
    """Send every picture through decoding, detection and quality, one thread, each as a burst of its own.

    Args:
        pictures: of people at a camera.
        detector: the pack's.
        template: the embedder's.
        pack: its name, for the report.
        progress: is told after every picture.

    Raises:
        InvalidRequest: There are no pictures.
    """
    if not pictures:
        raise InvalidRequest("There are no pictures to measure.")
    cv2.setNumThreads(1)
    timed = _Timed(detector)
    reader = FaceReader(timed, template)
    codes: Counter[str] = Counter()
    spent: defaultdict[str, list[float]] = defaultdict(list)
    quality: defaultdict[str, list[float]] = defaultdict(list)
    second = 0
    for done, picture in enumerate(pictures, 1):
        progress("pictures", done, len(pictures))
        data = picture.path.read_bytes()
        try:
            frame, decoding = _timed(partial(_decoded, data))
        except InvalidImage:
            codes["refused"] += 1
            continue
        (faces, guidance), reading = _timed(partial(reader.read, [frame]))
        second += timed.found > 1
        codes.update(guidance or ["judged"])
        spent["decode"].append(decoding)
        spent["detect"].append(timed.spent)
        spent["align and measure"].append(reading - timed.spent)
        for face in faces:
            for name in ("eye_distance", "sharpness", "brightness", "contrast", "features"):
                quality[name].append(getattr(face.quality, name))
            quality["yaw"].append(face.quality.pose.yaw)
    count = len(pictures)
    return CaptureResult(
        pack=pack,
        judged=Rate(codes.pop("judged", 0), count),
        refused=Rate(codes.pop("refused", 0), count),
        guidance={code: Rate(seen, count) for code, seen in codes.most_common()},
        second_faces=Rate(second, count),
        quality={name: tuple(np.percentile(values, PERCENTILES).tolist()) for name, values in quality.items()},
        milliseconds={stage: 1000 * float(np.median(values)) for stage, values in spent.items()},
    )


def _decoded(data: bytes) -> Frame:
    return decode(data, t_ms=0, step="picture", limits=CaptureSettings())


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """Return what `work` returns, and the CPU seconds this thread spent on it."""
    start = time.thread_time()
    result = work()
    return result, time.thread_time() - start
