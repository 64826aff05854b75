"""A PostgreSQL server of the tests' own, on a socket in a temporary folder, ended with the tests."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

ADDRESS = "FACEAUTH_TEST_POSTGRESQL_URL"
START_S = 30.0


class Unavailable(Exception):
    """There is no server and none can be started; the text says why."""


@dataclass(frozen=True)
class Cluster:
    """A running server. `folder` is its data folder where it is ours, so that tests can scan its bytes."""

    url: str
    folder: Path | None

    def database(self, name: str) -> str:
        """Return the address of one of its databases."""
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def run(self, statement: str) -> None:
        """Run a statement that must stand outside a transaction, such as CREATE DATABASE."""
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text(statement))
        finally:
            engine.dispose()


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Give the server that FACEAUTH_TEST_POSTGRESQL_URL names, or one started here.

    Raises:
        Unavailable: Neither is possible.
    """
    if url := os.environ.get(ADDRESS):
        yield Cluster(
            make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False), None
        )
        return
    programs, user = _programs(), _user()
    home = Path(tempfile.mkdtemp(prefix="faceauth-pg-"))
    try:
        if user is not None:
            shutil.chown(home, user)
        folder = home / "data"
        _initialise(programs, folder, user)
        process = _start(programs, folder, home, user)
        try:
            started = Cluster(f"postgresql+psycopg://faceauth@/postgres?host={home}", folder)
            _wait(started, process)
            yield started
        finally:
            process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            process.wait(timeout=START_S)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _programs() -> Path:
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = debian[-1] if debian else shutil.which("initdb")
    if found is None:
        raise Unavailable(f"needs PostgreSQL's programs (Debian: apt-get install postgresql) or {ADDRESS}")
    return Path(found).parent


def _user() -> str | None:
    """PostgreSQL refuses to run as root; Debian's package made a user for it."""
    if os.geteuid() != 0:
        return None
    import pwd  # noqa: PLC0415  only there on POSIX

    try:
        pwd.getpwnam("postgres")
    except KeyError:
        raise Unavailable("runs as root, and there is no user postgres to start the server as") from None
    return "postgres"


def _initialise(programs: Path, folder: Path, user: str | None) -> None:
    done = subprocess.run(
        [
            programs / "initdb",
            "-D",
            folder,
            "-U",
            "faceauth",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ],
        user=user,
        group=user,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Unavailable(f"initdb failed: {done.stderr.strip().splitlines()[-1:]}")


def _start(programs: Path, folder: Path, socket: Path, user: str | None) -> subprocess.Popen[bytes]:
    # No TCP port: the socket in our own folder is the only way in. Nothing here must survive a power cut.
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(socket),
        "fsync": "off",
        "synchronous_commit": "off",
        "shared_buffers": "32MB",
    }
    command: list[str | Path] = [programs / "postgres", "-D", folder]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    with (socket / "log").open("wb") as log:
        return subprocess.Popen(command, user=user, group=user, cwd="/", stdout=log, stderr=log)


def _wait(started: Cluster, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_S
    while True:
        try:
            started.run("SELECT 1")
        except OperationalError as error:
            if process.poll() is not None or time.monotonic() > until:
                raise Unavailable(f"the server did not start: {error.orig}") from error
            time.sleep(0.02)  # another program's start-up cannot be waited for in a better way
        else:
            return
