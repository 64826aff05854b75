"""The databases come to this version in one step, and the code refuses what it does not understand."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, inspect, text

from faceauth.db import schema, upgrade
from faceauth.errors import DatabaseNewer, StorageError
from tests import databases
from tests.databases import Databases


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Databases]:
    """A pair that nothing was done to."""
    if request.param == "sqlite":
        pair = databases.sqlite(tmp_path / "new" / "folder")
        yield pair
        databases.dispose(pair)
    else:
        cluster = request.getfixturevalue("postgresql_cluster")
        with databases.new_postgresql(cluster) as pair:
            yield pair


def test_an_empty_database_is_named_and_upgraded(empty: Databases) -> None:
    """Bad input of issue 2: the line says what to run, and running it twice is fine."""
    with pytest.raises(StorageError, match="faceauth init"):
        upgrade.check(*empty)
    upgrade.upgrade(*empty)
    upgrade.upgrade(*empty)
    upgrade.check(*empty)


@pytest.mark.parametrize(("line", "metadata"), [(0, schema.METADATA), (1, schema.KEY_METADATA)])
def test_the_migrated_schema_is_the_one_the_code_uses(database: Databases, line: int, metadata: MetaData) -> None:
    """A column in schema.py without a migration, or the other way round, is found."""
    where = database[line]
    with where.read() as connection:
        options = {"compare_type": True, "include_name": lambda name, *_: name != "alembic_version"}
        if where.schema is not None:
            connection.exec_driver_sql(f"SET LOCAL search_path TO {where.schema}")
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
        found = inspect(connection)
        for table in metadata.tables.values():
            names = {check["name"] for check in found.get_check_constraints(table.name, schema=where.schema)}
            wanted = {c.name for c in table.constraints if type(c).__name__ == "CheckConstraint"}
            assert names == wanted


def test_the_keys_stand_apart(database: Databases) -> None:
    """R43: the data database holds no wrapped key, so its backup cannot open anything."""
    with database.data.read() as connection:
        assert "data_keys" not in inspect(connection).get_table_names()
    with database.keys.read() as connection:
        assert "data_keys" in inspect(connection).get_table_names(schema=database.keys.schema)


@pytest.mark.parametrize("line", [0, 1])
def test_a_newer_database_is_refused(database: Databases, line: int) -> None:
    """Bad input of issue 2: a database of a newer version opens nothing and loses nothing."""
    where = database[line]
    prefix = f"{where.schema}." if where.schema else ""
    with where.begin() as connection:
        connection.execute(text(f"UPDATE {prefix}alembic_version SET version_num = 'data9999'"))  # noqa: S608  no input
    for act in (upgrade.check, upgrade.upgrade):
        with pytest.raises(DatabaseNewer, match="newer version"):
            act(*database)


def test_an_older_database_is_told_to_upgrade(database: Databases) -> None:
    """Habit 5: reading an old one says that it needs renewal."""
    with database.data.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'data0001'"))
    with pytest.raises(StorageError, match="older version"):
        upgrade.check(*database)


def test_a_migration_that_fails_leaves_nothing(empty: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    """Habit 12: a migration and the note that it ran commit together."""
    genuine = command.upgrade

    def upgrade_then_fail(config: Config, revision: str) -> None:
        genuine(config, revision)
        raise RuntimeError("power cut")

    monkeypatch.setattr(command, "upgrade", upgrade_then_fail)
    with pytest.raises(RuntimeError, match="power cut"):
        upgrade.upgrade(*empty)
    with empty.data.read() as connection:
        assert inspect(connection).get_table_names() == []
