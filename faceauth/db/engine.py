"""The one way to a database: SQLite in a file, or PostgreSQL, with the same promises on both.

A write transaction is durable when it returns (R56), a read transaction sees one moment and cannot write, and
every failure of the database becomes a `StorageError` that says what to do.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from faceauth.db.failures import explain
from faceauth.errors import ConfigurationError, InvalidRequest, StorageError

Dialect = Literal["sqlite", "postgresql"]

BUSY_S = 10.0
"""Seconds a writer waits for another one before it gives up."""

PAGE_SIZE = 16384
"""Bytes of a page in a new file: sealed records fit it with little waste (measured in docs/database.md)."""

ACCESS = "faceauth_access"


class Database:
    """A database that threads may share.

    `url` is ``sqlite:///path`` or ``postgresql+psycopg://…``. `schema` names the PostgreSQL schema that tables
    without one are looked up in; SQLite has a file for each database instead and ignores it.

    Raises:
        ConfigurationError: The address is malformed, names no file, or its driver is not installed.
    """

    def __init__(self, url: str, *, schema: str | None = None) -> None:
        parsed = _parse(url)
        self.dialect: Dialect = "sqlite" if parsed.get_backend_name() == "sqlite" else "postgresql"
        self.schema = schema if self.dialect == "postgresql" else None
        self.path = Path(parsed.database or "").absolute() if self.dialect == "sqlite" else None
        self.place = str(self.path) if self.path else parsed.render_as_string(hide_password=True)
        self._engine = _sqlite_engine(self.path) if self.path else _postgresql_engine(parsed)
        names = {None: self.schema} if self.schema else {}
        self._writer = self._engine.execution_options(**{ACCESS: "write", "schema_translate_map": names})
        self._reader = self._engine.execution_options(**{ACCESS: "read", "schema_translate_map": names})
        # SQLite lets one writer in at a time and lets the others poll. Threads of this process queue here instead.
        self._turn = Lock()

    def __repr__(self) -> str:
        return f"Database({self.place!r})"

    def create(self) -> None:
        """Make the SQLite file (0600) and its folder (0700) if they are not there; PostgreSQL needs nothing.

        Raises:
            StorageError: The folder or the file cannot be made.
        """
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise StorageError(
                f"{self.path} cannot be made ({error.strerror}). Check FACEAUTH_DATA_DIR and who may write there."
            ) from error

    def exists(self) -> bool:
        """Say whether the SQLite file is there; for PostgreSQL the first query will tell."""
        return self.path is None or self.path.is_file()

    def check_writable(self) -> None:
        """Raise where SQLite's file or folder may not be written; PostgreSQL tells with the first write.

        SQLite opens such a file for reading only, silently, and lets even BEGIN IMMEDIATE pass.

        Raises:
            StorageError: The file or its folder is read-only.
        """
        if self.path is None or not self.exists():
            return
        if not (os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK | os.X_OK)):
            # What was opened meanwhile can only read, and would stay so when the folder is writable again.
            self.dispose()
            raise StorageError(
                f"The database {self.place} cannot be written: the file or its folder is read-only. "
                "Check FACEAUTH_DATA_DIR and who may write there."
            )

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a write transaction; it commits at the end of the block and rolls back on any exception.

        On SQLite there is one writer at a time, so do not open one inside another.

        Raises:
            StorageError: The database failed; nothing was written.
            sqlalchemy.exc.IntegrityError: A constraint or trigger refused a row; the caller knows what that means.
        """
        self.check_writable()
        with self._translated(), self._one_writer(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read transaction: one moment of the database, and any write is refused.

        Raises:
            StorageError: The database failed.
        """
        with self._translated(), self._reader.connect() as connection:
            if self.dialect == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    def apart(self) -> Connection:
        """Open a connection that is no transaction's, for what lives as long as it does; the caller closes it.

        Raises:
            StorageError: The database failed.
        """
        with self._translated():
            return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def truncate_wal(self) -> None:
        """Move SQLite's write-ahead log into the file and cut it to nothing (R41); PostgreSQL needs nothing here.

        Call it outside `begin` and `read`.

        Raises:
            StorageError: A reader still holds the log, so old bytes may be left in it. Try again.
        """
        if self.path is None:
            return
        with self._translated(), self._one_writer():
            raw = self._engine.raw_connection()
            try:
                cursor = raw.cursor()
                busy, left, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                cursor.close()
            except sqlite3.Error as error:
                raise StorageError(explain(error, self.place)) from error
            finally:
                raw.close()
        # Not the file's size: by now another process may have begun a new log.
        if busy or left > 0:
            raise StorageError(f"The write-ahead log of {self.path} is held by a reader. Try again in a moment.")

    def dispose(self) -> None:
        """Close every pooled connection."""
        self._engine.dispose()

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        if self.path is None:
            yield
            return
        if not self._turn.acquire(timeout=BUSY_S):
            raise StorageError(f"{self.place} is busy: another writer held it for {BUSY_S:.0f} s. Try again.")
        try:
            yield
        finally:
            self._turn.release()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        if not self.exists():
            raise StorageError(
                f"There is no database at {self.path}. Run faceauth init, or check FACEAUTH_DATA_DIR."
            )
        try:
            yield
        except IntegrityError:
            raise
        except (DataError, UnicodeEncodeError) as error:
            raise InvalidRequest(
                "A text or number was sent that cannot be stored. Check for odd characters."
            ) from error
        except DBAPIError as error:
            raise StorageError(explain(error.orig, self.place)) from error
        except PoolTimeout as error:
            raise StorageError(f"{self.place} is busy: every connection is in use. Try again.") from error


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError("DATABASE_URL is no address: write sqlite:///path or postgresql://…") from error
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise ConfigurationError(f"DATABASE_URL names {backend}. Only sqlite and postgresql are supported.")
    if parsed.database in {None, "", ":memory:"} or parsed.query:
        raise ConfigurationError("DATABASE_URL must name a plain file for SQLite: sqlite:///path.")
    return parsed


def _sqlite_engine(path: Path) -> Engine:
    # mode=rw: a mistyped folder gives an error, never a fresh and empty database.
    address = path.as_uri() + "?mode=rw"

    def connect() -> sqlite3.Connection:
        # isolation_level None: the module must not guess where transactions begin; `_on_begin` says it.
        return sqlite3.connect(address, uri=True, timeout=BUSY_S, check_same_thread=False, isolation_level=None)

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, hide_parameters=True)
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin)
    return engine


def _on_sqlite_connect(connection: sqlite3.Connection, _record: Any) -> None:
    wanted = {
        "page_size": None,  # only a new file takes it; an old one keeps what it has
        "journal_mode": "wal",
        "synchronous": 2,  # FULL: a commit is on the disk when it returns (R56)
        "secure_delete": 1,  # freed bytes are overwritten (R41)
        "foreign_keys": 1,  # R27 leans on one
        "temp_store": 2,  # MEMORY: sorting leaves no temporary file behind (R42)
    }
    settings = {"page_size": PAGE_SIZE, "journal_mode": "WAL", "temp_store": "MEMORY"}
    for name, value in wanted.items():
        connection.execute(f"PRAGMA {name}={settings.get(name, value)}")
        (found,) = connection.execute(f"PRAGMA {name}").fetchone()
        if value is not None and found != value:
            raise StorageError(f"SQLite does not keep {name}={value} here. Put the data folder on a local disk.")


def _on_sqlite_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(ACCESS) == "write"
    # The reader's mark is set before every transaction, so that a pooled connection never carries an old one.
    connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
    # IMMEDIATE takes the write lock first; a deferred one could fail half-way, when it turns from read to write.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql_engine(url: URL) -> Engine:
    try:
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    except ModuleNotFoundError as error:
        raise ConfigurationError("PostgreSQL needs its driver: pip install 'faceauth[postgresql]'.") from error
