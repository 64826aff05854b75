"""The random steps a session must be answered with (R15), and their stored form."""

import base64
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, cast, get_args

from faceauth.errors import InvalidRequest
from faceauth.liveness.profiles import Profile
from faceauth.types import Challenge, Colour, Step, StepKind

NONCE_BYTES: Final = 16
"""128 random bits (R15)."""

_RGB: Final = re.compile("#[0-9a-f]{6}")
_KINDS: Final = frozenset(get_args(StepKind))


def make_challenge(
    *, profile: Profile, now: datetime, random: Callable[[int], bytes], expires_at: datetime
) -> Challenge:
    """Draw a challenge: face the camera, make a motion, face it again, make another.

    The first motion is a turn, which shows a solid head best; the second is any motion of the profile.

    Args:
        profile: the liveness profile, which says what motions there are and how long each step lasts.
        now: the time now.
        random: returns that many unguessable bytes.
        expires_at: when the session ends.

    Raises:
        InvalidRequest: the session would have ended before it began.
    """
    if expires_at <= now:
        raise InvalidRequest("The session would be over before it begins; give it a later end.")
    kinds: list[StepKind] = []
    for motion in range(profile.motions):
        kinds += ["center", _draw(profile.turns if motion == 0 else profile.turns + profile.nods, random)]
    steps = tuple(
        Step(f"s{number}", kind, profile.min_ms(kind, first=number == 1)) for number, kind in enumerate(kinds, 1)
    )
    return Challenge(nonce=random(NONCE_BYTES), profile=profile.name, steps=steps, expires_at=expires_at)


def _draw(kinds: tuple[StepKind, ...], random: Callable[[int], bytes]) -> StepKind:
    """Pick one; eight bytes make the bias of the remainder less than 1 in 10^18."""
    return kinds[int.from_bytes(random(8), "big") % len(kinds)]


def challenge_to_wire(challenge: Challenge) -> dict[str, Any]:
    """Return the challenge as JSON values; the nonce is base64url without padding."""
    return {
        "nonce": base64.urlsafe_b64encode(challenge.nonce).rstrip(b"=").decode(),
        "profile": challenge.profile,
        "steps": [_step_to_wire(step) for step in challenge.steps],
        "expires_at": challenge.expires_at.isoformat(),
        **({"extra": challenge.extra} if challenge.extra else {}),
    }


def _step_to_wire(step: Step) -> dict[str, Any]:
    wire: dict[str, Any] = {"id": step.id, "kind": step.kind, "min_ms": step.min_ms}
    if step.colours:
        wire["colours"] = [{"rgb": colour.rgb, "ms": colour.ms} for colour in step.colours]
    return wire


def challenge_from_wire(wire: Mapping[str, Any]) -> Challenge:
    """Read what `challenge_to_wire` wrote.

    Raises:
        InvalidRequest: it is not what that function writes.
    """
    try:
        text = wire["nonce"]
        nonce = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        steps = tuple(_step(step) for step in wire["steps"])
        expires_at = datetime.fromisoformat(wire["expires_at"])
        profile = wire["profile"]
        extra = wire.get("extra", 0)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidRequest("The stored challenge cannot be read; open a new session.") from error
    whole = len(nonce) >= NONCE_BYTES and isinstance(profile, str) and expires_at.tzinfo is not None
    whole = whole and type(extra) is int and extra in {0, 1}
    if not whole or not steps or len({step.id for step in steps}) != len(steps):
        raise InvalidRequest("The stored challenge is incomplete; open a new session.")
    return Challenge(nonce=nonce, profile=profile, steps=steps, expires_at=expires_at, extra=extra)


def _step(wire: Mapping[str, Any]) -> Step:
    name, kind, min_ms = wire["id"], wire["kind"], wire["min_ms"]
    if not isinstance(name, str) or kind not in _KINDS or type(min_ms) is not int or min_ms < 0:
        raise ValueError("no step")
    colours = tuple(_colour(colour) for colour in wire.get("colours", ()))
    if bool(colours) != (kind == "flash"):
        raise ValueError("colours belong to a flash")
    return Step(name, cast("StepKind", kind), min_ms, colours)


def _colour(wire: Mapping[str, Any]) -> Colour:
    rgb, ms = wire["rgb"], wire["ms"]
    if not isinstance(rgb, str) or not _RGB.fullmatch(rgb) or type(ms) is not int or ms <= 0:
        raise ValueError("no colour")
    return Colour(rgb, ms)
