"""Fresh, migrated databases for each test: SQLite files copied from a template, PostgreSQL databases likewise."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from faceauth.db.engine import Database
from faceauth.db.schema import KEY_SCHEMA
from faceauth.db.upgrade import upgrade
from tests.postgresql import Cluster

TEMPLATE = "faceauth_test_template"


class Databases(NamedTuple):
    """The two databases of one installation."""

    data: Database
    keys: Database


def sqlite(folder: Path) -> Databases:
    """Name the two files in `folder`; nothing is made yet."""
    return Databases(Database(f"sqlite:///{folder}/faceauth.db"), Database(f"sqlite:///{folder}/keys.db"))


def postgresql(url: str) -> Databases:
    """Name the two schemas at `url`; nothing is made yet."""
    return Databases(Database(url), Database(url, schema=KEY_SCHEMA))


def dispose(databases: Databases) -> None:
    """Close both."""
    for database in databases:
        database.dispose()


def make_sqlite_template(folder: Path) -> Path:
    """Migrate a pair once, so that each test only copies two files."""
    databases = sqlite(folder)
    upgrade(*databases)
    for database in databases:
        database.truncate_wal()
    dispose(databases)
    return folder


@contextmanager
def copied_sqlite(template: Path, folder: Path) -> Iterator[Databases]:
    """Give a pair in `folder` that was copied from the template."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("faceauth.db", "keys.db"):
        shutil.copy(template / name, folder / name)
    databases = sqlite(folder)
    try:
        yield databases
    finally:
        dispose(databases)


def make_postgresql_template(cluster: Cluster) -> str:
    """Migrate a database once; returns its name."""
    name = f"{TEMPLATE}_{uuid4().hex[:8]}"
    cluster.run(f"CREATE DATABASE {name}")
    databases = postgresql(cluster.database(name))
    upgrade(*databases)
    dispose(databases)
    return name


@contextmanager
def copied_postgresql(cluster: Cluster, template: str | None) -> Iterator[Databases]:
    """Give a pair in a database of its own, copied from the template or empty without one."""
    name = f"faceauth_test_{uuid4().hex[:12]}"
    cluster.run(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
    databases = postgresql(cluster.database(name))
    try:
        yield databases
    finally:
        dispose(databases)
        cluster.run(f"DROP DATABASE {name} WITH (FORCE)")
