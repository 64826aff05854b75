"""What int8 costs in accuracy: the same chips through a pack's network as it is and quantised."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from faceauth.bench.accuracy import detector_of
from faceauth.bench.dataset import Picture
from faceauth.bench.embeddings import Embedded, nearest_centre
from faceauth.bench.gallery import all_against_all
from faceauth.bench.quantised import embedder_bytes, embedder_on, quantise
from faceauth.bench.rates import Rate, comparisons_needed
from faceauth.bench.scores import Scores
from faceauth.bench.speed import Progress
from faceauth.capture.align import align
from faceauth.embed.manifest import PackSpec
from faceauth.embed.packs import Pack
from faceauth.errors import InvalidRequest
from faceauth.types import ChipTemplate, Detector, Image

CALIBRATION = 64
"""Chips the ranges of the quantised network are read off."""

TARGET = 1e-3
"""The FMR at which the two are compared."""


@dataclass(frozen=True, slots=True)
class Int8Accuracy:
    """Cosines only, no score normaliser.

    `agreement` holds the mean and the least cosine between a chip's two embeddings; `tar_float` and `tar_int8` are
    at an FMR of `TARGET`, each at its own threshold, all against all; None where there were too few comparisons.
    """

    pack: str
    chips: int
    agreement: tuple[float, float]
    tar_float: Rate | None
    tar_int8: Rate | None

    def as_json(self) -> dict[str, object]:
        """Return the comparison as a report holds it."""
        return {
            "pack": self.pack,
            "chips": self.chips,
            "agreement": {"mean": self.agreement[0], "least": self.agreement[1]},
            "fmr_target": TARGET,
            "tar_float": self.tar_float.as_json() if self.tar_float else None,
            "tar_int8": self.tar_int8.as_json() if self.tar_int8 else None,
        }


def measure_int8(
    pack: Pack, spec: PackSpec, folder: Path, pictures: Sequence[Picture], *, progress: Progress
) -> tuple[bytes, Int8Accuracy]:
    """Quantise a pack's embedder and compare both on the pictures it was not calibrated with.

    Raises:
        InvalidRequest: There are too few pictures with a face.
    """
    detector, graph = detector_of(pack), embedder_bytes(spec, folder)
    chips: list[Image] = []
    people: list[str] = []
    for done, picture in enumerate(pictures, 1):
        chip = _chip(picture, detector, spec.embedder.once.chip_template)
        if chip is not None:
            chips.append(chip)
            people.append(picture.person)
        progress(f"{pack.name}: chips", done, len(pictures))
    if len(chips) <= CALIBRATION + 1:
        raise InvalidRequest(
            f"int8 needs more than {CALIBRATION + 1} pictures with a face; there are {len(chips)}."
        )
    at = np.linspace(0, len(chips) - 1, CALIBRATION).astype(int).tolist()
    int8 = quantise(spec, graph, [chips[number] for number in at])
    rest = [number for number in range(len(chips)) if number not in set(at)]
    vectors = []
    for name, data in (("float", graph), ("int8", int8)):
        embedder = embedder_on(spec, data, threads=1)
        rows = []
        for done, number in enumerate(rest, 1):
            rows.append(embedder.embed([chips[number]])[0])
            progress(f"{pack.name}: {name}", done, len(rest))
        vectors.append(np.asarray(rows, np.float32))
    names = [people[number] for number in rest]
    there = np.ones(len(rest), np.bool_)
    cosines = np.einsum("nd,nd->n", vectors[0], vectors[1])
    tars = [_tar(all_against_all(Embedded(found, there), names, progress=progress)) for found in vectors]
    agreement = (float(cosines.mean()), float(cosines.min()))
    return int8, Int8Accuracy(pack.name, len(rest), agreement, tars[0], tars[1])


def _tar(scores: Scores) -> Rate | None:
    if scores.comparisons < comparisons_needed(TARGET) or not scores.mated.sum():
        return None
    return scores.fnmr(scores.threshold_for(TARGET)).complement


def _chip(picture: Picture, detector: Detector, template: ChipTemplate) -> Image | None:
    read = cv2.imread(str(picture.path))
    if read is None:
        return None
    image: Image = np.ascontiguousarray(read[..., ::-1], dtype=np.uint8)
    found = detector.detect(image)
    return align(image, nearest_centre(image, found).landmarks, template) if found else None
