"""Who races in `faceauth bench recognition`: this project's packs, and what people would use instead, whole.

Each takes a JPEG and ends with a decision, as somebody would write it who uses that library: its own decoder,
detector, alignment, embedder and rule. A library that is not installed, or has no weights here, is told as absent.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.bench.accuracy import service_detector
from faceauth.bench.embeddings import Floats, nearest_centre
from faceauth.capture.align import align
from faceauth.capture.decode import decode
from faceauth.embed.packs import Pack
from faceauth.match.operating_points import VERIFY_POINT
from faceauth.sections import CaptureSettings
from faceauth.types import Detector

Scores = NDArray[np.float64]

_TOLERANCE = 0.6
"""The distance below which face_recognition calls two faces one person's: its `compare_faces`' default."""

_SFACE = "face_recognition_sface_2021dec.onnx"
_SFACE_COSINE = 0.363
"""The cosine from which on SFace's authors call two faces one person's (opencv_zoo, its demo)."""

_ARCFACE_COSINE = 0.4
"""A cosine for the insightface package, which ships none; it costs the same wherever it lies."""


class Recogniser(Protocol):
    """One way from a JPEG to a decision; a score at `threshold` or above is a match."""

    @property
    def name(self) -> str:
        """What it is called in reports."""

    @property
    def threshold(self) -> float:
        """The least score of a match."""

    def embed(self, jpeg: bytes) -> Floats | None:
        """Return the embedding, shape (d,), of the face nearest the centre, or None if there is no face."""

    def compare(self, probes: Floats, references: Floats) -> Scores:
        """Return how alike they are, -1 to 1: shapes (m, d) and (n, d) give (m, n)."""


def decides(recogniser: Recogniser, jpeg: bytes, reference: Floats) -> bool:
    """Go the whole way: say whether the JPEG shows who the reference is of."""
    vector = recogniser.embed(jpeg)
    return vector is not None and bool(
        recogniser.compare(vector[None], reference[None])[0, 0] >= recogniser.threshold
    )


@dataclass(frozen=True, slots=True, eq=False)
class Ours:
    """A pack of this project, as the service runs it: header checked first, score normalised."""

    pack: Pack = field(repr=False)
    detector: Detector = field(repr=False)

    @classmethod
    def of(cls, pack: Pack) -> "Ours":
        """Take a loaded pack."""
        return cls(pack, service_detector(pack))

    @property
    def name(self) -> str:
        """The pack's name."""
        return f"faceauth, {self.pack.name}"

    @property
    def threshold(self) -> float:
        """That of a login."""
        return self.pack.embedder.operating_points[VERIFY_POINT].threshold

    def embed(self, jpeg: bytes) -> Floats | None:
        """Decode, detect, align, embed."""
        image = decode(jpeg, t_ms=0, step="picture", limits=CaptureSettings()).pixels
        faces = self.detector.detect(image)
        if not faces:
            return None
        chip = align(image, nearest_centre(image, faces).landmarks, self.pack.embedder.template)
        return np.asarray(self.pack.embedder.embed([chip])[0], np.float32)

    def compare(self, probes: Floats, references: Floats) -> Scores:
        """Return cosines, normalised where the pack has a normaliser."""
        cosines = _cosines(probes, references)
        normaliser = self.pack.embedder.operating_points[VERIFY_POINT].normaliser
        if normaliser is None:
            return cosines
        mine, theirs = (np.asarray([normaliser.offset(one) for one in side]) for side in (probes, references))
        return np.asarray(cosines - (mine[:, None] + theirs) / 2, np.float64)


class FaceRecognition:
    """The `face_recognition` package: dlib's HOG detector at its default scale, 68 landmarks, dlib's ResNet."""

    name = "face_recognition"
    threshold = 1 - _TOLERANCE

    def __init__(self, package: Any) -> None:
        """Take the imported package."""
        self._package = package

    def embed(self, jpeg: bytes) -> Floats | None:
        """Load, locate and encode, as its examples do."""
        image = self._package.load_image_file(io.BytesIO(jpeg))
        boxes = self._package.face_locations(image)
        if not boxes:
            return None
        middle = np.asarray(image.shape[:2]) / 2
        centres = [np.asarray([top + bottom, left + right]) / 2 for top, right, bottom, left in boxes]
        nearest = int(np.argmin([np.linalg.norm(centre - middle) for centre in centres]))
        return np.asarray(self._package.face_encodings(image, [boxes[nearest]])[0], np.float32)

    def compare(self, probes: Floats, references: Floats) -> Scores:
        """Return 1 less the distances that the package decides by."""
        distances = [self._package.face_distance(references, probe) for probe in probes]
        return np.asarray(1 - np.asarray(distances), np.float64)


