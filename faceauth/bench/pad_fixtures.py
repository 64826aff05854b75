"""The liveness gates against the simulated camera: how many sessions each gate let through or denied.

The camera is a fixture (``faceauth.simulate``): it finds regressions and says nothing about accuracy on people.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from faceauth.capture.decode import decode
from faceauth.capture.faces import FaceReader
from faceauth.errors import LivenessDenied
from faceauth.liveness.challenge import make_challenge
from faceauth.liveness.decision import judge
from faceauth.liveness.profiles import Profile
from faceauth.sections import CaptureSettings
from faceauth.simulate import Head, SimulatedFrame, record, simulate_session
from faceauth.simulate.attacks import SPECIES, Species
from faceauth.types import Challenge, Embedder, Image, Points

BONA_FIDE = "bona_fide"
ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A photograph, (H, W, 3) RGB, with the five landmarks of one face, shape (5, 2)."""

    photo: Image
    landmarks: Points


def measure(
    portraits: Sequence[Portrait],
    *,
    reader: FaceReader,
    embedder: Embedder,
    profile: Profile,
    sessions: int,
    seed: int = 0,
    species: Sequence[str] = (BONA_FIDE, *SPECIES),
) -> dict[str, Counter[str]]:
    """Film `sessions` sessions of each kind, the portraits in turn, and count what became of them.

    Returns:
        For each kind how often it was `accepted`, denied by which gate, or told which guidance.
    """
    outcomes: dict[str, Counter[str]] = {}
    for kind in species:
        counts = outcomes[kind] = Counter()
        for number in range(seed, seed + sessions):
            challenge, frames = _film(kind, portraits[number % len(portraits)], profile, number)
            counts[_outcome(challenge, frames, reader, embedder, profile)] += 1
    return outcomes


def _film(kind: str, portrait: Portrait, profile: Profile, seed: int) -> tuple[Challenge, list[SimulatedFrame]]:
    challenge = _challenge(profile, seed)
    if kind == BONA_FIDE:
        head = Head(portrait.photo, portrait.landmarks, seed=seed)
        return challenge, simulate_session(head, challenge, seed=seed)
    found: dict[str, Species] = {name: name for name in SPECIES}
    stolen = _another(challenge, profile, seed)
    return challenge, record(found[kind], portrait.photo, portrait.landmarks, challenge, seed=seed, stolen=stolen)


def _another(challenge: Challenge, profile: Profile, seed: int) -> Challenge:
    """Draw until the motions differ: what a replay meets but for chance."""
    kinds = [step.kind for step in challenge.steps]
    again = seed
    while True:
        again += 1_000_000
        other = _challenge(profile, again)
        if [step.kind for step in other.steps] != kinds:
            return other


def _challenge(profile: Profile, seed: int) -> Challenge:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    chance = Random(seed)  # noqa: S311  a measurement that can be repeated needs no secret
    return make_challenge(profile=profile, now=now, random=chance.randbytes, expires_at=now + timedelta(minutes=5))


def _outcome(
    challenge: Challenge,
    frames: Sequence[SimulatedFrame],
    reader: FaceReader,
    embedder: Embedder,
    profile: Profile,
) -> str:
    limits = CaptureSettings()
    decoded = [decode(frame.jpeg, t_ms=frame.t_ms, step=frame.step, limits=limits) for frame in frames]
    faces, guidance = reader.read(decoded)
    if guidance:
        return f"guidance {guidance[0]}"
    try:
        judge("fixture", challenge, faces, embedder=embedder, profile=profile)
    except LivenessDenied as denied:
        return denied.gate
    return ACCEPTED
