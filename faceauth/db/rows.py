"""The one statement that the two dialects spell in their own way."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_if_absent(conn: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless its key is taken; return whether it was inserted."""
    make = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    statement = make(table).values(**values).on_conflict_do_nothing()
    # Without the option SQLAlchemy asks psycopg for no count after an INSERT, and it is -1.
    return conn.execute(statement, execution_options={"preserve_rowcount": True}).rowcount == 1


def insert_missing(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, all of the same columns, but those whose keys are taken."""
    if rows:
        make = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
        conn.execute(make(table).on_conflict_do_nothing(), [dict(row) for row in rows])
