"""The order in which many rows are gone through."""

from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, literal_column


def reading_order(conn: Connection, key: Column[str]) -> ColumnElement[Any]:
    """Return what a table is best read in the order of, a part at a time, with `key` its primary key.

    In SQLite that is the place in the file: in the order of a random key each page would be read, and written,
    again and again once the table is larger than the page cache.
    """
    if conn.dialect.name == "sqlite":
        return literal_column(f"{key.table.name}.rowid")
    return key
