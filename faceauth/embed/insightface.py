"""The insightface packs, run by the insightface package's own classes.

The package guesses a model's kind from its output shapes and its scaling from node names; here the manifest says
both, and a class that thinks otherwise is refused. Its own download and its own choice of providers are not used.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceauth.embed.manifest import PackSpec
from faceauth.embed.session import Provider, open_onnxruntime, read_pinned
from faceauth.errors import ModelError, ModelMissing
from faceauth.types import DetectedFace, Image

Floats = NDArray[np.float32]

DETECTION_SIZE = (640, 640)
"""Pixels SCRFD sees, width and height: the size its authors evaluate it at (insightface, FaceAnalysis.prepare)."""


def _classes() -> tuple[Any, Any]:
    try:
        # The packages are heavy and optional: they are imported only when such a pack is used.
        from insightface.model_zoo.arcface_onnx import ArcFaceONNX  # noqa: PLC0415  optional
        from insightface.model_zoo.scrfd import SCRFD  # noqa: PLC0415  optional
    except ImportError as error:
        raise ModelMissing(
            "This pack needs the insightface package. Run: pip install 'faceauth[insightface]' and then "
            "pip install --no-deps insightface"
        ) from error
    return ArcFaceONNX, SCRFD


def _open(pack: PackSpec, folder: Path, file: str, provider: Provider = "cpu") -> Any:
    data = read_pinned(folder / file, expected_sha256=pack.file(file).sha256)
    return open_onnxruntime(data, file, provider)


class RecognitionSession:
    """ArcFace as a `faceauth.types.ModelSession`: one input, one output, named as in the manifest."""

    def __init__(self, model: Any, pack: PackSpec) -> None:
        """Take the insightface object; it must agree with the manifest.

        Raises:
            ModelError: It would scale or size its input in another way.
        """
        spec = pack.embedder
        theirs = (float(model.input_mean), 1.0 / float(model.input_std))
        sizes = {int(side) for side in model.input_size}
        if (
            any(abs(mean - theirs[0]) > 1e-6 for mean in spec.mean)
            or abs(spec.scale - theirs[1]) > 1e-9
            or sizes != {spec.size}
        ):
            raise ModelError(f"{spec.file} is fed otherwise by the insightface package than the manifest says.")
        self._model = model
        self._spec = spec

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the embeddings, not yet of unit length, for `inputs` already scaled.

        Raises:
            ModelError: The network failed, or an input is missing.
        """
        try:
            # `forward` scales what it is given, so the scaling is taken off first.
            raw = inputs[self._spec.input] / np.float32(self._spec.scale) + np.float32(self._spec.mean[0])
            answer = self._model.forward(raw)
        except Exception as error:  # onnxruntime's own errors share no base class
            raise ModelError(f"{self._spec.file} failed on its input.") from error
        return {self._spec.output: np.asarray(answer, dtype=np.float32)}


class ScrfdDetector:
    """SCRFD as a `faceauth.types.Detector`."""

    def __init__(self, model: Any) -> None:
        """Take the insightface object, prepared."""
        self._model = model

    def detect(self, image: Image) -> Sequence[DetectedFace]:
        """Return every face found, the largest first.

        Raises:
            ModelError: The network failed or found faces without landmarks.
        """
        try:
            boxes, points = self._model.detect(np.ascontiguousarray(image[..., ::-1]))
        except Exception as error:  # onnxruntime's own errors share no base class
            raise ModelError("The detector failed on a picture.") from error
        if len(boxes) and points is None:
            raise ModelError("The detector gives no landmarks; the manifest and the file do not agree.")
        found = []
        for box, five in zip(boxes, points if len(boxes) else (), strict=True):
            left, top, right, bottom, score = (float(value) for value in box)
            found.append(
                DetectedFace(
                    box=(left, top, right - left, bottom - top),
                    landmarks=np.asarray(five, dtype=np.float32).reshape(5, 2),
                    score=score,
                )
            )
        return sorted(found, key=lambda face: -face.box[2] * face.box[3])


def load_recognition(pack: PackSpec, folder: Path, provider: Provider = "cpu") -> RecognitionSession:
    """Load the recognition network of an insightface pack.

    Raises:
        ModelMissing: The file or the insightface package is not installed.
        ModelAltered: The file is another, or its graph reaches outside itself.
        ModelError: It is not what the manifest says, or ONNX Runtime does not have the provider.
    """
    arcface, _ = _classes()
    file = pack.embedder.file
    session = _open(pack, folder, file, provider)
    return RecognitionSession(arcface(model_file=str(folder / file), session=session), pack)


def load_detector(pack: PackSpec, folder: Path) -> ScrfdDetector:
    """Load the detection network of an insightface pack; raises as `load_recognition` does."""
    _, scrfd = _classes()
    file = pack.detector.sessions["scrfd"]
    session = _open(pack, folder, file)
    score = pack.detector.min_score
    try:
        # Without the file's path the class keeps to this session and opens none of its own.
        model = scrfd(session=session)
        model.prepare(0, input_size=DETECTION_SIZE, det_thresh=0.5 if score is None else score)
    except Exception as error:  # the package asserts and indexes its way through the graph
        raise ModelError(f"{file} is not an SCRFD detector.") from error
    return ScrfdDetector(model)
