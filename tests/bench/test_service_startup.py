"""`faceauth bench service`: what a start is measured over, and until when."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import func, select

from faceauth.bench import service_startup
from faceauth.bench.index_shape import load_shape
from faceauth.bench.service_startup import Start, measure_start
from faceauth.db.schema import biometric_references
from faceauth.errors import StorageError
from faceauth.installation import databases
from faceauth.settings import Settings

MODEL = b"m" * 32


class Double:
    """A service that becomes ready when it was asked often enough, and looks at what it was started over."""

    def __init__(self, ready_after: int) -> None:
        self.ready_after = ready_after
        self.asked: list[str] = []
        self.references = 0

    @contextmanager
    def serving(self, settings: Settings) -> Iterator[tuple[str, str, int]]:
        data, keys = databases(settings)
        with data.read() as conn:
            held = select(func.count()).where(biometric_references.c.model_digest == MODEL)
            self.references = conn.execute(held).scalar_one()
        data.dispose()
        keys.dispose()
        double = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                double.asked.append(self.path)
                self.send_response(200 if len(double.asked) > double.ready_after else 503)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Tell nobody."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}", "key", 7
            finally:
                server.shutdown()
                thread.join()


def _started(double: Double, tmp_path: Path) -> Start:
    return measure_start(
        Settings(data_dir=tmp_path / "unused"),
        20,
        shape=load_shape("open"),
        model_digest=MODEL,
        serving=double.serving,
        spent=lambda pid: (float(pid), 300.0),
        progress=lambda _label, _done, _of: None,
    )


def test_a_start_ends_when_the_service_is_ready(tmp_path: Path) -> None:
    """Everybody's reference is sealed under the service's model first: of others none would be opened."""
    double = Double(ready_after=2)
    start = _started(double, tmp_path)
    assert double.references == start.references == 20
    assert double.asked == ["/readyz"] * 3
    assert start.ready_s > 2 * service_startup.LOOK_S
    assert start.as_json() == {
        "references": 20,
        "ready_s": round(start.ready_s, 3),
        "cpu_s": 7.0,
        "resident_mb": 300.0,
    }
    assert not (tmp_path / "unused").exists()


def test_a_service_that_never_is_ready_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_startup, "WAIT_S", 0.3)
    with pytest.raises(StorageError, match="faceauth doctor"):
        _started(Double(ready_after=10**6), tmp_path)
