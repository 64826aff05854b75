"""`bench stream`: what it sends, and how it counts."""

import cv2
import numpy as np

from faceauth.bench.stream import Load, unlike_any_other
from faceauth.capture.decode import inspect
from faceauth.sections import CaptureSettings


def test_frames_are_the_same_picture_and_other_bytes() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (96, 128, 3), np.uint8)
    jpeg = bytes(cv2.imencode(".jpg", picture)[1])
    first, second = unlike_any_other(jpeg, 1, 1), unlike_any_other(jpeg, 1, 2)
    limits = CaptureSettings()
    assert inspect(first, limits=limits).digest != inspect(second, limits=limits).digest
    seen = [cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR) for one in (jpeg, first, second)]
    assert seen[0] is not None
    assert all(one is not None and np.array_equal(one, seen[0]) for one in seen)


def test_every_figure_says_how_many_it_is_of() -> None:
    """R3."""
    load = Load(lags=[0.01, 0.02, 0.5], behind=[0.1])
    load.outcomes["denied"] += 2
    told = load.as_json()
    assert told["lag_ms"] == {"n": 3, "p50": 20, "p95": 452, "p99": 490, "max": 500}
    assert told["behind_ms"]["n"] == 1
    assert told["decision_ms"] == {"n": 0}
    assert told["outcomes"] == {"denied": 2}
    assert told["per_s"] == 0.0


def test_only_those_accepted_count_as_logins_a_second() -> None:
    load = Load(lasted=2.0)
    load.outcomes.update({"accepted": 3, "denied: mismatch": 5})
    assert load.as_json()["per_s"] == 1.5
