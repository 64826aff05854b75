"""Who races in `faceauth bench speed`: this project's stages by pack, dlib's own wheel, OpenCV's own classes."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from faceauth.bench.accuracy import service_detector
from faceauth.bench.embeddings import nearest_centre
from faceauth.bench.quantised import embedder_on
from faceauth.bench.speed import Contender
from faceauth.capture.align import align
from faceauth.capture.decode import decode
from faceauth.embed.manifest import PackSpec
from faceauth.embed.origins import Conversion
from faceauth.embed.packs import Pack
from faceauth.embed.sources import package_file
from faceauth.errors import ConfigurationError
from faceauth.sections import CaptureSettings
from faceauth.types import ChipTemplate, Detector, Embedder, Image, Points

BATCHES = (1, 4, 8)
THREADS = (1, 2)
WIDTH, HEIGHT = 640, 480
_CHIP = 150
"""Pixels of dlib's chip."""
_SFACE = "face_recognition_sface_2021dec.onnx"
_SFACE_CHIP = 112


@dataclass(frozen=True, slots=True, eq=False)
class Entrant:
    """A pack that takes part: loaded, its entry, its folder, its detector, its graph and that in int8, if any.

    `provider` is what the loaded pack's embedder runs on.
    """

    pack: Pack
    spec: PackSpec
    folder: Path
    graph: bytes
    int8: bytes | None
    provider: str = "cpu"

    @property
    def detector(self) -> Detector:
        """The pack's detector as the service runs it."""
        return service_detector(self.pack)


def camera_sized(image: Image) -> Image:
    """Return the picture in the middle of a black one of 640×480, as large as fits."""
    scale = min(WIDTH / image.shape[1], HEIGHT / image.shape[0])
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    canvas = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    left, top = (WIDTH - size[0]) // 2, (HEIGHT - size[1]) // 2
    canvas[top : top + size[1], left : left + size[0]] = cv2.resize(image, size)
    return canvas


def decoding(images: Sequence[Image]) -> list[Contender]:
    """Return who decodes JPEGs of these pictures."""
    files = [cv2.imencode(".jpg", image[..., ::-1])[1].tobytes() for image in images]
    limits = CaptureSettings()
    return [
        Contender("decode", "faceauth", lambda n: decode(files[n % len(files)], t_ms=0, step="s", limits=limits)),
        Contender(
            "decode", "cv2.imdecode", lambda n: cv2.imdecode(np.frombuffer(files[n % len(files)], np.uint8), 1)
        ),
    ]


def detecting(entrants: Sequence[Entrant], images: Sequence[Image]) -> list[Contender]:
    """Return who finds faces in these pictures."""

    def pick(number: int) -> Image:
        return images[number % len(images)]

    def by(detector: Detector) -> Callable[[int], object]:
        return lambda number: detector.detect(pick(number))

    racing = [
        Contender("detect", f"{one.spec.name}: {one.spec.detector.kind}", by(one.detector)) for one in entrants
    ]
    yunet = next((one for one in entrants if one.spec.detector.kind == "yunet"), None)
    if yunet is not None:
        file = yunet.folder / yunet.spec.detector.sessions["yunet"]
        theirs = cv2.FaceDetectorYN.create(str(file), "", (WIDTH, HEIGHT))
        swapped = [np.ascontiguousarray(image[..., ::-1]) for image in images]
        racing.append(
            Contender("detect", "cv2.FaceDetectorYN", lambda n: theirs.detect(swapped[n % len(swapped)]))
        )
    if (dlib := _dlib()) is not None:
        finder = dlib.get_frontal_face_detector()
        racing.append(Contender("detect", "dlib frontal (HOG)", lambda n: finder(pick(n), 0)))
    return racing


def aligning(entrants: Sequence[Entrant], images: Sequence[Image]) -> list[Contender]:
    """Return who cuts faces out of these pictures; only pictures with a face are cut."""
    racing = []
    for one in entrants:
        there = [(image, found) for image in images if (found := one.detector.detect(image))]
        points = [(image, nearest_centre(image, found).landmarks) for image, found in there]
        template = one.pack.embedder.template
        if points:
            racing.append(Contender("align", one.spec.name, _cutting(points, template)))
    return racing


def _cutting(faces: Sequence[tuple[Image, Points]], template: ChipTemplate) -> Callable[[int], object]:
    def work(number: int) -> object:
        image, landmarks = faces[number % len(faces)]
        return align(image, landmarks, template)

    return work


def embedding(
    entrants: Sequence[Entrant], *, batch: int, from_dir: Path | None, models_dir: Path
) -> list[Contender]:
    """Return who embeds `batch` chips at once; noise does for chips, since networks take equally long for all."""
    stage = f"embed, batch {batch}"
    rng = np.random.default_rng(batch)
    racing = []
    for one in entrants:
        size = one.spec.embedder.size
        chips = list(rng.integers(0, 256, (batch, size, size, 3), np.uint8))
        for name, graph in ((one.spec.name, one.graph), (f"{one.spec.name}, int8", one.int8)):
            if graph is None:
                continue
            for threads in THREADS:
                ours = embedder_on(one.spec, graph, threads=threads)
                racing.append(Contender(stage, name, _embedding(ours, chips), batch, threads))
        if one.provider != "cpu":
            loaded = one.pack.embedder
            side = loaded.template.size
            cut = list(rng.integers(0, 256, (batch, side, side, 3), np.uint8))
            racing.append(Contender(stage, f"{one.spec.name}, {one.provider}", _embedding(loaded, cut), batch))
    theirs = _dlib_embedder(entrants, batch, from_dir)
    if theirs is not None:
        racing.append(Contender(stage, "dlib wheel", theirs, batch))
    sface = models_dir / "opencv" / _SFACE
    if sface.is_file():
        racing.append(Contender(stage, "cv2.FaceRecognizerSF", _sface(sface, batch), batch))
    return racing


def _embedding(embedder: Embedder, chips: Sequence[Image]) -> Callable[[int], object]:
    return lambda _: embedder.embed(chips)


def _dlib() -> Any | None:
    try:
        import dlib  # noqa: PLC0415  a test extra, heavy to import
    except ImportError:
        return None
    return dlib


def _dlib_embedder(
    entrants: Sequence[Entrant], batch: int, from_dir: Path | None
) -> Callable[[int], object] | None:
    """Return dlib's own run of the network that `open` is made from, if both are here."""
    dlib = _dlib()
    made = [
        source.origin
        for one in entrants
        for file in one.spec.files
        if isinstance(source := file.source, Conversion) and source.converter == "dlib_resnet"
    ]
    if dlib is None or not made:
        return None
    with tempfile.NamedTemporaryFile(suffix=".dat") as file:
        file.write(package_file(made[0], from_dir=from_dir))
        file.flush()
        network = dlib.face_recognition_model_v1(file.name)
    chips = list(np.random.default_rng(batch).integers(0, 256, (batch, _CHIP, _CHIP, 3), np.uint8))
    return lambda _: network.compute_face_descriptor(chips)


def _sface(file: Path, batch: int) -> Callable[[int], object]:
    try:
        network = cv2.FaceRecognizerSF.create(str(file), "")
    except cv2.error as error:
        raise ConfigurationError(f"OpenCV cannot open {file.name}; install the pack opencv again.") from error
    chips = list(np.random.default_rng(batch).integers(0, 256, (batch, _SFACE_CHIP, _SFACE_CHIP, 3), np.uint8))
    return lambda _: [network.feature(chip) for chip in chips]
