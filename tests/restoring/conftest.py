"""Installations to back up, lose and restore."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from faceauth import pipeline as pipeline_module
from tests.drill import Drill
from tests.service import everybody_is_live

Places = Callable[[], str | None]


@pytest.fixture
def sqlite_places() -> Places:
    return lambda: None


@pytest.fixture
def postgresql_places(request: pytest.FixtureRequest) -> Iterator[Places]:
    """New, empty databases of a server, removed afterwards."""
    cluster = request.getfixturevalue("postgresql_cluster")
    with ExitStack() as stack:

        def place() -> str:
            name = f"faceauth_drill_{uuid4().hex[:12]}"
            cluster.run(f"CREATE DATABASE {name}")
            stack.callback(cluster.run, f"DROP DATABASE {name} WITH (FORCE)")
            return str(cluster.database(name))

        yield place


def _made(folder: Path, places: Places, monkeypatch: pytest.MonkeyPatch) -> Drill:
    monkeypatch.setattr(pipeline_module, "judge", everybody_is_live)
    found = Drill(folder, places)
    found.enrol("anna", "ben", "carla")
    return found


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def drill(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drill]:
    """Anna, Ben and Carla enrolled, on SQLite and on PostgreSQL in turn."""
    found = _made(tmp_path, request.getfixturevalue(f"{request.param}_places"), monkeypatch)
    yield found
    found.stop()


@pytest.fixture
def sqlite_drill(sqlite_places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drill]:
    """The same on SQLite alone."""
    found = _made(tmp_path, sqlite_places, monkeypatch)
    yield found
    found.stop()


@pytest.fixture
def postgresql_drill(
    postgresql_places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Drill]:
    """The same on PostgreSQL alone."""
    found = _made(tmp_path, postgresql_places, monkeypatch)
    yield found
    found.stop()
