"""The proof by another factor, as the application tells it: only its time, and only a fresh one counts (R14)."""

from datetime import datetime
from typing import Final

from faceauth.errors import ReauthenticationRequired

AHEAD_S: Final = 30
"""Seconds that a proof may lie in the future: clocks of two machines differ a little (own figure)."""


def check_fresh(at: datetime | None, *, now: datetime, limit_s: int) -> None:
    """Return if the person proved another factor at most `limit_s` seconds ago.

    Raises:
        ReauthenticationRequired: no proof was told, or an older one, or one that is yet to come.
    """
    age = None if at is None else (now - at).total_seconds()
    if age is None or not -AHEAD_S <= age <= limit_s:
        raise ReauthenticationRequired(
            "Sign the person in by another factor first and send its time as reauthenticated_at, "
            f"no older than {limit_s} s."
        )
