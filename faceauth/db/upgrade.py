"""Brings both databases to this version of the code, and refuses those that it does not understand.

There are two lines of migrations, one for the data and one for the keys. A migration and the note that it ran
commit together, and two processes that start at once take turns.
"""

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
            config = _config(line, connection, database)
            if _state(config, connection, database, line) != "current":
                command.upgrade(config, "head")


def check(data: Database, keys: Database) -> None:
    """Return if both databases are of this version.

    Raises:
        DatabaseNewer: One was written by a newer version.
        StorageError: One is missing, empty or older, or cannot be read.
    """
    for line, database in zip(LINES, (data, keys), strict=True):
        with database.read() as connection:
            state = _state(_config(line, connection, database), connection, database, line)
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


def _config(line: str, connection: Connection, database: Database) -> Config:
    folder = files("faceauth.db") / "migrations"
    config = Config()
    # Alembic reads percent signs as its own, and splits the list at new lines, which no sane path holds.
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("version_locations", str(folder / "versions" / line).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    config.attributes["schema"] = database.schema
    return config


def _state(config: Config, connection: Connection, database: Database, line: str) -> str:
    """Say "empty", "older" or "current"."""
    script = ScriptDirectory.from_config(config)
    options = {"version_table_schema": database.schema}
    stored = set(MigrationContext.configure(connection, opts=options).get_current_heads())
    known = {revision.revision for revision in script.walk_revisions()}
    if not stored <= known:
        raise DatabaseNewer(
            f"The {line} database {database.place} was written by a newer version of faceauth. "
            "Install that version, or restore a backup made by this one."
        )
    if not stored:
        return "empty"
    return "current" if stored == set(script.get_heads()) else "older"
