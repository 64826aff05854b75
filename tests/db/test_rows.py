"""The one statement that the dialects spell in their own way says the same on both."""

from faceauth.db.rows import insert_if_absent
from faceauth.db.schema import installation
from tests.databases import Databases


def test_it_says_whether_the_row_was_inserted(database: Databases) -> None:
    """A count that is not there must not look like a row that was."""
    row = {"key": "one", "value": "1"}
    with database.data.begin() as conn:
        assert insert_if_absent(conn, installation, row)
        assert not insert_if_absent(conn, installation, {**row, "value": "2"})
    with database.data.begin() as conn:
        assert not insert_if_absent(conn, installation, row)
        assert insert_if_absent(conn, installation, {"key": "two", "value": "1"})
