"""A burst comes in: its chain is written down, and whether it was sent before is looked up (R16)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.capture.burst import Burst
from faceauth.capture.seen_frames import SeenFrames
from faceauth.capture.seen_views import SeenViews
from faceauth.capture.session import CaptureSession
from faceauth.capture.views import hashes
from faceauth.clock import Clock
from faceauth.types import ConsentGrant, Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What a burst is held against before it is judged."""

    frames: SeenFrames
    views: SeenViews
    audit: AuditLog
    clock: Clock
    random: Callable[[int], bytes]

    def replayed(
        self, conn: Connection, session: CaptureSession, grant: ConsentGrant | None, burst: Burst
    ) -> bool:
        """Record a burst in the caller's transaction; answer whether frames of it came in another session.

        A search has no grant yet: nobody agreed to have their frames' looks kept, so only exact frames are known.
        """
        now = self.clock()
        digests = [frame.digest for frame in burst.frames]
        known = self.frames.remember(conn, session_id=session.session_id, digests=digests, now=now)
        # Hashed for everybody whose account was named, and forgotten here without a grant: the time it takes would
        # tell who agreed (R25).
        views = None if session.account is None else hashes([frame.pixels for frame in burst.frames])
        if grant is not None and views is not None:
            alike = self.views.remember(
                conn,
                grant,
                session_id=session.session_id,
                views=views,
                nonce=self.random(12),
                now=now,
            )
            known = known or alike
        self._audit(conn, session, burst.evidence.chain, burst.frames)
        return known

    def _audit(
        self, conn: Connection, session: CaptureSession, chain: bytes | None, frames: Sequence[Frame]
    ) -> None:
        details: dict[str, str | int] = {"session_id": session.session_id, "count": len(frames)}
        if chain is not None:
            details["chain"] = chain.hex()
        self.audit.append(
            conn,
            Event.BURST_RECEIVED,
            tenant=session.tenant,
            account=session.account,
            actor="device",
            details=details,
        )


def make_intake(key: bytes, *, audit: AuditLog, clock: Clock, random: Callable[[int], bytes]) -> Intake:
    """Return an intake over the keyring's replay key, 32 bytes."""
    return Intake(frames=SeenFrames(key=key), views=SeenViews(key=key), audit=audit, clock=clock, random=random)
