"""What every test may ask for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import databases, postgresql

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real weights and faces beside the project; tests that need it skip where it is absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the folder ../shared with real weights and faces")
    return folder


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The folder `make test` installs the model pack `open` into."""
    folder = Path(os.environ.get("FACEAUTH_MODELS_DIR", ROOT / ".cache" / "models"))
    if not (folder / "open").is_dir():
        pytest.skip("needs the model pack: run faceauth models install open, or make test")
    return folder


@pytest.fixture(scope="session")
def postgresql_cluster() -> Iterator[postgresql.Cluster]:
    """A PostgreSQL server; tests that need it skip where there is none and none can be started."""
    server = postgresql.cluster()
    try:
        cluster = server.__enter__()
    except postgresql.Unavailable as reason:
        pytest.skip(str(reason))
    try:
        yield cluster
    finally:
        server.__exit__(None, None, None)


@pytest.fixture(scope="session")
def postgresql_template(postgresql_cluster: postgresql.Cluster) -> Iterator[str]:
    """The name of a migrated database to copy."""
    name = databases.make_postgresql_template(postgresql_cluster)
    yield name
    postgresql_cluster.run(f"DROP DATABASE {name}")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a migrated pair of files to copy."""
    return databases.make_sqlite_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[databases.Databases]:
    """A fresh, migrated pair (data, keys), on SQLite and on PostgreSQL in turn."""
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        with databases.copied_sqlite(template, tmp_path / "databases") as pair:
            yield pair
    else:
        cluster = request.getfixturevalue("postgresql_cluster")
        with databases.copied_postgresql(cluster, request.getfixturevalue("postgresql_template")) as pair:
            yield pair


@pytest.fixture
def sqlite_database(sqlite_template: Path, tmp_path: Path) -> Iterator[databases.Databases]:
    """A fresh, migrated pair on SQLite, for what does not hang on the kind of database."""
    with databases.copied_sqlite(sqlite_template, tmp_path / "databases") as pair:
        yield pair
