"""A database keeps what it acknowledged, hides nothing it deleted, and says in one line what is wrong."""

import os
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, text
from sqlalchemy.exc import IntegrityError

from faceauth.db import engine
from faceauth.db.engine import Database
from faceauth.db.failures import explain
from faceauth.db.schema import installation
from faceauth.errors import ConfigurationError, StorageError
from tests.databases import Databases


@pytest.mark.parametrize("url", ["", "no address", "mysql://host/name", "sqlite://", "sqlite:///:memory:"])
def test_addresses_that_cannot_hold_data_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        Database(url)


def test_a_password_is_not_shown() -> None:
    """Habit 7: secrets hide in repr."""
    assert "secret" not in repr(Database("postgresql://user:secret@127.0.0.1:1/name"))


def test_a_missing_file_is_not_made_by_looking(tmp_path: Path) -> None:
    """A mistyped folder gives an error, never a fresh and empty database."""
    database = Database(f"sqlite:///{tmp_path}/none/faceauth.db")
    for opened in (database.read, database.begin):
        with pytest.raises(StorageError, match="faceauth init"), opened():
            pass
    assert list(tmp_path.iterdir()) == []


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/data/faceauth.db")
    database.create()
    with database.begin() as conn:
        conn.exec_driver_sql("CREATE TABLE t (x)")
        assert database.path is not None
        modes = {path.name: path.stat().st_mode & 0o777 for path in database.path.parent.iterdir()}
    assert modes == {"faceauth.db": 0o600, "faceauth.db-wal": 0o600, "faceauth.db-shm": 0o600}
    assert database.path.parent.stat().st_mode & 0o777 == 0o700
    database.dispose()


def test_every_sqlite_connection_is_set(sqlite_database: Databases) -> None:
    """R41, R56: WAL, FULL, secure_delete, foreign keys, on each connection of the pool."""
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "secure_delete": 1,
        "foreign_keys": 1,
        "page_size": 16384,
        "temp_store": 2,
    }
    with sqlite_database.data.read() as one, sqlite_database.data.read() as two:
        for conn in (one, two):
            assert {name: conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted} == wanted


def test_a_write_is_all_or_nothing(database: Databases) -> None:
    def half() -> None:
        with database.data.begin() as conn:
            conn.execute(insert(installation).values(key="a", value="1"))
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        half()
    with database.data.read() as conn:
        assert conn.execute(select(installation)).all() == []


def test_a_read_cannot_write(database: Databases) -> None:
    """Also after its connection was used for writing, and without harm to the next writer."""
    for key in ("a", "b"):
        with database.data.begin() as conn:
            conn.execute(insert(installation).values(key=key, value="1"))
        with pytest.raises(StorageError, match="was a read"), database.data.read() as conn:
            conn.execute(insert(installation).values(key="c", value="1"))


def test_a_read_sees_one_moment(database: Databases) -> None:
    with database.data.read() as reader:
        assert reader.execute(select(installation)).all() == []
        with database.data.begin() as writer:
            writer.execute(insert(installation).values(key="a", value="1"))
        assert reader.execute(select(installation)).all() == []


def test_a_broken_constraint_is_for_the_caller(database: Databases) -> None:
    row = insert(installation).values(key="a", value="1")
    with database.data.begin() as conn:
        conn.execute(row)
    with pytest.raises(IntegrityError), database.data.begin() as conn:
        conn.execute(row)


def test_values_stay_out_of_errors(database: Databases) -> None:
    """R24, R50: an error's text may reach a log; a query's values may not."""
    with pytest.raises(StorageError) as caught, database.data.begin() as conn:
        conn.execute(text("SELECT :value FROM nowhere"), {"value": "canary"})
    errors: list[BaseException | None] = [caught.value, caught.value.__cause__]
    assert "canary" not in "".join(map(str, errors))
    assert "has no tables yet" in str(caught.value)


def test_deleted_bytes_are_gone_after_the_log_is_cut(sqlite_database: Databases) -> None:
    """R41: secure_delete and wal_checkpoint(TRUNCATE): a canary is in no file any more."""
    data = sqlite_database.data
    assert data.path is not None
    canary = "canary-" * 4000  # over several pages

    def found() -> list[str]:
        assert data.path is not None
        return [path.name for path in data.path.parent.iterdir() if b"canary-" in path.read_bytes()]

    with data.begin() as conn:
        conn.execute(insert(installation).values(key="c", value=canary))
    assert found() != []
    with data.begin() as conn:
        conn.execute(delete(installation).where(installation.c.key == "c"))
    data.truncate_wal()
    assert found() == []


