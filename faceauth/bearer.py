"""Bearer secrets of the service's own making: whoever holds one is let in, so only its digest is kept."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Granted:
    """A token, shown only here, and until when it works."""

    token: str = field(repr=False)
    expires_at: datetime


def grant(random: Callable[[int], bytes], until: datetime, prefix: str = "") -> Granted:
    """Make a token of 256 random bits; the prefix says what it opens."""
    return Granted(f"{prefix}{random(32).hex()}", until)


def digest_of(secret: str) -> bytes:
    """Return what is kept of a secret: its SHA-256, 32 bytes.

    It needs neither salt nor many rounds: nobody goes through 256 random bits.
    """
    return hashlib.sha256(secret.encode()).digest()
