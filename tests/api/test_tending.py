"""A stuck erasure goes on while the service runs, without a restart."""

import asyncio

import pytest
from fastapi.testclient import TestClient

from faceauth.api import app as app_module
from faceauth.api.app import create_app
from faceauth.api.tending import EVERY_S
from faceauth.errors import StorageError
from tests.api.conftest import Service
from tests.clocks import tending
from tests.service import failing


def test_trouble_with_the_database_does_not_end_it() -> None:
    class Failing:
        resume = staticmethod(failing(StorageError("down")))

    assert tending(Failing(), 3) == [EVERY_S] * 3


def test_the_app_tends_while_it_lives(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """And it stops with the app, without a task left behind."""
    seen: list[object] = []

    async def once(erasure: object) -> None:
        seen.append(erasure)
        await asyncio.Event().wait()

    monkeypatch.setattr(app_module, "tend", once)
    with TestClient(create_app(service.installation)) as client:
        assert client.get("/healthz").status_code == 200
    assert seen == [service.installation.erasure]
