"""Which detectors `faceauth bench detection` compares: the packs', as they are and in the ways they may run."""

from collections.abc import Sequence

from faceauth.bench.accuracy import MIN_FACE, service_detector
from faceauth.bench.detection import Follower
from faceauth.capture.detect import build_detector
from faceauth.capture.detect.mtcnn import MtcnnDetector
from faceauth.embed.packs import Pack
from faceauth.types import Detector

SIDE = 320
"""Pixels of the longer side that YuNet is also tried at: half of what the packs ask for."""


def detectors_of(packs: Sequence[Pack]) -> tuple[dict[str, Detector], dict[str, Follower]]:
    """Return the packs' detectors by name, and those that can follow a face through a clip.

    The first is the first pack's as it is shipped. MTCNN is also tried with a deeper pyramid, which finds the
    small faces of data sets, and YuNet on a smaller picture.
    """
    detectors: dict[str, Detector] = {}
    followers: dict[str, Follower] = {}
    for pack in packs:
        kind = pack.detector_kind
        shipped = service_detector(pack)
        detectors[f"{pack.name}: {kind}"] = shipped
        if isinstance(shipped, MtcnnDetector):
            followers[f"{pack.name}: {kind}, following"] = shipped
            varied = {"min_face": MIN_FACE}
            name = f"{pack.name}: {kind}, faces from {MIN_FACE} px"
        elif kind == "yunet" and pack.detector_options.get("side"):
            varied = {"side": SIDE}
            name = f"{pack.name}: {kind}, side {SIDE} px"
        else:
            continue
        detectors[name] = build_detector(kind, pack.detector_sessions, {**pack.detector_options, **varied})
    return detectors, followers
