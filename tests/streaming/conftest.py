"""A service whose frames are judged by doubles, with its WebSocket."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from faceauth.api.app import create_app
from faceauth.api.streams import Streams
from faceauth.capture.faces import FaceReader
from faceauth.sessions import OpenedSession
from tests.api.client import TestClient
from tests.databases import Databases
from tests.service import TEMPLATE, Service
from tests.streaming.device import Device, Puppet


@dataclass
class Door:
    """A running service and its sockets."""

    service: Service
    http: TestClient
    puppet: Puppet
    streams: Streams

    def socket(self, opened: OpenedSession, **more: Any) -> AbstractContextManager[Any]:
        """Connect as the session's device."""
        headers = {"Authorization": f"Bearer {opened.client_token}", **more.pop("headers", {})}
        socket: AbstractContextManager[Any] = self.http.websocket_connect(
            f"/v1/sessions/{opened.session_id}/stream", headers=headers, **more
        )
        return socket

    def run(self, opened: OpenedSession, act: Callable[[Device], None] = Device.obey, **more: Any) -> str:
        """Stream a whole session and return its outcome."""
        with self.socket(opened) as socket:
            device = Device(socket, seed=1000 * hash(opened.session_id) % 10**6, **more)
            device.begin()
            act(device)
            return device.wait()


@pytest.fixture
def database(sqlite_database: Databases) -> Databases:
    return sqlite_database


@pytest.fixture
def door(enrolled: Service) -> Iterator[Door]:
    puppet = Puppet()
    installation = enrolled.installation
    reader = FaceReader(puppet, TEMPLATE)
    enrolled.installation = replace(installation, pipeline=replace(installation.pipeline, reader=reader))
    app = create_app(enrolled.installation)
    with capture_logs(), TestClient(app) as http:
        yield Door(enrolled, http, puppet, app.state.streams)
