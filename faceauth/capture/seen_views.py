"""What the frames of a person's sessions looked like, sealed and kept a short while (R16).

A recording that was compressed again has other bytes, so `faceauth.capture.seen_frames` does not know it; what it
looks like stays. Sessions are only compared with others of the same person: a recording of somebody is of use
against that account alone. The rows lean on the consent they were made under, and go when it goes.
"""

from datetime import datetime, timedelta

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, insert, select

from faceauth.capture.views import BITS, distances
from faceauth.db.schema import seen_views
from faceauth.types import ConsentGrant

KEPT = timedelta(days=7)
"""As long as the digests of frames are kept (own figure)."""

SESSIONS = 20
"""Sessions of one person that a new one is compared with, the newest (own figure)."""

NEAR = 0.045
"""The share of bits by which a frame may differ from one that was seen, to be the same.

The study (G0) has .06, for copies of at most .029 and other live sessions of at least .099. Sessions of somebody
who hardly moves came as near as .060 since (docs/streaming.md)."""

FRAMES = 5
"""So many frames must be known from one and the same session (study, G0)."""

_NONCE = 12
_BYTES = BITS // 8


class SeenViews:
    """Remembers hashes of frames under a key that is derived from the keyring's replay key."""

    def __init__(self, *, key: bytes) -> None:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"faceauth/seen-views/v1").derive(key)
        self._aead = AESGCM(derived)

    def remember(
        self,
        conn: Connection,
        grant: ConsentGrant,
        *,
        session_id: str,
        views: NDArray[np.uint8],
        nonce: bytes,
        now: datetime,
    ) -> bool:
        """Store the hashes of a session's burst; answer whether it shows another session of this person again.

        Args:
            conn: the caller's transaction.
            grant: the person's consent, under which they are kept.
            session_id: the session. Of its bursts the last is kept.
            views: hashes, shape (n, 128).
            nonce: 12 fresh random bytes.
            now: the time now; what is older than `KEPT` is dropped on the way.
        """
        conn.execute(delete(seen_views).where(seen_views.c.seen_at < now - KEPT))
        conn.execute(delete(seen_views).where(seen_views.c.session_id == session_id))
        rows = conn.execute(
            select(seen_views.c.session_id, seen_views.c.sealed)
            .where(seen_views.c.tenant == grant.tenant, seen_views.c.account == grant.account)
            .order_by(seen_views.c.seen_at.desc())
            .limit(SESSIONS)
        ).all()
        sealed = nonce + self._aead.encrypt(nonce, views.tobytes(), session_id.encode())
        conn.execute(
            insert(seen_views).values(
                session_id=session_id,
                tenant=grant.tenant,
                account=grant.account,
                scenario=grant.scenario,
                consent_id=grant.consent_id,
                seen_at=now,
                sealed=sealed,
            )
        )
        return any(_same(views, self._open(row.session_id, row.sealed)) for row in rows)

    def _open(self, session_id: str, sealed: bytes) -> NDArray[np.uint8]:
        """Return stored hashes; damaged ones count as none, for they can only ever deny."""
        try:
            plain = self._aead.decrypt(sealed[:_NONCE], sealed[_NONCE:], session_id.encode())
        except (InvalidTag, ValueError):
            plain = b""
        return np.frombuffer(plain, np.uint8).reshape(-1, _BYTES)


def _same(these: NDArray[np.uint8], those: NDArray[np.uint8]) -> bool:
    if not len(these) or not len(those):
        return False
    return int((distances(these, those).min(axis=1) <= NEAR).sum()) >= FRAMES
