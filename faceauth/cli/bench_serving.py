"""A service of a benchmark's own: started on a free port over a new installation, watched, and stopped."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.request import Request, urlopen

from faceauth.cli.console import fail
from faceauth.cli.measured import measured_pack
from faceauth.settings import Settings

if TYPE_CHECKING:
    from faceauth.bench.stream import Opened

WAIT_S: Final = 60.0
"""Seconds a request to it, or its end, may take."""


@contextmanager
def serving(
    settings: Settings, *, stream_sessions: int | None = None, fresh: bool = True
) -> Iterator[tuple[str, str, int]]:
    """Run `faceauth serve` on a free port; yield its address, an API key and the process's id.

    Args:
        settings: Where its data and keyring lie, and its database if that is another than SQLite.
        stream_sessions: How many sessions it may stream at once.
        fresh: Whether the installation has to be made first.
    """
    from faceauth.cli.init import first_key  # noqa: PLC0415  networks are slow to import
    from faceauth.installation import create_installation  # noqa: PLC0415  as above

    if fresh:
        create_installation(settings)
    key = first_key(settings)
    assert key is not None  # noqa: S101  the installation is new
    own: dict[str, Any] = {
        "FACEAUTH_DATA_DIR": settings.data_dir,
        "FACEAUTH_KEYS__FILE": settings.keyring_file,
        "FACEAUTH_MODEL_PACK": settings.model_pack,
        "FACEAUTH_MODELS_DIR": settings.models_dir,
    }
    if stream_sessions is not None:
        own["FACEAUTH_STREAM__SESSIONS"] = stream_sessions
    if settings.database_url is not None:
        own["FACEAUTH_DATABASE_URL"] = settings.database_url.get_secret_value()
    command = [
        *("env", *(f"{name}={value}" for name, value in own.items())),
        *(sys.executable, "-c", "from faceauth.cli import app; app()", "serve", "--port", "0"),
    ]
    with subprocess.Popen(  # noqa: S603  our own program
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout is not None else ""
            if "Serving on " not in line:
                fail("The service did not start. faceauth doctor says why.")
            yield line.split("Serving on ", 1)[1].split(". ", 1)[0], key.secret, process.pid
        finally:
            process.terminate()
            process.wait(WAIT_S)


class Backend:
    """An application's backend, which opens sessions to be streamed and reads how they ended.

    Args:
        address: The service's.
        key: The application's.
    """

    def __init__(self, address: str, key: str) -> None:
        self._address = address
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Ask the service something and return what it answered, read from its JSON."""
        data = None if body is None else json.dumps(body).encode()
        asked = Request(self._address + path, data, self._headers, method=method)  # noqa: S310  our own service
        with urlopen(asked, timeout=WAIT_S) as answer:  # noqa: S310  the same
            return json.load(answer)

    def opened(self, body: object) -> "Opened":
        """Open a session as told and return what its device needs."""
        from faceauth.bench.stream import Opened  # noqa: PLC0415  networks are slow to import

        session = self.call("POST", "/v1/sessions", body)
        path = f"/v1/sessions/{session['session_id']}"

        def outcome() -> str:
            told = self.call("GET", path)
            return f"{told['state']}: {told['reason']}" if told.get("reason") else str(told["state"])

        return Opened(self._address.replace("http", "ws", 1) + f"{path}/stream", session["client_token"], outcome)


def portrait_head(settings: Settings) -> Any:
    """Return a head that wears the face of somebody in the insightface package's photograph."""
    from faceauth.bench.accuracy import service_detector  # noqa: PLC0415  networks are slow to import
    from faceauth.demo.attempt import head  # noqa: PLC0415  as above
    from faceauth.demo.people import group_cast  # noqa: PLC0415  as above

    pack = measured_pack(settings)
    try:
        ann = group_cast(service_detector(pack)).ann
        return head(ann, ann.first)
    finally:
        pack.close()


def cpu_s(pid: int) -> float:
    """Return the seconds of CPU that a process took, where Linux tells them, and else 0."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return 0.0
    # proc(5): utime and stime are the 14th and 15th field; the 2nd is a name in brackets.
    fields = told.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> tuple[float, float]:
    """Return the megabytes a process holds now and held at most, where Linux tells them, and else 0."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0, 0.0
    told = {name: rest.split()[0] for name, _, rest in (line.partition(":") for line in lines) if rest.strip()}
    return float(told.get("VmRSS", 0)) / 1024, float(told.get("VmHWM", 0)) / 1024
