"""Brings both databases to this version of the code, and refuses those that it does not understand.

There are two lines of migrations, one for the data and one for the keys. A migration and the note that it ran
commit together, and two processes that start at once take turns.
"""

from functools import cache
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from faceauth.db.engine import Database
from faceauth.errors import DatabaseNewer, StorageError

LINES = ("data", "keys")

_TURN = 7_021_146_350_211_879_273
"""PostgreSQL's advisory lock of upgrades: any fixed number that nobody else uses."""


def upgrade(data: Database, keys: Database) -> None:
    """Make the databases if they are not there, and bring both to this version.

    Raises:
        DatabaseNewer: One was written by a newer version; nothing was changed in it.
        StorageError: One cannot be written.
    """
    for line, database in zip(LINES, (data, keys), strict=True):
        database.create()
        with database.begin() as connection:
            _take_turn(connection, database)
            if _state(connection, database, line) != "current":
                config = _config(line)
                config.attributes["connection"] = connection
                config.attributes["schema"] = database.schema
                command.upgrade(config, "head")


def check(data: Database, keys: Database) -> None:
    """Return if both databases are of this version.

    Raises:
        DatabaseNewer: One was written by a newer version.
        StorageError: One is missing, empty or older, or cannot be read.
    """
    for line, database in zip(LINES, (data, keys), strict=True):
        with database.read() as connection:
            state = _state(connection, database, line)
        if state == "empty":
            raise StorageError(f"The {line} database {database.place} is empty. Run faceauth init.")
        if state == "older":
            raise StorageError(
                f"The {line} database {database.place} is of an older version. "
                "Make a backup, then run faceauth init: it upgrades."
            )


def _take_turn(connection: Connection, database: Database) -> None:
    if database.dialect == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})
        if database.schema is not None:
            connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{database.schema}"'))


def _config(line: str) -> Config:
    folder = files("faceauth.db") / "migrations"
    config = Config()
    # Alembic reads percent signs as its own, and splits the list at new lines, which no sane path holds.
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("version_locations", str(folder / "versions" / line).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config


@cache
def _revisions(line: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return all the revisions that this version knows, and the newest; every migration is read for that, once."""
    script = ScriptDirectory.from_config(_config(line))
    known = frozenset(revision.revision for revision in script.walk_revisions())
    return known, frozenset(script.get_heads())


def _state(connection: Connection, database: Database, line: str) -> str:
    """Say "empty", "older" or "current"."""
    known, newest = _revisions(line)
    options = {"version_table_schema": database.schema}
    stored = set(MigrationContext.configure(connection, opts=options).get_current_heads())
    if not stored <= known:
        raise DatabaseNewer(
            f"The {line} database {database.place} was written by a newer version of faceauth. "
            "Install that version, or restore a backup made by this one."
        )
    if not stored:
        return "empty"
    return "current" if stored == newest else "older"
