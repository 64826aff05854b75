"""Whole recognition, from a JPEG to a decision, beside other libraries on the same pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from faceauth.bench.contenders import camera_sized
from faceauth.bench.dataset import Picture, read_folder, several_each
from faceauth.bench.embeddings import Floats, Progress
from faceauth.bench.rates import Rate, comparisons_needed
from faceauth.bench.recognisers import Absent, Ours, Recogniser, decides, peers
from faceauth.bench.scores import Scores
from faceauth.bench.speed import Contender, Timing, race
from faceauth.embed.manifest import pack_spec
from faceauth.embed.packs import load_spec
from faceauth.errors import InvalidRequest
from faceauth.sections import InferenceSettings

TARGETS: Final = (1e-2, 1e-3, 1e-4)
"""False match rates at which matches are told."""

_JPEGS: Final = 16
"""Different pictures that are timed in turn, 640×480."""

_QUALITY: Final = 90
"""Of those JPEGs; about what a phone sends."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """One recogniser's all-against-all comparison of the same pictures.

    Attributes:
        name: Whose.
        acquired: Pictures in which it found a face, of all.
        matches: The true match rate at each false match rate for which there are enough comparisons (rule of 3).
        comparisons: How many were non-mated.
    """

    name: str
    acquired: Rate
    matches: dict[float, Rate]
    comparisons: int

    def as_json(self) -> dict[str, Any]:
        """Return it as a report holds it."""
        return {
            "name": self.name,
            "acquired": self.acquired.as_json(),
            "non_mated": self.comparisons,
            "tar": {f"{fmr:.0e}": rate.as_json() for fmr, rate in self.matches.items()},
        }


def measure_recognition(
    data: Path,
    packs: Sequence[str],
    *,
    models_dir: Path,
    manifest: Path | None,
    inference: InferenceSettings | None = None,
    rounds: int,
    pictures: int,
    progress: Progress,
) -> tuple[tuple[Timing, ...], tuple[Accuracy, ...], tuple[Absent, ...]]:
    """Race whole recognition and count its errors.

    Args:
        data: A folder of folders of pictures, one a person.
        packs: Ours; the first is what all others are compared with.
        models_dir: Where packs are installed.
        manifest: A manifest of one's own.
        inference: What runs our embedders; the CPU if left out.
        rounds: How often each recogniser is timed.
        pictures: On how many pictures errors are counted: those of people with several, from the first ones.
        progress: Is told what is done.

    Returns:
        The times, of one thread; the errors; who could not take part.

    Raises:
        InvalidRequest: The pictures are too few.
        ModelError: A pack of ours is not installed.
    """
    cv2.setNumThreads(1)
    ours: list[Recogniser] = []
    for name in packs:
        spec = pack_spec(name, manifest)
        ours.append(Ours.of(load_spec(spec, models_dir / name, inference)))
    others, absent = peers(models_dir)
    found = read_folder(data)
    timings = race(_contenders([*ours, *others], _jpegs(found)), rounds=rounds, progress=progress)
    several = several_each(found)[:pictures]
    errors = [accuracy(one, several, progress=progress) for one in (*ours, *others)]
    return timings, tuple(errors), tuple(absent)


def accuracy(recogniser: Recogniser, pictures: Sequence[Picture], *, progress: Progress) -> Accuracy:
    """Embed every picture and compare each with all others; pictures without a face found are left out.

    Raises:
        InvalidRequest: Nothing is left to compare.
    """
    vectors: list[Floats] = []
    people: list[str] = []
    for done, picture in enumerate(pictures, 1):
        vector = recogniser.embed(picture.path.read_bytes())
        if vector is not None:
            vectors.append(vector)
            people.append(picture.person)
        progress(f"pictures, {recogniser.name}", done, len(pictures))
    if len(set(people)) < 2:
        raise InvalidRequest("Too few pictures with a face; name a larger folder with --data.")
    rows, labels = np.asarray(vectors, np.float32), np.asarray(people)
    scores = recogniser.compare(rows, rows)
    later = np.triu(np.ones_like(scores, dtype=bool), 1)
    same = labels[:, None] == labels
    counts = Scores.of(scores[later & same], scores[later & ~same])
    matches = {
        fmr: counts.fnmr(counts.threshold_for(fmr)).complement
        for fmr in TARGETS
        if counts.comparisons >= comparisons_needed(fmr)
    }
    return Accuracy(recogniser.name, Rate(len(rows), len(pictures)), matches, counts.comparisons)


def _contenders(recognisers: Sequence[Recogniser], jpegs: Sequence[bytes]) -> list[Contender]:
    def racing(one: Recogniser) -> Contender:
        reference = next((vector for jpeg in jpegs if (vector := one.embed(jpeg)) is not None), None)
        if reference is None:
            raise InvalidRequest(f"{one.name} finds no face in any of the pictures.")
        return Contender(
            "a JPEG to a decision", one.name, lambda n: decides(one, jpegs[n % len(jpegs)], reference)
        )

    return [racing(one) for one in recognisers]


def _jpegs(pictures: Sequence[Picture]) -> list[bytes]:
    jpegs = []
    for picture in pictures[:: max(1, len(pictures) // _JPEGS)][:_JPEGS]:
        read = cv2.imread(str(picture.path))
        if read is not None:
            image = camera_sized(np.ascontiguousarray(read[..., ::-1], dtype=np.uint8))
            jpegs.append(cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes())
    if not jpegs:
        raise InvalidRequest("None of the pictures can be read.")
    return jpegs
