"""Detectors, by the kind that a pack's manifest names."""

from collections.abc import Mapping

from faceauth.capture.detect.mtcnn import MtcnnDetector
from faceauth.capture.detect.yunet import YunetDetector
from faceauth.errors import ModelError
from faceauth.types import Detector, ModelSession

MIN_FACE = 80
"""Pixels across the smallest face looked for: with 50 px between the eyes a face's box is about 110 px wide."""


def build_detector(
    kind: str, sessions: Mapping[str, ModelSession], options: Mapping[str, object] | None = None
) -> Detector:
    """Return the detector of that kind over its networks.

    Args:
        kind: `mtcnn` or `yunet`.
        sessions: its networks, by the names of the manifest.
        options: `min_face`, in pixels, for `mtcnn`; `side`, in pixels, for `yunet`.

    Raises:
        ModelError: There is no such kind, or a network is missing.
    """
    try:
        if kind == "mtcnn":
            min_face = int(str((options or {}).get("min_face", MIN_FACE)))
            return MtcnnDetector(sessions["pnet"], sessions["rnet"], sessions["onet"], min_face=min_face)
        if kind == "yunet":
            side = (options or {}).get("side")
            return YunetDetector(sessions["yunet"], side=None if side is None else int(str(side)))
    except KeyError as missing:
        raise ModelError(f"The detector {kind} lacks its network {missing}; install the pack again.") from None
    raise ModelError(f"There is no detector of kind {kind!r}.")
