"""The work on a stream's frames: a look at the newest while they come, and the whole burst at the end."""

from collections.abc import Sequence
from typing import Final

from faceauth.capture.burst import WORKING_SIDE, Burst, read_burst
from faceauth.capture.decode import develop, inspect
from faceauth.capture.faces import FaceReader, is_searched_whole
from faceauth.errors import InvalidTimeline
from faceauth.liveness.following import Mark
from faceauth.settings import Settings
from faceauth.streaming.session import Received, Seen, StreamSession
from faceauth.types import Challenge, DetectedFace, Evidence

WHOLE_EVERY: Final = 24
"""Every so many looks the whole picture is searched, about every two seconds before one camera (own figure): it
costs seven times a look near the face, and the decision searches whole frames of its own."""


class Watcher:
    """Looks at one stream's frames, one at a time, from any thread.

    Args:
        reader: finds faces.
        settings: caps on what a device may send.

    Attributes:
        number: the frame that was looked at last, or is just now.
    """

    def __init__(self, reader: FaceReader, settings: Settings) -> None:
        self._reader = reader
        self._settings = settings
        self._looks = 0
        self.number = 0
        self._before: Sequence[DetectedFace] = ()

    def look(self, session: StreamSession) -> tuple[Received, Seen] | None:
        """Look at the newest frame, if there is one that was not looked at; what came between is passed over.

        Raises:
            InvalidImage: it is no picture that this service reads, or too large.
        """
        received = session.newest(self.number)
        if received is None:
            return None
        self.number = received.number
        picture = inspect(received.jpeg, limits=self._settings.capture)
        frame = develop(picture, t_ms=received.t_ms, step=received.step, longer_side=WORKING_SIDE)
        whole = self._looks % WHOLE_EVERY == 0
        found = self._reader.find(frame, self._before, whole=whole)
        self._looks, self._before = self._looks + 1, found
        kinds = {step.id: step.kind for step in session.challenge.steps}
        face, code = self._reader.look(frame, found, facing=kinds.get(received.step) == "center")
        landmarks = None if face is None else face.face.landmarks
        mark = Mark.of(received.t_ms, landmarks, good=code is None)
        return received, Seen(received.number, found, code, mark, whole=whole)


def read_stream(session: StreamSession, challenge: Challenge, settings: Settings) -> Burst:
    """Read the whole burst: every frame that came since the person was in place.

    Raises:
        InvalidTimeline: the stream followed another challenge than the one that is stored.
        InvalidImage, ImageTooLarge, TooManyFrames: as in `read_burst`.
    """
    if (challenge.nonce, challenge.steps) != (session.challenge.nonce, session.challenge.steps):
        raise InvalidTimeline("The session's challenge has changed.")
    received = tuple(session.frames)
    began = received[0].t_ms if received else 0
    limits = settings.capture.model_copy(update={"max_frames": settings.stream.frames})
    timeline = [{"step": one.step, "t_ms": one.t_ms - began} for one in received]
    frames = read_burst([one.jpeg for one in received], timeline, challenge, limits)
    known = session.seen  # what was found near a face alone does not stand for a search of the whole picture
    return Burst(
        frames,
        {
            at: known[one.number].found
            for at, one in enumerate(received)
            if one.number in known and (known[one.number].whole or not is_searched_whole(received, at))
        },
        Evidence(
            received_ms=tuple(one.received_ms for one in received),
            told_ms=dict(session.told_ms),
            chain=session.chain.digest,
            unverified_signature=session.signature,
        ),
    )
