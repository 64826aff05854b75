"""One streamed session: what comes in, what is told, when it is over. It neither waits nor decodes.

Whoever holds one calls it from one thread; only `newest` may be called from another. Time is passed in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from faceauth.errors import Denied
from faceauth.liveness.chain import Chain
from faceauth.liveness.following import Follower, Mark
from faceauth.liveness.profiles import PROFILES
from faceauth.settings import Settings
from faceauth.streaming.machine import CAPTURING, OVER, Signal, State, move, signal_of
from faceauth.streaming.messages import Message, breach, challenge_message, read_header, read_json, told
from faceauth.types import Challenge, DetectedFace, Step

Timer = Callable[[], float]
"""Returns seconds; only differences count, and it never runs backwards."""

HEADER_BYTES: Final = 512
"""A frame's header has about 50 bytes; 64 more for a hash (own figure)."""

SIGNATURE_BYTES: Final = 8_192
"""A WebAuthn assertion in JSON has about 1,000 bytes (own figure)."""

SIGN_S: Final = 30.0
"""Seconds for the signature, once the last step was answered: a person may have to touch a sensor (own figure)."""

MOST_FPS: Final = 60
"""Frames a second (study, G0: 8 to 60)."""

STALL_FRAMES: Final = 90
"""So many more may come at once after the network stood still (own figure)."""

GONE: Final = frozenset({"no_face", "many_faces"})
"""Codes that end a burst once it has begun: somebody else may have come in between."""


