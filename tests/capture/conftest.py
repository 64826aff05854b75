"""Real networks and real faces for the tests of this stage."""

from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import cv2
import numpy as np
import pytest

from faceauth.capture.detect import build_detector
from faceauth.capture.detect.mtcnn import MtcnnDetector
from faceauth.embed.packs import Pack, load_pack
from faceauth.types import ChipTemplate, DetectedFace, Frame, Image, Points

TEMPLATE = ChipTemplate(size=100, points=np.array([[30, 35], [70, 35], [50, 58], [34, 75], [66, 75]], np.float32))


@pytest.fixture(scope="session")
def pack(models_dir: Path) -> Pack:
    return load_pack("open", models_dir)


@pytest.fixture(scope="session")
def mtcnn(pack: Pack) -> MtcnnDetector:
    detector = build_detector(pack.detector_kind, pack.detector_sessions, pack.detector_options)
    assert isinstance(detector, MtcnnDetector)
    return detector


@pytest.fixture(scope="session")
def group() -> Image:
    """The photograph of six people that the insightface package brings."""
    file = Path(str(distribution("insightface").locate_file("insightface/data/images/t1.jpg")))
    image = cv2.imread(str(file))
    assert image is not None
    return np.ascontiguousarray(image[..., ::-1], dtype=np.uint8)


@pytest.fixture(scope="session")
def portrait() -> Image:
    """The astronaut of the skimage package, twice as large: one face with 90 pixels between the eyes."""
    data = pytest.importorskip("skimage.data")
    return np.asarray(cv2.resize(data.astronaut(), None, fx=2, fy=2), np.uint8)


MakeFrame = Callable[..., Frame]


def frame_of(pixels: Image, *, t_ms: int = 0, step: str = "s1") -> Frame:
    """A frame as decoding would make it."""
    return Frame(pixels=pixels, t_ms=t_ms, step=step, digest=t_ms.to_bytes(32, "big"))


def face_at(x: float, y: float, *, eyes: float = 80.0) -> DetectedFace:
    """A face whose eyes' middle lies at (x, y), facing the camera."""
    shape = np.array([[-0.5, 0], [0.5, 0], [0, 0.6], [-0.4, 1.05], [0.4, 1.05]], np.float32)
    landmarks: Points = (shape * eyes + np.array([x, y])).astype(np.float32)
    return DetectedFace(box=(x - eyes, y - eyes, 2 * eyes, 2.6 * eyes), landmarks=landmarks, score=0.99)
