"""The states of a streamed session, as data: what is not in the table ends in a denial (R4)."""

from collections.abc import Mapping
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final

from faceauth.types import StepKind


@unique
class State(StrEnum):
    """Where a streamed session is."""

    CREATED = "created"
    CENTER = "center"
    MOTION = "motion"
    FLASH = "flash"
    EVALUATING = "evaluating"
    ACCEPTED = "accepted"
    DENIED = "denied"


@unique
class Signal(StrEnum):
    """What moves it on."""

    CENTER = "center"
    """A step was accepted, or the first frame came, and the next step is a look into the camera."""
    MOTION = "motion"
    """… is a motion."""
    FLASH = "flash"
    """… shows colours."""
    LAST = "last"
    """The last step was accepted."""
    AGAIN = "again"
    """The burst cannot be judged, or one more motion is needed: it starts over."""
    ACCEPTED = "accepted"
    DENIED = "denied"


_STEPS: Final = (State.CENTER, State.MOTION, State.FLASH)

TABLE: Final[Mapping[tuple[State, Signal], State]] = MappingProxyType(
    {
        (State.CREATED, Signal.CENTER): State.CENTER,
        (State.CREATED, Signal.AGAIN): State.CREATED,
        **{(state, Signal.CENTER): State.CENTER for state in _STEPS},
        **{(state, Signal.MOTION): State.MOTION for state in _STEPS},
        **{(state, Signal.FLASH): State.FLASH for state in _STEPS},
        **{(state, Signal.LAST): State.EVALUATING for state in _STEPS},
        (State.EVALUATING, Signal.ACCEPTED): State.ACCEPTED,
        (State.EVALUATING, Signal.AGAIN): State.CREATED,
        **{(state, Signal.AGAIN): State.CREATED for state in _STEPS},
    }
)
"""State and signal to the next state. A session begins with a look into the camera, and only its evaluation can
accept it."""

OVER: Final = frozenset({State.ACCEPTED, State.DENIED})
"""Nothing leads out of these."""

CAPTURING: Final = frozenset({State.CREATED, *_STEPS})
"""Frames count in these."""


def move(state: State, signal: Signal) -> State:
    """Return the next state; a pair that is not in the table denies, and what is over stays as it is."""
    if state in OVER:
        return state
    return TABLE.get((state, signal), State.DENIED)


def signal_of(kind: StepKind) -> Signal:
    """Return the signal that says a step of this kind is next."""
    if kind == "center":
        return Signal.CENTER
    return Signal.FLASH if kind == "flash" else Signal.MOTION
