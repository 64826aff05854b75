"""Sessions before the simulated camera as `faceauth bench pad` takes them: a fixture, no evidence of accuracy."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from faceauth.bench.pad_fixtures import Portrait
from faceauth.bench.pad_items import BONA_FIDE, Item
from faceauth.bench.pad_recordings import Recording
from faceauth.capture.decode import decode
from faceauth.liveness.challenge import make_challenge
from faceauth.liveness.profiles import Profile
from faceauth.settings import CaptureSettings
from faceauth.simulate import Head, record, simulate_session
from faceauth.simulate.attacks import SPECIES
from faceauth.types import Challenge

LIFE = timedelta(minutes=5)


def films(
    portraits: Sequence[Portrait], profile: Profile, *, sessions: int, seed: int, limits: CaptureSettings
) -> Iterator[tuple[Item, Recording]]:
    """Film so many sessions of living heads and of each attack species, the portraits in turn.

    Args:
        portraits: whose faces.
        profile: the level whose challenges are answered.
        sessions: of each kind.
        seed: of the first; the same seed gives the same films.
        limits: caps on what is decoded.
    """
    for kind in (BONA_FIDE, *SPECIES):
        for number in range(seed, seed + sessions):
            portrait, challenge = portraits[number % len(portraits)], _challenge(profile, number)
            if kind == BONA_FIDE:
                head = Head(portrait.photo, portrait.landmarks, seed=number)
                shots = simulate_session(head, challenge, seed=number, mild=True)
            else:
                stolen = _another(challenge, profile, number)
                attack = next(one for one in SPECIES if one == kind)
                photo, landmarks = portrait.photo, portrait.landmarks
                shots = record(attack, photo, landmarks, challenge, seed=number, stolen=stolen)
            frames = [decode(shot.jpeg, t_ms=shot.t_ms, step=shot.step, limits=limits) for shot in shots]
            yield Item(Path(kind), "session", kind), Recording(challenge, tuple(frames))


def _another(challenge: Challenge, profile: Profile, seed: int) -> Challenge:
    """Draw until a motion or a colour differs: what a replay meets but for chance."""
    told = [(step.kind, step.colours) for step in challenge.steps]
    again = seed
    while True:
        again += 1_000_000
        other = _challenge(profile, again)
        if [(step.kind, step.colours) for step in other.steps] != told:
            return other


def _challenge(profile: Profile, seed: int) -> Challenge:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    chance = Random(seed)  # noqa: S311  a measurement that can be repeated needs no secret
    return make_challenge(profile=profile, now=now, random=chance.randbytes, expires_at=now + LIFE)