class OpenCv:
    """OpenCV's own classes, `FaceDetectorYN` and `FaceRecognizerSF`."""

    name = "OpenCV, YuNet and SFace"
    threshold = _SFACE_COSINE

    def __init__(self, yunet: Path, sface: Path) -> None:
        """Open both networks."""
        self._detector = cv2.FaceDetectorYN.create(str(yunet), "", (320, 320))
        self._recogniser = cv2.FaceRecognizerSF.create(str(sface), "")

    def embed(self, jpeg: bytes) -> Floats | None:
        """Decode, detect at full size, cut the chip, embed."""
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            return None
        height, width = image.shape[:2]
        self._detector.setInputSize((width, height))
        faces: Any = self._detector.detect(image)[1]
        if faces is None:
            return None
        centres = faces[:, :2] + faces[:, 2:4] / 2
        face = faces[int(np.argmin(np.linalg.norm(centres - (width / 2, height / 2), axis=1)))]
        feature = self._recogniser.feature(self._recogniser.alignCrop(image, face))
        return _unit(np.asarray(feature, np.float32).ravel())

    def compare(self, probes: Floats, references: Floats) -> Scores:
        """Return cosines."""
        return _cosines(probes, references)


class InsightFace:
    """The `insightface` package's `FaceAnalysis` with one of its packs, detection at 640×640."""

    threshold = _ARCFACE_COSINE

    def __init__(self, analysis: Any, name: str) -> None:
        """Take the prepared object."""
        self._analysis = analysis
        self.name = f"insightface FaceAnalysis, {name}"

    def embed(self, jpeg: bytes) -> Floats | None:
        """Decode as its examples do, and let it analyse the picture."""
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        faces = [] if image is None else self._analysis.get(image)
        if image is None or not faces:
            return None
        middle = np.asarray(image.shape[1::-1]) / 2
        nearest = min(faces, key=lambda face: float(np.linalg.norm((face.bbox[:2] + face.bbox[2:]) / 2 - middle)))
        return np.asarray(nearest.normed_embedding, np.float32)

    def compare(self, probes: Floats, references: Floats) -> Scores:
        """Return cosines."""
        return _cosines(probes, references)


@dataclass(frozen=True, slots=True)
class Absent:
    """Somebody who could not take part, and why."""

    name: str
    why: str


def peers(models_dir: Path) -> tuple[list[Recogniser], list[Absent]]:
    """Return who of the others is here, and who is not.

    Args:
        models_dir: Where packs are installed; OpenCV's and insightface's files are looked for there.
    """
    there: list[Recogniser] = []
    absent: list[Absent] = []
    tried: Sequence[tuple[str, Callable[[], Recogniser]]] = (
        ("face_recognition", _face_recognition),
        ("OpenCV, YuNet and SFace", lambda: _opencv(models_dir / "opencv")),
        ("insightface FaceAnalysis", lambda: _insightface(models_dir)),
    )
    for name, make in tried:
        try:
            there.append(make())
        except _NotHere as missing:
            absent.append(Absent(name, str(missing)))
    return there, absent


class _NotHere(Exception):
    """Says why somebody cannot take part."""


def _face_recognition() -> Recogniser:
    try:
        import face_recognition  # noqa: PLC0415  optional, and quits the process where its models are missing
    except (ImportError, SystemExit):
        raise _NotHere(
            "not installed: pip install dlib-bin 'setuptools<81' face_recognition_models, "
            "then pip install --no-deps face_recognition"
        ) from None
    return FaceRecognition(face_recognition)


def _opencv(folder: Path) -> Recogniser:
    yunet = next(iter(sorted(folder.glob("*yunet*.onnx"))), None)
    sface = folder / _SFACE
    if yunet is None or not sface.is_file():
        raise _NotHere("no weights here: faceauth models install opencv")
    return OpenCv(yunet, sface)


def _insightface(models_dir: Path) -> Recogniser:
    name = next((one for one in ("buffalo_l", "buffalo_m", "buffalo_s") if (models_dir / one).is_dir()), None)
    if name is None:
        raise _NotHere("no weights here: faceauth models install buffalo_l --accept-licence")
    try:
        from insightface.app import FaceAnalysis  # noqa: PLC0415  optional and heavy
    except ImportError:
        raise _NotHere("not installed: pip install --no-deps insightface") from None
    # The package looks for root/models/name.
    analysis = FaceAnalysis(
        name=str(models_dir / name),
        root=str(models_dir),
        allowed_modules=["detection", "recognition"],
        providers=["CPUExecutionProvider"],
    )
    analysis.prepare(0, det_size=(640, 640))
    return InsightFace(analysis, name)


def _unit(vector: Floats) -> Floats:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else vector


def _cosines(probes: Floats, references: Floats) -> Scores:
    return np.asarray(probes @ references.T, np.float64)
