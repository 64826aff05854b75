"""What a login was proven by, in the words of a token: `amr` (RFC 8176) and `acr`.

A face alone is one factor. With a device key that was proven in the same session it is two, and the token says
where the key is kept: ``hwk`` only if attested hardware made it, else ``swk`` (R17). No level of NIST's is
claimed.
"""

from dataclasses import dataclass
from typing import Final

from faceauth.types import KeyStrength

FACE: Final = "urn:faceauth:acr:face"
"""One factor: a live face, matched on the server."""

FACE_DEVICE: Final = "urn:faceauth:acr:face-device"
"""Two: the face, and a key bound to the account, proven over the very frames of the face."""

LEVELS: Final = (FACE, FACE_DEVICE)
"""Every `acr` there is, the weaker first."""


@dataclass(frozen=True, slots=True)
class Methods:
    """`amr` and `acr` of one accepted session."""

    amr: tuple[str, ...]
    acr: str


def methods_of(strength: KeyStrength | None) -> Methods:
    """Return what an accepted session was proven by; `strength` is its device key's, None without one.

    Every other text is taken for none: what is not known proves nothing.
    """
    if strength == "hwk" or strength == "swk":  # noqa: PLR1714  mypy narrows on this form
        return Methods(("face", strength, "mfa"), FACE_DEVICE)
    return Methods(("face",), FACE)


def reaches(acr: str, wanted: str) -> bool:
    """Say whether one level is at least another; a level that is not ours is never reached."""
    return acr in LEVELS and wanted in LEVELS and LEVELS.index(acr) >= LEVELS.index(wanted)
