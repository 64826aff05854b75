"""Gate `timing`: the device's clock against the service's (G0, R16)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

import numpy as np
import pytest

from faceauth.errors import LivenessDenied
from faceauth.liveness.case import Case
from faceauth.liveness.profiles import MOTION
from faceauth.liveness.timing import check_timing
from faceauth.types import AlignedFace, Challenge, DetectedFace, Embedder, Evidence, Frame, Quality, Step

STEPS = (Step("s1", "center"), Step("s2", "turn_left"))
TAKEN = [80 * number for number in range(60)]
NETWORK = 40


def face(t_ms: int) -> AlignedFace:
    pixels = np.zeros((2, 2, 3), np.uint8)
    frame = Frame(pixels, t_ms, "s1" if t_ms < 2000 else "s2", bytes(32))
    detected = DetectedFace((0, 0, 1, 1), np.zeros((5, 2), np.float32), 1.0)
    return AlignedFace(frame, detected, pixels, cast("Quality", None))


def case(received: Sequence[float], told: Mapping[str, int] | None = None) -> Case:
    challenge = Challenge(bytes(16), "motion", STEPS, datetime(2030, 1, 1, tzinfo=UTC))
    evidence = Evidence(received_ms=tuple(round(at) for at in received), told_ms=told or {"s1": 0, "s2": 1900})
    faces = tuple(face(t_ms) for t_ms in TAKEN)
    return Case(challenge, faces, MOTION, cast("Embedder", None), None, evidence, lambda *_: None)


def test_a_stream_with_a_wavering_network_passes() -> None:
    rng = np.random.default_rng(1)
    check_timing(case([t_ms + NETWORK + rng.exponential(60) for t_ms in TAKEN]))


def test_a_network_that_gets_slower_passes() -> None:
    check_timing(case([t_ms * 1.2 + NETWORK for t_ms in TAKEN]))


@pytest.mark.parametrize(
    "received",
    [
        pytest.param([t_ms / 2 + NETWORK for t_ms in TAKEN], id="double speed"),
        pytest.param([t_ms * 0.8 + NETWORK for t_ms in TAKEN], id="a quarter faster"),
        pytest.param([t_ms * 2 + NETWORK for t_ms in TAKEN], id="half speed"),
        pytest.param([5000.0 for _ in TAKEN], id="all at once"),
        pytest.param([float(t_ms) for t_ms in TAKEN[1:]], id="one time is missing"),
    ],
)
def test_clocks_that_run_apart_are_an_injection(received: list[float]) -> None:
    with pytest.raises(LivenessDenied) as denied:
        check_timing(case(received))
    assert (denied.value.gate, denied.value.reason) == ("timing", "injection")


@pytest.mark.parametrize("told", [{"s1": 0, "s2": 2500}, {"s1": 0}, {"s1": 0, "s2": -1500}])
def test_a_step_answered_before_it_was_told_or_too_late_is_an_injection(told: Mapping[str, int]) -> None:
    with pytest.raises(LivenessDenied) as denied:
        check_timing(case([t_ms + NETWORK for t_ms in TAKEN], told))
    assert (denied.value.gate, denied.value.reason) == ("timing", "injection")


def test_a_recording_played_faster_whose_steps_were_waited_for_is_an_injection() -> None:
    """Nothing but the drift tells: every step is answered after it was told, and no frame is held back long."""
    received = [t_ms * 0.8 + NETWORK for t_ms in TAKEN]
    told = {"s1": 0, "s2": 1600}
    with pytest.raises(LivenessDenied, match="runs apart"):
        check_timing(case(received, told))
    check_timing(case([t_ms * 0.95 + NETWORK for t_ms in TAKEN], told))


def test_a_post_has_no_times_of_its_own() -> None:
    whole = case([])
    check_timing(Case(whole.challenge, whole.faces, MOTION, whole.embedder, None, Evidence(), whole.record))
