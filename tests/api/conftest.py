"""A whole installation without models: everything is real but the judging of frames."""

import dataclasses
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from unittest.mock import MagicMock

import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

import faceauth.assembly
import faceauth.installation
from faceauth.api.app import create_app
from faceauth.capture.session import CaptureSession, SessionStore
from faceauth.db.tenants import DEFAULT_TENANT, ensure_tenant
from faceauth.errors import Denied
from faceauth.identity.apikeys import ROLES
from faceauth.installation import Installation, create_installation, open_installation
from faceauth.pipeline import Pipeline, SessionAnswer
from faceauth.sameness import Way
from faceauth.settings import Settings
from tests.api.client import TestClient
from tests.clocks import HandClock

OTHER_TENANT = "other"


@dataclass
class FakePipeline:
    """Answers what a test told it, and remembers what it was asked."""

    answers: list[SessionAnswer | Exception] = field(default_factory=list)
    asked: list[tuple[str, str, tuple[bytes, ...], object]] = field(default_factory=list)
    chains: list[object] = field(default_factory=list)
    signatures: list[object] = field(default_factory=list)
    sessions: SessionStore = field(default_factory=SessionStore)
    judge: Callable[[], None] = lambda: None

    def submit(
        self,
        session_id: str,
        client_token: str,
        parts: Sequence[bytes],
        timeline: object,
        chain: object = None,
        *,
        signature: object = None,
        way: Way,
    ) -> SessionAnswer:
        assert way.denied is None
        self.chains.append(chain)
        self.signatures.append(signature)
        self.asked.append((session_id, client_token, tuple(parts), timeline))
        self.judge()
        answer = self.answers.pop(0) if self.answers else SessionAnswer("denied")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def refuse(self, _session: CaptureSession, denied: Denied) -> SessionAnswer:
        raise AssertionError(denied)


@dataclass
class Service:
    """The app under test with a client for each kind of caller."""

    installation: Installation
    pipeline: FakePipeline
    clock: HandClock
    http: TestClient
    secrets: dict[str, str]

    @property
    def app(self) -> FastAPI:
        assert isinstance(self.http.app, FastAPI)
        return self.http.app

    def as_role(self, role: str = "application") -> dict[str, str]:
        """Headers of a caller; ``other`` is an application of another tenant."""
        return {"Authorization": f"Bearer {self.secrets[role]}"}

    def call(self, method: str, path: str, *, role: str = "application", **more: Any) -> Any:
        headers = self.as_role(role) | more.pop("headers", {})
        return self.http.request(method, path, headers=headers, **more)

    def account(self, account: str = "anna") -> str:
        """Make an account and return its path."""
        assert self.call("PUT", f"/v1/accounts/{account}", json={}).status_code == 200
        return f"/v1/accounts/{account}"

    def consent(self, account: str = "anna", decision: str = "given") -> dict[str, Any]:
        """Record an answer to the notice that is in force; returns the body that was sent."""
        notice = self.call("GET", "/v1/scenarios").json()["scenarios"][0]["notice"]
        locale = "en" if "en" in notice["texts"] else min(notice["texts"])
        body = {
            "scenario": "login",
            "notice_version": notice["version"],
            "notice_sha256": notice["texts"][locale]["sha256"],
            "locale": locale,
            "decision": decision,
            "affirmation": {"method": "checkbox", "checked_by_default": False, "text": "Yes"},
        }
        answer = self.call("POST", f"/v1/accounts/{account}/consents", json=body)
        assert answer.status_code == 201, answer.text
        return body

    def session(self, account: str = "anna", purpose: str = "verify", **more: Any) -> dict[str, Any]:
        """Open a session for someone who agreed."""
        self.account(account)
        self.consent(account)
        body = {"purpose": purpose, "scenario": "login", "account_id": account, **more}
        answer = self.call("POST", "/v1/sessions", json=body)
        assert answer.status_code == 201, answer.text
        opened: dict[str, Any] = answer.json()
        return opened

    def post_frames(self, opened: dict[str, Any], frames: Sequence[bytes] = (b"one",), **more: Any) -> Any:
        """Post frames as a device would."""
        files = [("frames", (f"{n}.jpg", frame, "image/jpeg")) for n, frame in enumerate(frames)]
        timeline = more.pop("timeline", '[{"step": "s1", "t_ms": 0}]')
        token = more.pop("token", opened["client_token"])
        return self.http.post(
            f"/v1/sessions/{opened['session_id']}/frames",
            files=files,
            data={"timeline": timeline},
            headers={"Authorization": f"Bearer {token}"},
            **more,
        )


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a fresh installation to copy: making one migrates two databases."""
    folder = tmp_path_factory.mktemp("installation")
    create_installation(Settings(data_dir=folder / "data"), clock=HandClock())
    return folder


@pytest.fixture
def settings(made_once: Path, tmp_path: Path) -> Settings:
    shutil.copytree(made_once, tmp_path, dirs_exist_ok=True)
    return Settings(data_dir=tmp_path / "data", cors_origins=["https://shop.example"])


@pytest.fixture
def installation(settings: Settings, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """An opened installation whose model pack is a stand-in: no test here looks at a face."""
    pack = MagicMock(decision_digest=b"")
    pack.name, pack.embedder.model_digest, pack.embedder.operating_points = "stand-in", bytes(32), {}
    monkeypatch.setattr(faceauth.installation, "load_pack", lambda *_: pack)
    monkeypatch.setattr(faceauth.assembly, "build_detector", lambda *_: None)
    opened = open_installation(settings, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def service(installation: Installation, clock: HandClock) -> Iterator[Service]:
    """The app over that installation, with a key for each role and one of another tenant."""
    pipeline = FakePipeline()
    installation = dataclasses.replace(installation, pipeline=cast("Pipeline", pipeline))
    secrets: dict[str, str] = {}
    with installation.data.begin() as conn:
        for role in ROLES:
            secrets[role] = installation.apikeys.create(conn, tenant=DEFAULT_TENANT, role=role).secret
        ensure_tenant(conn, tenant=OTHER_TENANT, now=clock())
        installation.scenarios.install_builtin(conn, tenant=OTHER_TENANT, now=clock())
        secrets["other"] = installation.apikeys.create(conn, tenant=OTHER_TENANT, role="application").secret
    # Unconfigured, structlog would draw every traceback with its local variables, which takes seconds.
    with capture_logs(), TestClient(create_app(installation), raise_server_exceptions=False) as http:
        yield Service(installation, pipeline, clock, http, secrets)
