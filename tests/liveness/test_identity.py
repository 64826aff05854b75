"""Gate `identity`: looks are compared with each other, and the frames of each with the rest of it (G1)."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import numpy as np
import pytest

from faceauth.errors import LivenessDenied
from faceauth.liveness.identity import check_identity
from faceauth.liveness.profiles import MOTION
from faceauth.types import AlignedFace, Embedder, OperatingPoint

THRESHOLD = 0.8


class Known:
    """Gives each chip the unit vector it stands for."""

    operating_points: ClassVar = {
        MOTION.same_point: cast("OperatingPoint", SimpleNamespace(threshold=THRESHOLD, normaliser=None))
    }

    def embed(self, chips: Sequence[Any]) -> np.ndarray:
        return np.stack([np.asarray(chip, np.float32) / np.linalg.norm(chip) for chip in chips])


def frame(step: str, *vector: float) -> AlignedFace:
    return cast("AlignedFace", SimpleNamespace(frame=SimpleNamespace(step=step), chip=vector))


def margin(facing: Sequence[AlignedFace]) -> float:
    seen: dict[str, float] = {}
    check_identity(
        facing,
        [frame("s2", 1, 1, 1)],
        cast("Embedder", Known()),
        MOTION,
        lambda _gate, name, value: seen.update({name: value}),
    )
    return seen["margin"]


def test_one_odd_frame_of_one_person_denies_nobody() -> None:
    """Single frames of two looks may lie below the threshold, while the looks themselves do not."""
    first = [frame("s1", 1, 0.0, 0), frame("s1", 1, 0.45, 0), frame("s1", 1, -0.45, 0)]
    second = [frame("s3", 1, 0.2, 0.3), frame("s3", 1, 0.0, 0.3), frame("s3", 1, -0.2, 0.3)]
    cosines = [
        float(np.dot(one.chip, other.chip) / np.linalg.norm(one.chip) / np.linalg.norm(other.chip))
        for one in first
        for other in second
    ]
    assert min(cosines) < THRESHOLD
    assert margin([*first, *second]) > 0


A, B = (1.0, 0.1, 0.0), (0.0, 0.1, 1.0)


@pytest.mark.parametrize(
    "people",
    ["AAABBB", "AAAAAB", "AABAAB", "ABAABA", "ABBBBA", "BAAABB"],
)
def test_another_person_in_any_look_is_denied(people: str) -> None:
    """Two looks of three frames, put together from two people in whatever way."""
    facing = [frame("s1" if at < 3 else "s3", *(A if one == "A" else B)) for at, one in enumerate(people)]
    with pytest.raises(LivenessDenied) as denied:
        margin(facing)
    assert denied.value.gate == "identity"
