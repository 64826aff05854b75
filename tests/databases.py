"""Fresh, migrated databases for each test: SQLite files copied from a template, one PostgreSQL database wiped."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from sqlalchemy import insert, text

from faceauth.db.audit_tables import audit_head
from faceauth.db.engine import Database
from faceauth.db.schema import KEY_METADATA, KEY_SCHEMA, METADATA
from faceauth.db.upgrade import upgrade
from tests.postgresql import Cluster


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


@contextmanager
def new_postgresql(cluster: Cluster) -> Iterator[Databases]:
    """Give an empty pair in a database of its own."""
    name = f"faceauth_test_{uuid4().hex[:12]}"
    cluster.run(f"CREATE DATABASE {name}")
    databases = postgresql(cluster.database(name))
    try:
        yield databases
    finally:
        dispose(databases)
        cluster.run(f"DROP DATABASE {name} WITH (FORCE)")


def wipe(databases: Databases, revisions: Sequence[str]) -> None:
    """Bring a migrated PostgreSQL pair back to its first state; making a new database costs far more time."""
    tables = [
        f"{f'{KEY_SCHEMA}.' if table.metadata is KEY_METADATA else ''}{table.name}"
        for table in (*METADATA.tables.values(), *KEY_METADATA.tables.values())
    ]
    statements = [
        "SET LOCAL lock_timeout = '5s'",
        "SET LOCAL session_replication_role = replica",  # no triggers, no foreign keys
        *(f"DELETE FROM {table}" for table in tables),  # noqa: S608  names out of our own schema
        *(
            f"UPDATE {schema}.alembic_version SET version_num = '{revision}'"  # noqa: S608  the same
            for schema, revision in zip(("public", KEY_SCHEMA), revisions, strict=True)
        ),
    ]
    with databases.data.begin() as conn:
        conn.exec_driver_sql("; ".join(statements))  # one way there and back, not one a table
        conn.execute(insert(audit_head).values(id=1, seq=0, digest=bytes(32)))


def revisions(databases: Databases) -> tuple[str, ...]:
    """Return the revisions that both databases are at."""
    found = []
    for database in databases:
        with database.read() as conn:
            schema = database.schema or "public"
            found.append(str(conn.scalar(text(f"SELECT version_num FROM {schema}.alembic_version"))))  # noqa: S608  the same
    return tuple(found)
