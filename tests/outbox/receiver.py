"""A receiver of webhooks on this machine: remembers what came, and answers as it was told."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Receiver:
    """`answers` are statuses in turn, 204 afterwards; `got` has headers (names in small letters) and bodies."""

    port: int
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    silent: bool = False
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Receive on a free port of 127.0.0.1; while it is `silent`, nothing is answered."""
    told: list[Receiver] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            mine = told[0]
            body = self.rfile.read(int(self.headers["content-length"]))
            mine.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            mine.paths.append(self.path)
            if mine.silent:
                mine.over.wait(5)
                return
            status = mine.answers.pop(0) if mine.answers else 204
            self.send_response(status)
            if status in {301, 302, 307, 308}:
                self.send_header("location", f"http://127.0.0.1:{mine.port}/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    told.append(Receiver(server.server_address[1]))
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    try:
        yield told[0]
    finally:
        told[0].over.set()
        server.shutdown()
        server.server_close()
        thread.join()
