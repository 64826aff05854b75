"""Sessions before the simulated camera as `faceauth bench pad` takes them: a fixture, no evidence of accuracy."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from faceauth.bench.pad_fixtures import Portrait
from faceauth.bench.pad_items import BONA_FIDE, Item
from faceauth.bench.pad_recordings import Recording
from faceauth.capture.decode import decode
from faceauth.errors import InvalidRequest
from faceauth.liveness.challenge import make_challenge
from faceauth.liveness.profiles import Profile
from faceauth.sections import CaptureSettings
from faceauth.simulate import Head, SimulatedFrame, record, simulate_session
from faceauth.simulate.attacks import SPECIES
from faceauth.types import Challenge

LIFE = timedelta(minutes=5)


def film(
    kind: str, portrait: Portrait, profile: Profile, *, seed: int, limits: CaptureSettings
) -> tuple[Item, Recording]:
    """Film one session: a living head under mild noise, or an attack.

    Args:
        kind: `bona_fide` or an attack species.
        portrait: whose face.
        profile: the level whose challenge is answered.
        seed: the same seed gives the same film.
        limits: caps on what is decoded.

    Raises:
        InvalidRequest: there is no such kind.
    """
    challenge, shots = shots_of(kind, portrait, profile, seed=seed)
    frames = [decode(shot.jpeg, t_ms=shot.t_ms, step=shot.step, limits=limits) for shot in shots]
    return Item(Path(kind), "session", kind), Recording(challenge, tuple(frames))


def shots_of(
    kind: str, portrait: Portrait, profile: Profile, *, seed: int
) -> tuple[Challenge, Sequence[SimulatedFrame]]:
    """Film one session and return its challenge and its frames, as JPEGs.

    Raises:
        InvalidRequest: there is no such kind.
    """
    challenge = _challenge(profile, seed)
    if kind == BONA_FIDE:
        head = Head(portrait.photo, portrait.landmarks, seed=seed)
        shots = simulate_session(head, challenge, seed=seed, mild=True)
    else:
        attack = next((one for one in SPECIES if one == kind), None)
        if attack is None:
            raise InvalidRequest(f"There is no species {kind!r}. Known ones: {', '.join(SPECIES)}.")
        stolen = _another(challenge, profile, seed)
        shots = record(attack, portrait.photo, portrait.landmarks, challenge, seed=seed, stolen=stolen)
    return challenge, shots


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
