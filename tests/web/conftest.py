"""The service of the API's tests, listening on a real port."""

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from tests.api.conftest import Service, clock, installation, made_once, service, settings

__all__ = ["clock", "installation", "made_once", "service", "settings"]


@pytest.fixture
def address(service: Service) -> Iterator[str]:
    """The address of the service under test."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(service.http.app, log_config=None, access_log=False, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listening.close()
