"""For tests that prove that something is gone: the scanner, and the places to look."""

import tempfile
from pathlib import Path

from faceauth.vault.scan import Hit, scan, vector_needles
from tests.databases import Databases
from tests.postgresql import Cluster

__all__ = ["Hit", "places", "scan", "vector_needles"]


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
