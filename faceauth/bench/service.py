"""Logins under load, over HTTP: simulated devices and their backends, as many at once as told."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter
from typing import Any, Final

import httpx
import numpy as np

from faceauth.bench.stream import FPS, MOTIONS, Clips, lit, unlike_any_other
from faceauth.consent.builtin import LOGIN

CENTRE_MS: Final = 600
"""How long a device looks straight ahead where the challenge asks for no more, in milliseconds."""

WAIT_S: Final = 120.0
"""Seconds after which a device gives up on an answer."""


def film(clips: Clips, challenge: Mapping[str, Any], *, device: int) -> tuple[list[bytes], list[dict[str, Any]]]:
    """Return the frames and the timeline that answer a challenge, as a post sends them.

    Args:
        clips: from `faceauth.bench.stream.render_clips`.
        challenge: as the service told it, with all its steps.
        device: a number that no other film of these clips has: the same bytes twice would be a replay.
    """
    frames: list[bytes] = []
    timeline: list[dict[str, Any]] = []
    motion: str = MOTIONS[0]
    for step in challenge["steps"]:
        motion = step["kind"] if step["kind"] in MOTIONS else motion
        for jpeg in _filmed(clips, step, motion, first=not frames):
            timeline.append({"step": step["id"], "t_ms": round(len(frames) * 1000 / FPS)})
            frames.append(unlike_any_other(jpeg, device, len(frames)))
    return frames, timeline


def _filmed(clips: Clips, step: Mapping[str, Any], motion: str, *, first: bool) -> Iterator[bytes]:
    if step["kind"] == "flash":
        lasts_s = sum(colour["ms"] for colour in step["colours"]) / 1000
        yield from (lit(clips, step["colours"], at / FPS) for at in range(round(lasts_s * FPS)))
        return
    part = "s2" if step["kind"] in MOTIONS else "s1" if first else "s3"
    clip = clips[f"{motion}:{part}"]
    least = round((step.get("min_ms") or CENTRE_MS) * FPS / 1000) + 1
    yield from (clip[min(at, len(clip) - 1)] for at in range(max(least, len(clip))))


@dataclass(slots=True)
class Logins:
    """What was seen of all logins together, in seconds.

    Attributes:
        posts: from sending the frames to the outcome.
        wholes: from asking for a session to reading its token, filming not counted.
        outcomes: how sessions ended, with the reason that the backend reads.
        shed: how often somebody was told to come back later.
        lasted: how long all of it took.
    """

    posts: list[float] = field(default_factory=list)
    wholes: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    shed: int = 0
    lasted: float = 0.0

    @property
    def accepted(self) -> int:
        """How many were accepted."""
        return self.outcomes["accepted"]

    def as_json(self) -> dict[str, Any]:
        """Return logins a second and the percentiles, in milliseconds."""
        return {
            "per_s": round(self.accepted / self.lasted, 3) if self.lasted else 0.0,
            "post_ms": percentiles(self.posts),
            "whole_ms": percentiles(self.wholes),
            "outcomes": dict(self.outcomes),
            "shed": self.shed,
            "lasted_s": round(self.lasted, 1),
        }


async def log_in_many(
    clips: Clips,
    accounts: Iterator[str],
    *,
    address: str,
    key: str,
    at_once: int,
    seconds: float,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Logins:
    """Log in one account after the other, `at_once` at a time, for so long; those under way are finished.

    Every account logs in once: a second login before the same scene would be told as a replay. A device that is
    turned away waits as long as it is told and sends again.

    Args:
        clips: from `faceauth.bench.stream.render_clips`.
        accounts: who is enrolled with the clips' head; it ends when there are no more.
        address: the service's.
        key: an application's.
        at_once: how many logins at a time.
        seconds: after how long none is begun any more.
        transport: what carries the requests; the network if left out.
    """
    seen = Logins()
    began = perf_counter()
    limits = httpx.Limits(max_connections=2 * at_once, max_keepalive_connections=2 * at_once)
    async with httpx.AsyncClient(base_url=address, timeout=WAIT_S, limits=limits, transport=transport) as client:

        async def device() -> None:
            while perf_counter() - began < seconds:
                account = next(accounts, None)
                if account is None:
                    return
                await _Login(client, key, clips, seen).run(account)

        await asyncio.gather(*(device() for _ in range(at_once)))
    seen.lasted = perf_counter() - began
    return seen


class _Login:
    """One person's login: the backend opens, the device films and posts, the backend reads."""

    _films = count()

    def __init__(self, client: httpx.AsyncClient, key: str, clips: Clips, seen: Logins) -> None:
        self._client = client
        self._backend = {"Authorization": f"Bearer {key}"}
        self._clips = clips
        self._seen = seen

    async def run(self, account: str) -> None:
        began = perf_counter()
        body = {"purpose": "verify", "scenario": LOGIN, "account_id": account}
        opened = (await self._client.post("/v1/sessions", json=body, headers=self._backend)).json()
        spent = perf_counter() - began
        frames, timeline = await asyncio.to_thread(
            film, self._clips, opened["challenge"], device=next(self._films)
        )
        posted = await self._post(opened, frames, timeline)
        began = perf_counter()
        path = f"/v1/sessions/{opened['session_id']}"
        told = (await self._client.get(path, headers=self._backend)).json()
        self._seen.posts.append(posted)
        self._seen.wholes.append(spent + posted + perf_counter() - began)
        outcome = told["state"] if told.get("reason") is None else f"{told['state']}: {told['reason']}"
        self._seen.outcomes[outcome] += 1

    async def _post(
        self, opened: Mapping[str, Any], frames: Sequence[bytes], timeline: Sequence[Mapping[str, Any]]
    ) -> float:
        """Send the frames, again where they are turned away, and return how long the answered post took."""
        files = [("frames", (f"{at}.jpg", frame, "image/jpeg")) for at, frame in enumerate(frames)]
        while True:
            began = perf_counter()
            answer = await self._client.post(
                f"/v1/sessions/{opened['session_id']}/frames",
                files=files,
                data={"timeline": json.dumps(timeline)},
                headers={"Authorization": f"Bearer {opened['client_token']}"},
            )
            if answer.status_code not in {429, 503}:
                return perf_counter() - began
            self._seen.shed += 1
            await asyncio.sleep(float(answer.headers.get("retry-after", "1")))


def percentiles(seconds: Sequence[float]) -> dict[str, float | int]:
    """Return how many there were, and their 50th, 95th and 99th percentile and maximum in milliseconds."""
    if not seconds:
        return {"n": 0}
    p50, p95, p99, most = 1000 * np.quantile(np.asarray(seconds), [0.5, 0.95, 0.99, 1.0])
    return {
        "n": len(seconds),
        "p50": round(float(p50), 1),
        "p95": round(float(p95), 1),
        "p99": round(float(p99), 1),
        "max": round(float(most), 1),
    }
