"""Walks the whole audit log in the background, one walk at a time, so that a page can follow how far it is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock, Thread
from typing import Final, Literal, cast

import structlog
from fastapi import Request

from faceauth.audit.notes import Checkpoint
from faceauth.errors import FaceauthError
from faceauth.installation import Installation

State = Literal["never", "running", "intact", "broken", "failed"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Check:
    """How a walk stands. `done` of `of` records were looked at; `first_bad` and `checkpoint` as `AuditVerdict`.

    `code` names why one failed: nothing is known of the log then.
    """

    state: State
    began_at: datetime | None = None
    ended_at: datetime | None = None
    done: int = 0
    of: int = 0
    first_bad: int | None = None
    checkpoint: int | None = None
    code: str | None = None


NEVER: Final = Check("never")


class Checking:
    """The walks of one process. Any thread may ask; `close` ends a walk and waits for it."""

    def __init__(self, installation: Installation) -> None:
        self._here = installation
        self._check = NEVER
        self._lock = Lock()
        self._thread: Thread | None = None
        self._closing = False

    @property
    def check(self) -> Check:
        """How the last walk stands."""
        return self._check

    def begin(self, kept: Sequence[Checkpoint] = ()) -> Check:
        """Begin a walk, against checkpoints that were kept elsewhere too; while one goes on it is that one."""
        with self._lock:
            if self._check.state == "running" or self._closing:
                return self._check
            begun = self._check = Check("running", began_at=self._here.clock())
            self._thread = Thread(target=self._walk, args=(tuple(kept),), name="audit-check", daemon=True)
            self._thread.start()
            return begun

    def wait(self) -> None:
        """Return when no walk goes on."""
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        """End the walk that goes on, within the next thousand records."""
        self._closing = True
        self.wait()

    def _walk(self, kept: Sequence[Checkpoint]) -> None:
        try:
            found = self._here.audit.verify_in_pages(self._here.data.read, kept, progress=self._went)
            ended = replace(
                self._check,
                state="intact" if found.intact else "broken",
                done=found.count,
                of=max(found.count, self._check.of),
                first_bad=found.first_bad,
                checkpoint=found.checkpoint,
            )
        except FaceauthError as error:
            ended = replace(self._check, state="failed", code=error.code)
        except _Closing:
            ended = replace(self._check, state="failed", code="closing")
        except Exception:  # a walk that ends without a word would look like one that goes on
            log.exception("audit_check_failed")
            ended = replace(self._check, state="failed", code="internal")
        self._check = replace(ended, ended_at=self._here.clock())

    def _went(self, done: int, of: int) -> None:
        if self._closing:
            raise _Closing
        self._check = replace(self._check, done=done, of=of)


class _Closing(Exception):
    """The service stops."""


def checking_of(request: Request) -> Checking:
    """Return the walks of the app."""
    return cast("Checking", request.app.state.checking)