@dataclass(frozen=True, slots=True)
class Received:
    """One frame as it came; `received_ms` is the service's own clock."""

    number: int
    jpeg: bytes = field(repr=False)
    t_ms: int
    step: str
    received_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What was seen in one frame: the faces in it, what the person can do better, and the frame's mark.

    `whole` says that all of the picture was searched, not only near the face before.
    """

    number: int
    found: Sequence[DetectedFace] = field(repr=False)
    code: str | None
    mark: Mark
    whole: bool = False


class StreamSession:
    """One session, from the connection to `done`."""

    def __init__(self, challenge: Challenge, *, settings: Settings, timer: Timer) -> None:
        self._settings = settings
        self._timer = timer
        self._began_s = timer()
        self._first_s: float | None = None
        self._came = 0
        self._came_bytes = 0
        self._bursts = 0
        self._numbered = 0
        self.state = State.CREATED
        self.outbox: list[Message] = []
        self.start(challenge)

    # --- a burst --------------------------------------------------------------------------------------------

    def start(self, challenge: Challenge) -> None:
        """Begin a burst: the first, or one more. Everything counts from here on again.

        Raises:
            Denied: reason `quality`; it began too often.
        """
        self._bursts += 1
        if self._bursts > self._settings.sessions.posts:
            raise Denied("quality", "The capture began too often.")
        self.challenge = challenge
        self.frames: list[Received] = []
        self.seen: dict[int, Seen] = {}
        self.told_ms: dict[str, int] = {}
        self.chain = Chain(challenge, told=1)
        self.signs = False
        self.signature: object = None
        self._follower = Follower(PROFILES[challenge.profile])
        self._step = 0
        self._frame_bytes = 0
        self._marks: list[Mark] = []
        self._header: Mapping[str, Any] | None = None
        self._last_t_ms = -1
        self._gone = 0
        self._last_s = self._timer()
        self._due_s: float | None = None
        self._show_start()

    def again(self, challenge: Challenge) -> None:
        """Start over, because the burst cannot be judged or the connection was lost.

        Raises:
            Denied: reason `quality`; it began too often.
        """
        self._move(Signal.AGAIN)
        self.start(challenge)

    def resume(self) -> None:
        """Go on after the connection was lost: a burst with a hole in it is not judged, so it starts over.

        Raises:
            Denied: reason `quality`; it began too often.
        """
        self._header = None
        if self.state is State.EVALUATING:
            self.outbox = [self._evaluating()]
        elif self.over:
            self.outbox = [self._done()]
        elif self.frames or self._last_t_ms >= 0:
            self.again(self.challenge)
        else:
            self.outbox = []
            self._show_start()

    @property
    def over(self) -> bool:
        """Whether it was decided."""
        return self.state in OVER

    @property
    def ready(self) -> bool:
        """Whether all that is judged is here: the frames, and the signature that the device announced."""
        return self.state is State.EVALUATING and (self.signature is not None or not self.signs)

    @property
    def begun(self) -> bool:
        """Whether a frame has come, so that the session must be claimed."""
        return self._first_s is not None

    @property
    def current(self) -> Step:
        """The step that was told last."""
        return self.challenge.steps[self._step]

    # --- what comes in --------------------------------------------------------------------------------------

    def text(self, raw: str) -> None:
        """Take a frame's header, ``{"t_ms", "step", "chain"?, "sign"?}``, or the signature that one announced.

        Raises:
            Denied: reason `injection`; it is neither, or names a step that was not told.
        """
        if self.state is State.EVALUATING and not self.ready:
            self._sign(raw)
        if self.state not in CAPTURING:
            return
        if self._header is not None or len(raw) > HEADER_BYTES:
            raise breach("A header must be short, and a frame must follow it.")
        header = read_header(raw)
        t_ms = header["t_ms"]
        if self.state is State.CREATED and t_ms != 0 and self._bursts > 1:
            self._header = {}  # still on its way from the burst before
            return
        if not self._last_t_ms < t_ms <= 1000 * self._settings.sessions.capture_s or (
            self._last_t_ms < 0 and t_ms != 0
        ):
            raise breach("t_ms counts from 0 and grows.")
        known = [step.id for step in self.challenge.steps]
        at = known.index(header["step"]) if header["step"] in known else len(known)
        if at > self._step:
            raise breach("A step was answered before it was told.")
        if self.frames and at < known.index(self.frames[-1].step):
            raise breach("The steps go backwards.")
        self.signs = self.signs or header.get("sign") is True
        self._header = header

    def _sign(self, raw: str) -> None:
        if len(raw) > SIGNATURE_BYTES:
            raise breach("A signature must be short.")
        said = read_json(raw)
        if isinstance(said, dict) and said.get("type") == "signature":
            # None: the person would not, or the key is gone. It is judged as if none had been announced.
            self.signature = said.get("signature")
            self.signs = self.signature is not None
        # Anything else is the header of a frame that was still on its way.

    def binary(self, jpeg: bytes) -> None:
        """Take the frame that belongs to the header before it.

        Raises:
            Denied: reason `injection`; no header came before, there is too much, or the device's chain is another.
        """
        now_s = self._timer()
        self._count(jpeg, now_s)
        if self.state not in CAPTURING:
            return
        header, self._header = self._header, None
        if header is None:
            raise breach("A frame came without a header.")
        if not header:
            return
        self._last_s = now_s
        if self._first_s is None:
            self._first_s = now_s
        if self.state is State.CREATED:
            self._move(signal_of(self.current.kind))
        self.chain.add(header["t_ms"], jpeg)
        self.chain.check(header.get("chain"))
        self._last_t_ms = header["t_ms"]
        # Numbers go on over all bursts, so that a late look is never taken for one at a newer frame.
        self._numbered += 1
        self.frames.append(Received(self._numbered, jpeg, header["t_ms"], header["step"], self._ms(now_s)))
        self._frame_bytes += len(jpeg)
        caps = self._settings
        if len(self.frames) > caps.stream.frames or self._frame_bytes > caps.capture.max_session_bytes:
            raise Denied("quality", "The burst is too long.")

    def _count(self, jpeg: bytes, now_s: float) -> None:
        caps = self._settings.capture
        self._came += 1
        self._came_bytes += len(jpeg)
        if len(jpeg) > caps.max_frame_bytes or self._came_bytes > 3 * caps.max_session_bytes:
            raise breach("There are too many bytes.")
        if self._came > STALL_FRAMES + MOST_FPS * (now_s - self._began_s):
            raise breach("The frames come too fast.")

    # --- what was seen --------------------------------------------------------------------------------------

    def newest(self, after: int) -> Received | None:
        """Return the newest frame if it is newer than `after`; older ones are left to the decision."""
        frames = self.frames
        if self.state not in CAPTURING or not frames or frames[-1].number <= after:
            return None
        return frames[-1]

    def saw(self, frame: Received, seen: Seen) -> None:
        """Take what was seen in a frame; tell guidance, and the next step if this one was answered.

        Raises:
            Denied: reason `quality`; the burst began too often.
        """
        if self.state not in CAPTURING or not any(one is frame for one in self.frames):
            return
        self.seen[seen.number] = seen
        if self._step == 0 and seen.code is not None:
            # Not in place yet: what came until now is no part of the burst.
            self._forget_until(seen.number)
            self._guide(seen.code, 0.0, frame.t_ms)
            return
        self._gone = self._gone + 1 if seen.code in GONE else 0
        if self._gone >= 2:
            self.again(self.challenge)
            return
        if self._due_s is None:
            self._due_s = self._timer() + self._settings.stream.step_s
        if frame.step == self.current.id:
            self._marks.append(seen.mark)
        done = self._follower.answered(self.current, self._marks, first=self._step == 0)
        whole = (self._step + done) / len(self.challenge.steps)
        self._guide(seen.code or f"step:{self.current.id}", whole, frame.t_ms)
        if done >= 1 and self._frames_of_step() >= PROFILES[self.challenge.profile].least_frames:
            self._next()

    def _forget_until(self, number: int) -> None:
        self.frames = [one for one in self.frames if one.number > number]
        self._frame_bytes = sum(len(one.jpeg) for one in self.frames)
        self.seen.clear()
        self._marks.clear()
        self._due_s = None

    def _frames_of_step(self) -> int:
        return sum(one.step == self.current.id for one in self.frames)

    def _next(self) -> None:
        if self._step + 1 == len(self.challenge.steps):
            self._move(Signal.LAST)
            self._due_s = self._timer() + SIGN_S if self.signs else None
            self.outbox.append(self._evaluating())
            return
        self._step += 1
        self._marks = []
        self._move(signal_of(self.current.kind))
        self._tell()
        self._due_s = self._timer() + self._settings.stream.step_s

    # --- time -----------------------------------------------------------------------------------------------

    def due_in_s(self) -> float:
        """Return after how many seconds `tick` has something to say."""
        return max(0.0, min(at for at, _ in self._deadlines()) - self._timer())

    def tick(self) -> None:
        """Look at the clock.

        Raises:
            Denied: reason `expired` when nothing comes any more, `liveness` when a step was not answered in time.
        """
        now_s = self._timer()
        for at, reason in self._deadlines():
            if now_s >= at:
                raise Denied(reason, "The time is over.")

    def _deadlines(self) -> list[tuple[float, str]]:
        if self._first_s is None:
            return [(self._began_s + self._settings.stream.first_frame_s, "expired")]
        found = [(self._first_s + self._settings.sessions.capture_s, "expired")]
        if self.state in CAPTURING:
            found.append((self._last_s + self._settings.stream.step_s, "expired"))
            if self._due_s is not None:
                found.append((self._due_s, "liveness"))
        elif self._due_s is not None:
            found.append((self._due_s, "expired"))
        return found

    # --- what is told ---------------------------------------------------------------------------------------

    def decided(self, *, accepted: bool) -> None:
        """End it; whatever is not an acceptance that the machine allows is a denial."""
        self.state = move(self.state, Signal.ACCEPTED if accepted else Signal.DENIED)
        self.frames, self.seen, self._marks = [], {}, []
        self.outbox = [self._done()]

    def take(self) -> list[Message]:
        """Return what is to be sent, and forget it."""
        out, self.outbox = self.outbox, []
        return out

    def _done(self) -> Message:
        return {"type": "done", "state": "accepted" if self.state is State.ACCEPTED else "denied"}

    def _evaluating(self) -> Message:
        # Frames that were on their way when the last step was answered are not in the chain that is signed.
        return {"type": "evaluating", "frames": self.chain.count, "sign": self.signs}

    def _show_start(self) -> None:
        self.outbox.append(challenge_message(self.challenge))
        self._tell()

    def _tell(self) -> None:
        self.told_ms[self.current.id] = self._ms(self._timer())
        self.outbox.append({"type": "step", **told(self.current)})

    def _guide(self, code: str, progress: float, t_ms: int) -> None:
        # Guidance that could not be sent yet is out of date.
        self.outbox = [one for one in self.outbox if one["type"] != "guidance"]
        self.outbox.append({"type": "guidance", "code": code, "progress": round(progress, 2), "t_ms": t_ms})

    def _move(self, signal: Signal) -> None:
        after = move(self.state, signal)
        if after in OVER:
            # Only `decided` ends a session, once the outcome is written down; until then it is refused.
            raise Denied("unavailable", f"Nothing leads on from {self.state} by {signal}.")
        self.state = after

    def _ms(self, at_s: float) -> int:
        return round(1000 * (at_s - self._began_s))
