"""What a multipart post may hold."""

from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceauth.capture.burst import read_burst
from faceauth.errors import (
    ImageTooLarge,
    InvalidImage,
    InvalidRequest,
    InvalidTimeline,
    TooManyFrames,
)
from faceauth.sections import CaptureSettings
from faceauth.types import Challenge, Step

CHALLENGE = Challenge(
    nonce=bytes(16),
    profile="motion",
    steps=(Step("a", "center"), Step("b", "turn_left")),
    expires_at=datetime(2030, 1, 1, tzinfo=UTC),
)
LIMITS = CaptureSettings()
JPEG = bytes(cv2.imencode(".jpg", np.full((64, 96, 3), 127, np.uint8))[1])


def timeline(count: int) -> list[object]:
    return [{"step": "a", "t_ms": 80 * number} for number in range(count)]


def test_frames_carry_their_step_and_time() -> None:
    frames = read_burst([JPEG] * 3, timeline(3), CHALLENGE, LIMITS)
    assert [(frame.step, frame.t_ms) for frame in frames] == [("a", 0), ("a", 80), ("a", 160)]


def test_zero_frames() -> None:
    with pytest.raises(InvalidRequest, match="no frames"):
        read_burst([], [], CHALLENGE, LIMITS)


def test_a_thousand_frames() -> None:
    """R20: refused before one is decoded."""
    with pytest.raises(TooManyFrames):
        read_burst([b"no picture"] * 1000, timeline(1000), CHALLENGE, LIMITS)


def test_too_many_bytes_together() -> None:
    """R20: refused before one is decoded."""
    limits = CaptureSettings(max_session_bytes=100)
    with pytest.raises(ImageTooLarge):
        read_burst([b"x" * 60] * 2, timeline(2), CHALLENGE, limits)


def test_too_many_pixels_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """R20: nine small files of 12 megapixels each are refused from their headers."""
    monkeypatch.setattr(cv2, "imdecode", None)
    plain = bytes(
        cv2.imencode(".webp", np.full((3000, 4000, 3), 90, np.uint8), [cv2.IMWRITE_WEBP_QUALITY, 101])[1]
    )
    assert len(plain) < 1000
    with pytest.raises(ImageTooLarge, match="pixels"):
        read_burst([plain] * 9, timeline(9), CHALLENGE, LIMITS)


def test_large_frames_are_averaged_down() -> None:
    """R58: the stages after decoding cost the same, whatever is sent."""
    large = bytes(cv2.imencode(".jpg", np.full((1080, 1920, 3), 127, np.uint8))[1])
    assert [frame.pixels.shape for frame in read_burst([large] * 2, timeline(2), CHALLENGE, LIMITS)] == [
        (540, 960, 3)
    ] * 2


def test_frames_of_two_sizes() -> None:
    """A camera does not change its size within a burst; frames from elsewhere often have another."""
    other = bytes(cv2.imencode(".jpg", np.full((96, 64, 3), 127, np.uint8))[1])
    with pytest.raises(InvalidImage, match="Frame 1"):
        read_burst([JPEG, other], timeline(2), CHALLENGE, LIMITS)


@pytest.mark.parametrize("part", [b"", b"hello", JPEG[:-40]])
def test_no_picture_among_the_frames(part: bytes) -> None:
    with pytest.raises(InvalidImage):
        read_burst([JPEG, part], timeline(2), CHALLENGE, LIMITS)


@pytest.mark.parametrize(
    "entries",
    [
        None,
        "[]",
        {},
        [],
        timeline(1),
        timeline(3),
        [{"step": "a", "t_ms": 0}, {"step": "z", "t_ms": 80}],
        [{"step": "a", "t_ms": 0}, {"step": "a", "t_ms": 0}],
        [{"step": "a", "t_ms": 80}, {"step": "a", "t_ms": 0}],
        [{"step": "a", "t_ms": 10}, {"step": "a", "t_ms": 20}],
        [{"step": "a", "t_ms": 0}, {"step": "a", "t_ms": 60_001}],
        [{"step": "a", "t_ms": 0}, {"step": "a", "t_ms": 80.5}],
        [{"step": "a", "t_ms": 0}, {"step": "a", "t_ms": True}],
        [{"step": "a", "t_ms": 0}, {"step": "a"}],
        [{"step": "a", "t_ms": 0}, {"step": "a", "t_ms": 80, "more": 1}],
        [["a", 0], ["a", 80]],
    ],
)
def test_a_timeline_that_does_not_fit(entries: object) -> None:
    with pytest.raises(InvalidTimeline):
        read_burst([JPEG, JPEG], entries, CHALLENGE, LIMITS)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["step", "t_ms", "x"]), inner),
)


@given(entries=JSON)
def test_any_json_is_refused_cleanly(entries: object) -> None:
    """R58: whatever parses as JSON but is no timeline gives our error."""
    if entries in ([{"step": "a", "t_ms": 0}], [{"step": "b", "t_ms": 0}]):
        return
    with pytest.raises(InvalidTimeline):
        read_burst([JPEG], entries, CHALLENGE, LIMITS)
