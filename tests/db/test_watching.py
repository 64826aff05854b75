"""Measurements are told when a transaction is over."""

from faceauth.db.watching import watching_ends
from tests.databases import Databases


def test_each_transaction_is_told_once_it_is_over(database: Databases) -> None:
    with watching_ends() as ends:
        with database.data.begin():
            assert ends == []
        assert len(ends) == 1
        with database.data.read():
            pass
        assert len(ends) == 2
        assert ends == sorted(ends)
    with database.data.begin():
        pass
    assert len(ends) == 2
