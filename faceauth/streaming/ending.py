"""What a streamed session needs beside the pipeline: its burst came in time, or its device broke the protocol."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from faceauth.capture.session import CaptureSession, SessionStore
from faceauth.charging import Charging
from faceauth.clock import Clock
from faceauth.db.engine import Database
from faceauth.errors import Denied
from faceauth.pipeline import Pipeline, SessionAnswer

JUDGED_WITHIN: Final = timedelta(seconds=120)
"""After so long a burst that came in time is expired all the same: four times what anybody who is let in should
wait at worst (own figure), so that a queue that stands still accepts nobody late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a streamed session's burst ends: whole and in time, or with a denial before it is judged."""

    data: Database
    sessions: SessionStore
    charging: Charging
    pipeline: Pipeline
    clock: Clock

    def received(self, session: CaptureSession) -> None:
        """Note that the whole burst is here: what it waits for from now on is no fault of the person (R15).

        If it does not decide the session, the time is again what the claim says.

        Raises:
            SessionClosed: its time was over before.
        """
        now = self.clock()
        with self.data.begin() as conn:
            self.sessions.received(conn, session, now=now, until=now + JUDGED_WITHIN)

    def refuse(self, session: CaptureSession, denied: Denied) -> SessionAnswer:
        """End a claimed session before its burst was judged.

        Nothing was compared, so R11 does not ask for a charge. An injection is charged all the same, once a
        session: or whoever holds sessions of an account could try the protocol without end.
        """
        if denied.reason == "injection":
            # Whoever is locked out is denied below all the same.
            with self.data.begin() as conn:
                self.charging.charge(conn, session)
        return self.pipeline.refuse(session, denied)
