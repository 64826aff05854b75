"""The random steps a session must be answered with (R15), and their stored form."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, cast, get_args

from faceauth.errors import InvalidRequest
from faceauth.liveness.colours import draw, draw_colours
from faceauth.liveness.profiles import Profile
from faceauth.types import Challenge, Colour, DeviceKeyPolicy, Step, StepKind, Transaction

NONCE_BYTES: Final = 16
"""128 random bits (R15)."""

FACING: Final = frozenset({"center", "flash"})
"""Steps in which the person looks into the camera."""

_RGB: Final = re.compile("#[0-9a-f]{6}")
_KINDS: Final = frozenset(get_args(StepKind))


def make_challenge(
    *, profile: Profile, now: datetime, random: Callable[[int], bytes], expires_at: datetime
) -> Challenge:
    """Draw a challenge: face the camera, make a motion, face it again, and make another or look into colours.

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
        kinds += ["center", draw(profile.others if motion else profile.firsts, random)]
    if profile.flash:
        kinds += ["center", "flash"]
    steps = tuple(_new_step(number, kind, profile, random) for number, kind in enumerate(kinds, 1))
    return Challenge(nonce=random(NONCE_BYTES), profile=profile.name, steps=steps, expires_at=expires_at)


def extend(
    challenge: Challenge, *, more: str, profile: Profile, random: Callable[[int], bytes]
) -> tuple[Challenge, Step]:
    """Add one more step to a challenge whose answer was not clear; it can be done once.

    A motion comes after a look into the camera, which is added too where there is none.

    Args:
        challenge: the challenge as it was told.
        more: `motion` or `flash`, as `LivenessInconclusive` asks for it.
        profile: the challenge's profile.
        random: returns that many unguessable bytes.

    Returns:
        The longer challenge, and the step that counts.

    Raises:
        InvalidRequest: it was extended before.
    """
    if challenge.extra:
        raise InvalidRequest("This challenge has its one more step already.")
    last = challenge.steps[-1].kind
    kinds: list[StepKind] = [] if last in FACING else ["center"]
    if more == "flash":
        kinds.append("flash")
    else:
        # One that shows whether the head is solid, and not one that was shown already.
        told = {"closer", *(step.kind for step in challenge.steps)}
        kinds.append(draw([kind for kind in profile.others if kind not in told], random))
    first = len(challenge.steps) + 1
    added = tuple(_new_step(number, kind, profile, random) for number, kind in enumerate(kinds, first))
    return replace(challenge, steps=challenge.steps + added, extra=1), added[-1]


def _new_step(number: int, kind: StepKind, profile: Profile, random: Callable[[int], bytes]) -> Step:
    colours = draw_colours(profile.colours, profile.colour_ms, random) if kind == "flash" else ()
    return Step(f"s{number}", kind, profile.min_ms(kind, first=number == 1), colours)


def challenge_to_wire(challenge: Challenge) -> dict[str, Any]:
    """Return the challenge as JSON values; the nonce is base64url without padding."""
    return {
        "nonce": base64.urlsafe_b64encode(challenge.nonce).rstrip(b"=").decode(),
        "profile": challenge.profile,
        "steps": [_step_to_wire(step) for step in challenge.steps],
        "expires_at": challenge.expires_at.isoformat(),
        **({"extra": challenge.extra} if challenge.extra else {}),
        **({} if challenge.device_key == "none" else {"device_key": challenge.device_key}),
        **({} if challenge.transaction is None else {"transaction": _transaction_to_wire(challenge.transaction)}),
    }


def _transaction_to_wire(transaction: Transaction) -> dict[str, str | None]:
    said = {"sha256": transaction.sha256.hex(), "text": transaction.text, "locale": transaction.locale}
    return {name: value for name, value in said.items() if value is not None}


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
        device_key = wire.get("device_key", "none")
        transaction = _transaction(wire["transaction"]) if "transaction" in wire else None
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidRequest("The stored challenge cannot be read; open a new session.") from error
    whole = len(nonce) >= NONCE_BYTES and isinstance(profile, str) and expires_at.tzinfo is not None
    whole = whole and type(extra) is int and extra in {0, 1} and device_key in get_args(DeviceKeyPolicy)
    if not whole or not steps or len({step.id for step in steps}) != len(steps):
        raise InvalidRequest("The stored challenge is incomplete; open a new session.")
    return Challenge(
        nonce=nonce,
        profile=profile,
        steps=steps,
        expires_at=expires_at,
        extra=extra,
        device_key=device_key,
        transaction=transaction,
    )


def _transaction(wire: Mapping[str, Any]) -> Transaction:
    text, locale, digest = wire.get("text"), wire.get("locale"), bytes.fromhex(wire["sha256"])
    if len(digest) != 32 or not isinstance(text, str | None) or not isinstance(locale, str | None):
        raise ValueError("no transaction")
    return Transaction(digest, text, locale)


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