def test_a_reader_that_holds_the_log_is_reported(
    sqlite_database: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R41: truncation is verified, not hoped for."""
    monkeypatch.setattr(engine, "BUSY_S", 0.05)
    assert sqlite_database.data.path is not None
    data = Database(f"sqlite:///{sqlite_database.data.path}")
    with data.read() as conn:
        conn.execute(select(installation)).all()
        with data.begin() as other:
            other.execute(insert(installation).values(key="a", value="1"))
        with pytest.raises(StorageError, match="held by a reader"):
            data.truncate_wal()
    data.truncate_wal()
    data.dispose()


def test_a_writer_in_another_process_is_waited_for(
    sqlite_database: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_S", 0.05)
    assert sqlite_database.data.path is not None
    data = Database(f"sqlite:///{sqlite_database.data.path}")
    other = sqlite3.connect(sqlite_database.data.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="is busy"), data.begin():
        pass
    other.execute("ROLLBACK")
    other.close()
    with data.begin():
        pass
    data.dispose()


def test_a_read_only_folder_is_said_and_passes(
    sqlite_database: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bad input of issue 2: data folder read-only. Root may write anywhere, so the system's answer is replaced."""
    data = sqlite_database.data
    with monkeypatch.context() as patched:
        patched.setattr(os, "access", lambda _path, mode: not mode & os.W_OK)
        with pytest.raises(StorageError, match="read-only"), data.begin():
            pytest.fail("a transaction that cannot be written was opened")
        with data.read() as conn:
            assert conn.execute(select(installation)).all() is not None
    with data.begin() as conn:
        conn.execute(insert(installation).values(key="a", value="1"))


def test_a_full_disk_changes_nothing(sqlite_database: Databases) -> None:
    """Bad input of issue 2: disk full. A cap on the pages makes SQLite say what a full disk makes it say."""
    data = sqlite_database.data
    rows = [{"key": key, "value": "x" * 100_000} for key in "abc"]
    with data.begin() as conn:
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar()
        conn.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StorageError, match="disk is full"), data.begin() as conn:
        conn.execute(insert(installation), rows)
    data.dispose()  # the cap was on that connection
    with data.begin() as conn:
        assert conn.execute(select(installation)).all() == []
        conn.execute(insert(installation), rows)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "faceauth.db"
    path.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(StorageError, match="not a database"), Database(f"sqlite:///{path}").begin():
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """Bad input of issue 2: the data folder cannot be written."""
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="FACEAUTH_DATA_DIR"):
        Database(f"sqlite:///{tmp_path}/file/faceauth.db").create()


def test_a_server_that_is_away_is_named() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/name?connect_timeout=2")
    with pytest.raises(StorageError, match="cannot be reached"), database.begin():
        pass


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_READONLY, "read-only"),
        (sqlite3.SQLITE_IOERR | 1 << 8, "disk reported an error"),
        (sqlite3.SQLITE_CORRUPT, "Restore"),
        (sqlite3.SQLITE_CANTOPEN, "cannot be opened"),
        (sqlite3.SQLITE_MISMATCH, "doctor"),
    ],
)
def test_sqlite_codes_have_words(code: int, words: str) -> None:
    error = sqlite3.OperationalError("text that is not looked at")
    error.sqlite_errorcode = code
    assert words in explain(error, "here")


def test_threads_share_one_database(database: Databases) -> None:
    """Every thread's writes are there, none was refused for being busy."""
    errors: list[Exception] = []

    def write(name: str) -> None:
        try:
            for number in range(10):
                with database.data.begin() as conn:
                    conn.execute(insert(installation).values(key=f"{name}{number}", value="1"))
                with database.data.read() as conn:
                    conn.execute(select(installation)).all()
        except Exception as error:  # noqa: BLE001  whatever it is, the test fails on it
            errors.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert errors == []
    with database.data.read() as conn:
        assert len(conn.execute(select(installation)).all()) == 40
