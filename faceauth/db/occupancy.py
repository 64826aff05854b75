"""Who is at work on a database: those that serve share it, a restore has it alone.

The claim ends with the process, however it ends: on SQLite it is a lock on a file beside the database, on
PostgreSQL an advisory lock of a connection that is held for it.
"""

import fcntl
import os
from collections.abc import Callable
from typing import Final

from sqlalchemy import text

from faceauth.db.engine import Database
from faceauth.errors import StorageError

_CLAIM: Final = 7_021_146_350_211_879_274
"""PostgreSQL's advisory lock of this claim: any fixed number that nobody else uses."""


class Occupancy:
    """A claim that is held until it is closed."""

    def __init__(self, release: Callable[[], None]) -> None:
        self._release: Callable[[], None] | None = release

    def close(self) -> None:
        """Give it up; doing so twice is fine."""
        release, self._release = self._release, None
        if release is not None:
            release()


def occupy(data: Database, *, alone: bool) -> Occupancy:
    """Claim the data database, together with others or alone.

    Raises:
        StorageError: Another process holds a claim that does not go with this one, or the claim cannot be made.
    """
    return _by_file(data, alone=alone) if data.path is not None else _by_server(data, alone=alone)


def _by_file(data: Database, *, alone: bool) -> Occupancy:
    assert data.path is not None  # noqa: S101  for mypy: `occupy` looked
    # Not the database itself: closing a descriptor of it would drop SQLite's locks (sqlite.org/howtocorrupt.html).
    lock = data.path.with_name(data.path.name + ".lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageError(
            f"{lock} cannot be made ({error.strerror}). Check FACEAUTH_DATA_DIR and who may write there."
        ) from error
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise _taken(data, alone=alone) from None
    return Occupancy(lambda: os.close(descriptor))


def _by_server(data: Database, *, alone: bool) -> Occupancy:
    kind = "pg_try_advisory_lock" if alone else "pg_try_advisory_lock_shared"
    connection = data.apart()
    try:
        got = connection.scalar(text(f"SELECT {kind}(:claim)"), {"claim": _CLAIM})
    except BaseException:
        connection.close()
        raise
    if not got:
        connection.close()
        raise _taken(data, alone=alone)

    def release() -> None:
        # Not back to the pool, where the lock would live on: the connection itself is closed.
        connection.invalidate()
        connection.close()

    return Occupancy(release)


def _taken(data: Database, *, alone: bool) -> StorageError:
    if alone:
        return StorageError(f"{data.place} is in use: stop the service first, then run this again.")
    return StorageError(f"{data.place} is being restored. Wait until that is done, then start again.")
