"""How far guidance falls behind while many sessions stream at once: simulated heads over real sockets."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate, cycle
from time import perf_counter
from typing import Any, Final

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from faceauth.liveness.colours import PALETTE
from faceauth.simulate import Subject, simulate_session
from faceauth.types import Challenge, Colour, Step, StepKind

FPS: Final = 12
DARK: Final = "#000000"
SCREEN_LAG_S: Final = 0.1
"""How late a colour reaches the picture: one or two frames of the display, as many of the camera."""
FLASH_MS: Final = 4000
MOTIONS: Final[tuple[StepKind, ...]] = ("turn_left", "turn_right", "nod_up", "nod_down", "closer")

Clips = Mapping[str, Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Opened:
    """A session: its WebSocket's address, its client token, and what asks the backend how it ended."""

    address: str
    token: str = field(repr=False)
    outcome: Callable[[], str]


Open = Callable[[], Opened]
"""Opens a session."""


@dataclass(slots=True)
class Load:
    """What was seen of all sessions together, in seconds.

    Attributes:
        lags: from sending a frame to hearing the guidance on it.
        behind: how old the newest frame was, at its oldest, that the device had heard about.
        waits: from the last step's acceptance to the outcome.
        outcomes: how sessions ended, with the reason that the backend reads.
        away: how often somebody was turned away before they began, and came back when told to.
        frames: how many were sent.
        lasted: how long all of it took.
    """

    lags: list[float] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    away: int = 0
    frames: int = 0
    lasted: float = 0.0

    @property
    def accepted(self) -> int:
        """How many were accepted."""
        return self.outcomes["accepted"]

    def as_json(self) -> dict[str, Any]:
        """Return those accepted a second; medians, 95th and 99th percentiles and the worst, all in ms."""
        named = {"lag_ms": self.lags, "behind_ms": self.behind, "decision_ms": self.waits}
        return {
            "per_s": round(self.accepted / self.lasted, 3) if self.lasted else 0.0,
            **{name: _summary(values) for name, values in named.items()},
            "outcomes": dict(self.outcomes),
            "turned_away": self.away,
            "frames": self.frames,
            "lasted_s": round(self.lasted, 1),
        }


def render_clips(subject: Subject, *, seed: int = 1) -> Clips:
    """Return JPEGs of a head at rest, in each motion and back, and in each colour's light; all of one scene."""
    clips: dict[str, Sequence[bytes]] = {}
    for kind in MOTIONS:
        steps = (Step("s1", "center", 600), Step("s2", kind, 1000), Step("s3", "center", 1000))
        challenge = Challenge(bytes(16), "motion", steps, datetime(2030, 1, 1, tzinfo=UTC))
        frames = simulate_session(subject, challenge, seed=seed, fps=FPS, mild=True)
        for step in steps:
            name = f"{kind}:{step.id}"
            clips[name] = [frame.jpeg for frame in frames if frame.step == step.id]
    for rgb in (*PALETTE, DARK):
        # One colour all the time: what is told is put together from these, as the head stays in its place.
        step = Step("s1", "flash", FLASH_MS, (Colour(rgb, 2 * FLASH_MS),))
        challenge = Challenge(bytes(16), "motion+flash", (step,), datetime(2030, 1, 1, tzinfo=UTC))
        frames = simulate_session(subject, challenge, seed=seed, fps=FPS, mild=True, late_ms=-150)
        clips[rgb] = [frame.jpeg for frame in frames]
    return clips


async def stream_load(clips: Clips, open_session: Open, *, sessions: int, seconds: float) -> Load:
    """Stream so many sessions at once for so long; each that ends is followed by another.

    Args:
        clips: from `render_clips`.
        open_session: opens a session; called in a thread.
        sessions: how many at once.
        seconds: after how long no session is begun any more; those under way are finished.
    """
    load = Load()
    began = perf_counter()

    async def device(number: int) -> None:
        # They do not all begin at once, as people do not.
        await asyncio.sleep(number / sessions * min(5.0, seconds / 4))
        while perf_counter() - began < seconds:
            opened = await asyncio.to_thread(open_session)
            try:
                await _Device(clips, load).run(opened.address, opened.token)
            except InvalidStatus as away:
                load.away += 1
                await asyncio.sleep(float(away.response.headers.get("Retry-After", "5")))
                continue
            except ConnectionClosed:
                load.outcomes["connection lost"] += 1
            load.outcomes[await asyncio.to_thread(opened.outcome)] += 1

    await asyncio.gather(*(device(number) for number in range(sessions)))
    load.lasted = perf_counter() - began
    return load


