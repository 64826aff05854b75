"""Copies of databases, each a SQLite file that shows one moment, whatever the database itself is kept in.

One kind of copy means one way to check and to restore it, and a copy of a PostgreSQL installation can be looked
at, or restored, without a server. A copy of the data says in itself that it is one (`MARK`), so that it cannot
serve before it was restored properly.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from sqlalchemy import JSON, Connection, MetaData, Table, delete, func, insert, inspect, select, text

from faceauth.db.engine import Database
from faceauth.db.failures import explain
from faceauth.db.schema import KEY_METADATA, METADATA, installation, tenants
from faceauth.db.upgrade import upgrade
from faceauth.errors import StorageError

Progress = Callable[[int, int], None]
"""Called with how many pages or rows are copied, and of how many."""

MARK: Final = "restore_needed"
"""The key in the table `installation` that a copy has and a database in service has not."""

_PAGES: Final = 256
_ROWS: Final = 1000
_LAST: Final = ("tombstones",)
"""Tables copied after the others: an unfinished erasure refuses the references it will delete."""


def copy_sqlite(database: Database, target: Path, progress: Progress | None = None) -> None:
    """Copy a SQLite database, while others write to it, into a new file that stands alone.

    Raises:
        StorageError: It cannot be read, or the copy cannot be written.
    """
    if database.path is None:
        raise StorageError(f"{database.place} is no SQLite database.")
    address = database.path.as_uri() + "?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as source:
            # A transaction that stays open while the pages go over: writers go on, and the copy shows one moment.
            # Without it, each of their commits would start the copy again.
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            with closing(sqlite3.connect(target)) as copy:
                source.backup(copy, pages=_PAGES, progress=_steps(progress), sleep=0)
                copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
    except sqlite3.Error as error:
        raise StorageError(explain(error, database.place)) from error


def copy_rows(source: Database, target: Database, metadata: MetaData, progress: Progress | None = None) -> None:
    """Copy every row of one moment between two databases of this version; the target has none of its own.

    Raises:
        StorageError: One of them failed; the target is as it was.
    """
    tables = [_exact(table) for table in _ordered(metadata)]
    with source.read() as old, target.begin() as new:
        total = sum(old.scalar(select(func.count()).select_from(table)) or 0 for table in tables)
        done = 0
        for table in tables:
            new.execute(delete(table)) if table.name == "audit_head" else None
            for rows in _batches(old, table):
                new.execute(insert(table), rows)
                done += len(rows)
                if progress is not None:
                    progress(done, total)


def copy_database(
    data: Database, keys: Database, which: str, target: Path, progress: Progress | None = None
) -> None:
    """Copy the `data` or the `keys` of an installation into a SQLite file of its own.

    Raises:
        StorageError: It cannot be read, or the copy cannot be written.
    """
    source = data if which == "data" else keys
    if source.path is not None:
        copy_sqlite(source, target, progress)
        return
    empty = target.with_name(f".{target.name}.other")
    pair = {name: Database(f"sqlite:///{target if name == which else empty}") for name in ("data", "keys")}
    try:
        upgrade(pair["data"], pair["keys"])
        copy_rows(source, pair[which], METADATA if which == "data" else KEY_METADATA, progress)
        pair[which].truncate_wal()
    finally:
        for database in pair.values():
            database.dispose()
        empty.unlink(missing_ok=True)
    make_single(target)


def make_single(file: Path) -> None:
    """Fold a SQLite file's write-ahead log into it for good, so that the file stands alone.

    Raises:
        StorageError: It cannot be written.
    """
    try:
        with closing(sqlite3.connect(file)) as conn:
            conn.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise StorageError(explain(error, str(file))) from error


def mark_copy(file: Path, value: str) -> None:
    """Write into a SQLite copy of the data that it is one.

    Raises:
        StorageError: It cannot be written.
    """
    try:
        with closing(sqlite3.connect(file)) as conn, conn:
            conn.execute("INSERT INTO installation (key, value) VALUES (?, ?)", (MARK, value))
    except sqlite3.Error as error:
        raise StorageError(explain(error, str(file))) from error


def check_pages(file: Path) -> None:
    """Have SQLite look through every page of a copy.

    Raises:
        StorageError: Something is wrong with it.
    """
    try:
        with closing(sqlite3.connect(file.as_uri() + "?mode=ro", uri=True)) as conn:
            (answer,) = conn.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        raise StorageError(explain(error, str(file))) from error
    if answer != "ok":
        raise StorageError(f"The copy {file} is damaged inside ({str(answer)[:80]}). Take another.")


def copy_mark(conn: Connection) -> str | None:
    """Return what a copy says of itself; None for a database that is none."""
    return conn.scalar(select(installation.c.value).where(installation.c.key == MARK))


def clear_mark(conn: Connection) -> None:
    """Make a restored copy a database that may serve."""
    conn.execute(delete(installation).where(installation.c.key == MARK))


def is_unused(conn: Connection) -> bool:
    """Say whether a migrated data database belongs to nobody yet."""
    return not any(conn.scalar(select(func.count()).select_from(table)) for table in (installation, tenants))


def has_tables(database: Database) -> bool:
    """Say whether any migration ran there; a SQLite file that is missing has none."""
    if not database.exists():
        return False
    with database.read() as conn:
        if database.dialect == "sqlite":
            return bool(conn.scalar(text("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'")))
        query = "SELECT count(*) FROM information_schema.tables WHERE table_name = 'alembic_version'"
        return bool(conn.scalar(text(query + " AND table_schema = :name"), {"name": database.schema or "public"}))


def has_rows(database: Database, metadata: MetaData) -> bool:
    """Say whether any of these tables is there and has a row."""
    if not has_tables(database):
        return False
    with database.read() as conn:
        there = set(inspect(conn).get_table_names(schema=database.schema))
        return any(
            conn.scalar(select(func.count()).select_from(table))
            for table in metadata.tables.values()
            if table.name in there
        )


def _ordered(metadata: MetaData) -> list[Table]:
    """Return the tables so that what leans on another comes after it."""
    return sorted(metadata.sorted_tables, key=lambda table: table.name in _LAST)


def _exact(table: Table) -> Table:
    """Return the table as one that writes NULL where NULL was read, in JSON columns too."""
    twin = table.to_metadata(MetaData())
    for column in twin.columns:
        if isinstance(column.type, JSON):
            column.type = JSON(none_as_null=True)
    return twin


def _batches(conn: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    for rows in conn.execute(select(table).execution_options(yield_per=_ROWS)).mappings().partitions():
        yield [dict(row) for row in rows]


def _steps(progress: Progress | None) -> Callable[[int, int, int], None] | None:
    if progress is None:
        return None
    return lambda _status, remaining, total: progress(total - remaining, total)
