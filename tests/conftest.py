"""What every test may ask for."""

import gc
import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from faceauth import pipeline as pipeline_module
from faceauth.db.upgrade import upgrade
from faceauth.vault.keyring import create_keyring
from tests import databases, postgresql

if TYPE_CHECKING:
    from playwright.sync_api import Browser
from tests.clocks import HandClock
from tests.service import Service, everybody_is_live, make_service

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "artefacts" / "pages"
"""Where the tests keep pictures of the pages, and what going through them took."""

CHROMIUM = Path("/usr/bin/chromium")

CAMERA_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",  # there is none, and to look for one takes time
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
"""A browser with a camera of its own, that asks nobody whether it may."""

PATIENCE_MS = 15_000
"""How long a page may take to show what is expected; Playwright's 5 s is short on a machine with other work."""

LONG = {
    "test_openapi.py",
    "test_consent_machine.py",
    "test_renewal_on_faces.py",
    "test_over_http.py",
    "test_install.py",
    "test_in_a_browser.py",
}
"""Files of few tests that take long."""


def pytest_configure() -> None:
    """Let denials be told at once, unless a test asks for more: most are about something else."""
    os.environ.setdefault("FACEAUTH_SERVICE__DENIAL_S", "0")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the files, the longest come first, so that none is left at the end.

    Tests in a browser wait more than they work: after each of their files come two that work.
    """
    if not hasattr(config, "workerinput"):
        return
    tests = Counter(item.path for item in items)
    browsing = {item.path for item in items if item.get_closest_marker("browser")}
    order = sorted(tests, key=lambda path: (path.name not in LONG, -tests[path], path))
    waiting = [path for path in order if path in browsing]
    working = [path for path in order if path not in browsing]
    place = {path: 3 * number for number, path in enumerate(waiting)}
    place |= {path: 3 * (number // 2) + 1 + number % 2 for number, path in enumerate(working)}
    items.sort(key=lambda item: place[item.path])


def pytest_collection_finish() -> None:
    """Look for cycles seldom, and not among the thousands of tests themselves: a tenth of the CPU time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say where the pages' pictures are, for a reader to look at."""
    if any(PICTURES.glob("*.png")):
        terminalreporter.write_line(f"Pictures of the pages: {PICTURES.relative_to(ROOT)}/")
    for figures in sorted(PICTURES.glob("*.json")):
        told = json.loads(figures.read_text(encoding="utf-8"))
        terminalreporter.write_line(f"{figures.stem}: " + ", ".join(f"{name} {told[name]}" for name in told))


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
    with ExitStack() as stack:
        try:
            cluster = stack.enter_context(postgresql.cluster())
        except postgresql.Unavailable as reason:
            pytest.skip(str(reason))
        yield cluster


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_cluster: postgresql.Cluster) -> Iterator[databases.Databases]:
    """The pair that tests on PostgreSQL share, one after the other; `database` gives it wiped."""
    with databases.new_postgresql(postgresql_cluster) as pair:
        upgrade(*pair)
        yield pair


@pytest.fixture
def postgresql_database(migrated_postgresql: databases.Databases) -> Iterator[databases.Databases]:
    """A fresh, migrated pair on PostgreSQL."""
    revisions = databases.revisions(migrated_postgresql)
    yield migrated_postgresql
    databases.dispose(migrated_postgresql)
    databases.wipe(migrated_postgresql, revisions)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a migrated pair of files to copy."""
    return databases.make_sqlite_template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def sqlite_database(sqlite_template: Path, tmp_path: Path) -> Iterator[databases.Databases]:
    """A fresh, migrated pair on SQLite, for what does not hang on the kind of database."""
    with databases.copied_sqlite(sqlite_template, tmp_path / "databases") as pair:
        yield pair


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest) -> databases.Databases:
    """A fresh, migrated pair (data, keys), on SQLite and on PostgreSQL in turn. Do not change its tables."""
    pair: databases.Databases = request.getfixturevalue(f"{request.param}_database")
    return pair


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def service(
    database: databases.Databases, tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> Service:
    monkeypatch.setattr(pipeline_module, "judge", everybody_is_live)
    return make_service(database, create_keyring(tmp_path / "keyring", now=clock()), tmp_path, clock)


@pytest.fixture
def enrolled(service: Service) -> Service:
    service.agree()
    assert service.post(service.open("enrol")).state == "accepted"
    return service


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Debian's Chromium, headless, with a camera that shows a test picture; one for the tests of a file.

    Not for longer: while Playwright is open an event loop runs, and other files' tests start their own.
    """
    if not CHROMIUM.is_file():
        pytest.skip("needs Chromium: apt-get install chromium")
    from playwright.sync_api import Error, expect, sync_playwright  # noqa: PLC0415  most runs of a part need no browser

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(
                executable_path=str(CHROMIUM),
                args=CAMERA_FLAGS,
            )
        except Error as error:
            pytest.skip(f"Chromium does not start here: {error.message.splitlines()[0]}")
        yield started
        started.close()
