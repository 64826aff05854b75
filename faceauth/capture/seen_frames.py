"""Frames that were sent before: keyed digests, kept a short while, so that a replay is known (R16)."""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from faceauth.db.schema import seen_frames

KEPT = timedelta(days=7)
"""How long a frame's keyed digest is kept (own figure: longer than any session, short enough to say little)."""


class SeenFrames:
    """Remembers frames by HMAC-SHA-256 under a key of the keyring, so that the rows alone tell nothing."""

    def __init__(self, *, key: bytes) -> None:
        self._key = key

    def remember(self, conn: Connection, *, session_id: str, digests: Sequence[bytes], now: datetime) -> bool:
        """Store the frames of one burst; answer whether any of them came in another session before.

        `digests` are SHA-256 of the bytes as received. Rows older than `KEPT` are dropped on the way.
        """
        macs = {hmac.digest(self._key, digest, "sha256") for digest in digests}
        conn.execute(delete(seen_frames).where(seen_frames.c.seen_at < now - KEPT))
        known = conn.execute(
            select(seen_frames.c.mac, seen_frames.c.session_id).where(seen_frames.c.mac.in_(macs))
        ).all()
        fresh = macs - {row.mac for row in known}
        if fresh:
            conn.execute(
                insert(seen_frames),
                [{"mac": mac, "session_id": session_id, "seen_at": now} for mac in sorted(fresh)],
            )
        return any(row.session_id != session_id for row in known)
