"""What the vault's tests may ask for."""

from pathlib import Path

import pytest

from tests.databases import Databases
from tests.vault.story import Story
from tests.vault.world import World, vectors


@pytest.fixture
def world(database: Databases, tmp_path: Path) -> World:
    """A small installation, on SQLite and on PostgreSQL in turn."""
    return World(database, tmp_path)


@pytest.fixture
def sqlite_world(sqlite_database: Databases, tmp_path: Path) -> World:
    """The same on SQLite alone."""
    return World(sqlite_database, tmp_path)


@pytest.fixture
def story(world: World) -> Story:
    """Anna with two scenarios and Ben, all enrolled."""
    anna, door, ben = world.agree("anna"), world.agree("anna", "door"), world.agree("ben")
    doomed = world.enrol(anna)
    world.enrol(door)
    world.enrol(ben)
    found = Story(world, anna, door, ben, doomed)
    found.kept = {"door": vectors(world.open(door)), "ben": vectors(world.open(ben))}
    return found