class _Device:
    """One session: frames go out at a camera's pace whatever is heard; what is asked is played from the clips."""

    def __init__(self, clips: Clips, load: Load) -> None:
        self._clips = clips
        self._load = load
        self._step: dict[str, Any] | None = None
        self._pictures = cycle(clips["turn_left:s1"])
        self._told_at = 0.0
        self._last_motion = "turn_left"
        self._sent: dict[int, float] = {}
        self._heard_of = 0.0
        self._judged_since = 0.0
        self._began: float | None = None
        self._number = 0

    async def run(self, address: str, token: str) -> str:
        """Stream one session and return what the device was told of its outcome."""
        headers = {"Authorization": f"Bearer {token}"}
        async with connect(address, additional_headers=headers, compression=None, max_queue=64) as socket:
            sending = asyncio.create_task(self._send(socket))
            try:
                return await self._hear(socket)
            finally:
                sending.cancel()

    async def _hear(self, socket: ClientConnection) -> str:
        async for raw in socket:
            now, message = perf_counter(), json.loads(raw)
            kind = message["type"]
            if kind == "challenge":
                self._step, self._began = None, None
                self._sent.clear()
                self._heard_of = 0.0
            elif kind == "step":
                self._play(message)
            elif kind == "guidance" and message["t_ms"] in self._sent:
                sent = self._sent[message["t_ms"]]
                self._load.lags.append(now - sent)
                if self._heard_of:
                    self._load.behind.append(now - self._heard_of)
                self._heard_of = sent
            elif kind == "evaluating":
                self._step, self._judged_since = None, now
            elif kind == "done":
                if self._judged_since:
                    self._load.waits.append(now - self._judged_since)
                return str(message["state"])
        return "closed"

    def _play(self, step: dict[str, Any]) -> None:
        if step["kind"] in MOTIONS:
            self._last_motion = step["kind"]
            self._pictures = _once(self._clips[f"{step['kind']}:s2"])
        elif self._step is not None and self._step["kind"] in MOTIONS:
            self._pictures = _once(self._clips[f"{self._last_motion}:s3"])
        self._step, self._told_at = step, perf_counter()

    def _picture(self, step: dict[str, Any], now: float) -> bytes:
        """Return what the camera sees now: in a flash step the head in the colour that the screen shows."""
        if step["kind"] != "flash":
            return next(self._pictures)
        return lit(self._clips, step["colours"], now - self._told_at)

    async def _send(self, socket: ClientConnection) -> None:
        due = perf_counter()
        while True:
            # A camera that was kept from running leaves frames out; it makes up for none.
            due = max(due + 1 / FPS, perf_counter())
            step = self._step
            if step is not None:
                now = perf_counter()
                self._began = self._began or now
                t_ms = round(1000 * (now - self._began))
                self._number += 1
                self._load.frames += 1
                self._sent[t_ms] = now
                jpeg = unlike_any_other(self._picture(step, now), id(self), self._number)
                await socket.send(json.dumps({"t_ms": t_ms, "step": step["id"]}))
                await socket.send(jpeg)
            await asyncio.sleep(max(0.0, due - perf_counter()))


def lit(clips: Clips, colours: Sequence[Mapping[str, Any]], since_s: float) -> bytes:
    """Return the head in the colour that the screen shows so long after a flash step began."""
    ends = accumulate(colour["ms"] for colour in colours)
    lit_ms = 1000 * (since_s - SCREEN_LAG_S)
    rgb = next((one["rgb"] for end, one in zip(ends, colours, strict=True) if 0 <= lit_ms < end), DARK)
    clip = clips[rgb]
    return clip[min(int(since_s * FPS), len(clip) - 1)]


def unlike_any_other(jpeg: bytes, device: int, number: int) -> bytes:
    """Return the same picture as other bytes, with a comment segment: a frame that was sent before is a replay."""
    comment = f"{device:x} {number:x} {perf_counter():.6f}".encode()
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


def _once(pictures: Sequence[bytes]) -> Any:
    """Yield them in order, then the last few to and fro."""
    yield from pictures
    tail = [*pictures[-3:], *reversed(pictures[-3:-1])]
    yield from cycle(tail)


def _summary(values: Sequence[float]) -> dict[str, float | int]:
    if not values:
        return {"n": 0}
    p50, p95, p99, most = (round(ms) for ms in 1000 * np.quantile(np.array(values), [0.5, 0.95, 0.99, 1.0]))
    return {"n": len(values), "p50": p50, "p95": p95, "p99": p99, "max": most}
