"""docs/database.md keeps step with the tables and with how a connection is set."""

from pathlib import Path

from faceauth.db.schema import KEY_METADATA, KEY_SCHEMA, METADATA

DOC = (Path(__file__).resolve().parents[2] / "docs" / "database.md").read_text("utf-8")


def test_the_docs_name_every_table() -> None:
    """Habit 14."""
    for name in (*METADATA.tables, *KEY_METADATA.tables, KEY_SCHEMA):
        assert f"`{name}`" in DOC, name
