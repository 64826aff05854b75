"""`faceauth bench service`: what devices film for a challenge, and what is counted of their logins."""

import asyncio
import itertools
import json
from collections import Counter
from typing import Any

import httpx
import pytest

from faceauth.bench.service import Logins, film, log_in_many, percentiles
from faceauth.bench.stream import DARK, FPS, MOTIONS

CHALLENGE: dict[str, Any] = {
    "steps": [
        {"id": "s1", "kind": "center", "min_ms": 500},
        {"id": "s2", "kind": "nod_up", "min_ms": 0},
        {"id": "s3", "kind": "center", "min_ms": None},
        {"id": "s4", "kind": "flash", "colours": [{"rgb": "#ff0000", "ms": 400}, {"rgb": "#00ff00", "ms": 400}]},
    ]
}


def clips() -> dict[str, list[bytes]]:
    """Clips whose pictures say which they are; a JPEG begins with two bytes before anything else."""
    made = {f"{kind}:{part}": 6 for kind in MOTIONS for part in ("s1", "s2", "s3")}
    made |= {"#ff0000": 40, "#00ff00": 40, DARK: 40}
    return {name: [b"\xff\xd8" + f"{name}/{at}".encode() for at in range(many)] for name, many in made.items()}


def named(frame: bytes) -> str:
    """Return which picture of which clip a frame is, without the comment that makes it unlike any other."""
    length = int.from_bytes(frame[4:6], "big")
    return frame[4 + length :].decode().split("/")[0]


def test_a_film_does_what_the_challenge_asks() -> None:
    frames, timeline = film(clips(), CHALLENGE, device=7)
    assert len(frames) == len(timeline) <= 90
    shown = [(entry["step"], named(frame)) for entry, frame in zip(timeline, frames, strict=True)]
    assert list(dict.fromkeys(shown)) == [
        ("s1", "turn_left:s1"),
        ("s2", "nod_up:s2"),
        ("s3", "nod_up:s3"),
        ("s4", DARK),
        ("s4", "#ff0000"),
        ("s4", "#00ff00"),
    ]
    times = [entry["t_ms"] for entry in timeline]
    assert times[0] == 0
    assert {round((later - sooner) * FPS / 1000) for sooner, later in itertools.pairwise(times)} == {1}
    first = [entry["t_ms"] for entry in timeline if entry["step"] == "s1"]
    assert first[-1] - first[0] >= 500


def test_no_two_films_share_a_frame() -> None:
    """R16: the service would deny the second as a replay."""
    one, other = (film(clips(), CHALLENGE, device=device)[0] for device in (1, 2))
    assert len({*one, *other}) == len(one) + len(other)


class Service(httpx.AsyncBaseTransport):
    """Answers as the service does: turns the second post away once, and denies the third account."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.opened = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/v1/sessions":
            self.opened += 1
            body = {"session_id": f"fs_{self.opened}", "client_token": "fc_1", "challenge": CHALLENGE}
            return httpx.Response(201, json=body)
        if path.endswith("/frames"):
            assert request.headers["authorization"] == "Bearer fc_1"
            assert b'"step": "s4"' in await request.aread()
            self.asked[path] += 1
            if path == "/v1/sessions/fs_2/frames" and self.asked[path] == 1:
                return httpx.Response(503, headers={"retry-after": "0"})
            return httpx.Response(200, json={"state": "accepted"})
        denied = path == "/v1/sessions/fs_3"
        return httpx.Response(
            200, json={"state": "denied", "reason": "mismatch"} if denied else {"state": "accepted"}
        )


def test_logins_are_counted_as_they_end() -> None:
    """R59: who is turned away comes back when told to, and is counted as turned away."""
    service = Service()
    seen = asyncio.run(
        log_in_many(
            clips(),
            iter("abcd"),
            address="http://service.example",
            key="fa_1",
            at_once=2,
            seconds=60,
            transport=service,
        )
    )
    assert seen.outcomes == {"accepted": 3, "denied: mismatch": 1}
    assert (seen.accepted, seen.shed, len(seen.posts), len(seen.wholes)) == (3, 1, 4, 4)
    told = seen.as_json()
    assert told["post_ms"]["n"] == 4
    assert json.loads(json.dumps(told)) == told


def test_percentiles_are_in_milliseconds() -> None:
    assert percentiles([]) == {"n": 0}
    assert percentiles([0.001 * each for each in range(1, 102)])["p50"] == pytest.approx(51)
    assert Logins().as_json()["per_s"] == 0.0
