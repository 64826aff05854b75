"""The frames of one multipart post, checked against the challenge before anything is decoded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from faceauth.capture.decode import Inspected, develop, inspect
from faceauth.errors import ImageTooLarge, InvalidImage, InvalidRequest, InvalidTimeline, TooManyFrames
from faceauth.sections import CaptureSettings
from faceauth.types import AlignedFace, Challenge, DetectedFace, Evidence, Frame

LAST_MS = 60_000
"""A session lives at most 60 s once capture starts (R15), so no frame is later."""


WORKING_SIDE = 960
"""Pixels of a frame's longer side from here on. A face at arm's length still fills the embedder's chip, and what
the later stages cost no longer depends on what the device sends."""

MAX_PIXELS = 100_000_000
"""Pixels of all frames together, by their headers: 90 frames of 1280 × 800 fit. Without it 90 files of some
hundred bytes, each a plain area of 12 megapixels, would cost half a minute of decoding."""


@dataclass(frozen=True, slots=True, eq=False)
class Burst:
    """The frames of one burst, in order, and what is known of them beside their pixels.

    `found` are the faces that a stream found in some of the frames while they came, by the frame's number.
    """

    frames: tuple[Frame, ...]
    found: Mapping[int, Sequence[DetectedFace]] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence)

    def evidence_of(self, faces: Sequence[AlignedFace]) -> Evidence:
        """Return the evidence of those frames alone in which a face was found."""
        received = self.evidence.received_ms
        if received is None:
            return self.evidence
        kept = {face.frame.t_ms for face in faces}
        times = [at for at, frame in zip(received, self.frames, strict=True) if frame.t_ms in kept]
        return replace(self.evidence, received_ms=tuple(times))


def read_burst(
    parts: Sequence[bytes], timeline: object, challenge: Challenge, limits: CaptureSettings
) -> tuple[Frame, ...]:
    """Decode a burst.

    Args:
        parts: the pictures as received, in order.
        timeline: the parsed JSON that came with them: a list of ``{"step": …, "t_ms": …}``, one a picture.
        challenge: whose steps the frames were taken for.
        limits: caps on frames, bytes and pixels.

    Returns:
        The frames in order, all of one size, the longer side `WORKING_SIDE` pixels at most. Whether they follow
        the challenge is for liveness to judge.

    Raises:
        InvalidRequest: There are no frames.
        TooManyFrames: There are more frames than allowed.
        ImageTooLarge: A frame, or all of them together, is too large in bytes or pixels.
        InvalidTimeline: The timeline is no such list, names an unknown step, or runs backwards.
        InvalidImage: A frame is no picture, or not of the first one's size: a camera does not change it.
    """
    if not parts:
        raise InvalidRequest("There are no frames; send at least one part named frames.")
    if len(parts) > limits.max_frames:
        raise TooManyFrames(f"There are {len(parts)} frames; send at most {limits.max_frames}.")
    if sum(map(len, parts)) > limits.max_session_bytes:
        raise ImageTooLarge(f"The frames are too large together; send at most {limits.max_session_bytes} bytes.")
    entries = _entries(timeline, len(parts), {step.id for step in challenge.steps})
    pictures = [inspect(part, limits=limits) for part in parts]
    _check_sizes(pictures)
    return tuple(
        develop(picture, t_ms=t_ms, step=step, longer_side=WORKING_SIDE)
        for picture, (step, t_ms) in zip(pictures, entries, strict=True)
    )


def _check_sizes(pictures: Sequence[Inspected]) -> None:
    """Look at what the headers say of all frames, before the first is decoded (R20)."""
    if sum(picture.header.width * picture.header.height for picture in pictures) > MAX_PIXELS:
        raise ImageTooLarge(f"The frames are too large together; send at most {MAX_PIXELS} pixels.")
    for number, picture in enumerate(pictures):
        if picture.seen_size != pictures[0].seen_size:
            raise InvalidImage(
                f"Frame {number} is not of the first one's size; send them as one camera takes them."
            )


def _entries(timeline: object, count: int, known: set[str]) -> list[tuple[str, int]]:
    if not isinstance(timeline, list) or len(timeline) != count:
        raise InvalidTimeline(f"The timeline must be a list of {count} entries, one for each frame.")
    entries: list[tuple[str, int]] = []
    before = -1
    for number, entry in enumerate(timeline):
        step, t_ms = _entry(entry, number)
        if step not in known:
            raise InvalidTimeline(f"Frame {number} names a step that the challenge does not have.")
        if not before < t_ms <= LAST_MS or (number == 0 and t_ms != 0):
            raise InvalidTimeline(f"Frame {number}: t_ms counts from 0, grows, and ends by {LAST_MS}.")
        entries.append((step, t_ms))
        before = t_ms
    return entries


def _entry(entry: object, number: int) -> tuple[str, int]:
    if isinstance(entry, dict) and entry.keys() == {"step", "t_ms"}:
        step, t_ms = entry["step"], entry["t_ms"]
        if isinstance(step, str) and isinstance(t_ms, int) and not isinstance(t_ms, bool):
            return step, t_ms
    raise InvalidTimeline(f'Frame {number}: the timeline wants {{"step": text, "t_ms": whole number}}.')
