"""For tests that prove that something is gone: the scanner, and the places to look."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from sqlalchemy import select

from faceauth.db.engine import Database
from faceauth.db.schema import biometric_references, data_keys
from faceauth.types import Vector
from faceauth.vault.scan import Hit, scan, vector_needles
from tests.databases import Databases
from tests.postgresql import Cluster

__all__ = ["Canaries", "Hit", "logging_to", "places", "scan", "vector_needles"]


@dataclass
class Canaries:
    """What must not be found of people who were erased, and what was stored of each, to look for."""

    clear: list[bytes] = field(default_factory=list)
    sealed: dict[str, list[bytes]] = field(default_factory=dict)
    wrapped: dict[str, list[bytes]] = field(default_factory=dict)
    began: float = field(default_factory=time.time)

    def add(self, databases: Databases, account: str, vectors: Sequence[Vector]) -> None:
        """Remember an account that was just enrolled with these embeddings."""
        self.clear += [needle for vector in vectors for needle in vector_needles(vector)]
        self.sealed[account] = _stored(databases.data, account, keys=False)
        self.wrapped[account] = _stored(databases.keys, account, keys=True)

    def stored(self, *accounts: str) -> list[bytes]:
        """Return the sealed records and wrapped keys of these accounts, or of all."""
        names = accounts or tuple(self.sealed)
        return [needle for name in names for needle in (*self.sealed[name], *self.wrapped[name])]


def _stored(database: Database, account: str, *, keys: bool) -> list[bytes]:
    wanted = select(data_keys.c.wrapped).where(data_keys.c.account == account)
    if not keys:
        table = biometric_references.c
        wanted = select(table.sealed).where(table.account == account)
    with database.read() as conn:
        return list(conn.scalars(wanted))


@contextmanager
def logging_to(file: Path) -> Iterator[None]:
    """Write the log lines of the block into a file, to be scanned as well."""
    with file.open("w") as lines:
        structlog.configure(logger_factory=structlog.WriteLoggerFactory(lines))
        try:
            yield
        finally:
            structlog.reset_defaults()


def places(databases: Databases, *more: Path, cluster: Cluster | None = None) -> list[Path]:
    """Return all folders that may hold bytes of a test: the databases' with log and journal, temporary files.

    `more` are folders or files besides, such as a log. Of a PostgreSQL server of the tests' own it is the whole
    data folder: tables, write-ahead log, temporary files.
    """
    found = [database.path.parent for database in databases if database.path is not None]
    if cluster is not None and cluster.folder is not None:
        found.append(cluster.folder)
    unique = dict.fromkeys([*found, *more])
    return [path for path in unique if path.exists()]


def temporary_files(since: float) -> list[Path]:
    """Return the files in the system's temporary folder that were changed after `since` (seconds, time.time)."""
    folder = Path(tempfile.gettempdir())
    return [path for path in folder.iterdir() if path.is_file() and path.stat().st_mtime >= since]
