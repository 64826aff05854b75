"""What the vault's tests may ask for."""

import pytest

from tests.databases import Databases
from tests.vault.world import World


@pytest.fixture
def world(database: Databases) -> World:
    """A small installation, on SQLite and on PostgreSQL in turn."""
    return World(database)


@pytest.fixture
def sqlite_world(sqlite_database: Databases) -> World:
    """The same on SQLite alone."""
    return World(sqlite_database)
