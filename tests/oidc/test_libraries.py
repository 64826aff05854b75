"""Relying parties on other people's libraries, against the provider on a real port: Authlib and openid-client."""

import importlib.util
import itertools
import json
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
import uvicorn
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet
from starlette.types import ASGIApp, Receive, Scope, Send

import faceauth.pipeline as pipeline_module
from faceauth.api.app import create_app
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.oidc.clients import CreatedClient
from faceauth.openid import OpenId
from faceauth.settings import Settings
from faceauth.vault.keyring import load_keyring
from tests import databases
from tests.api.client import TestClient
from tests.clocks import HandClock
from tests.conftest import ROOT
from tests.oidc.conftest import CALLBACK, enrol, parameters
from tests.service import RED, everybody_is_live, frames, make_service

SEEDS = itertools.count(1000)
"""Pictures that were shown before would be told as a replay."""

BYE = "https://shop.example/bye"
PACKAGES = ROOT / ".cache" / "js"
"""Where `make test` puts openid-client."""


@dataclass
class Served:
    """A provider on a real port, and a client of it that may refresh."""

    address: str
    made: CreatedClient

    @property
    def credentials(self) -> tuple[str, str]:
        assert self.made.secret is not None
        return self.made.client.client_id, self.made.secret

    def browse(self, url: str) -> str:
        """Go where a client sends the browser, show a face, and return where the browser ends."""
        with httpx.Client() as browser:
            capture = urlsplit(browser.get(url).headers["location"])
            given = {name: values[0] for name, values in parse_qs(capture.fragment).items()}
            session = urljoin(self.address, f"/v1/sessions/{given['session']}")
            headers = {"Authorization": f"Bearer {given['token']}"}
            step = browser.get(f"{session}/challenge", headers=headers).json()["steps"][0]["id"]
            parts = frames(RED, seed=next(SEEDS))
            timeline = json.dumps([{"step": step, "t_ms": 80 * number} for number in range(len(parts))])
            files = [("frames", (f"{n}.jpg", part, "image/jpeg")) for n, part in enumerate(parts)]
            told = browser.post(f"{session}/frames", headers=headers, files=files, data={"timeline": timeline})
            assert told.json()["state"] == "accepted", told.text
            return browser.get(urljoin(self.address, given["return"])).headers["location"]


@pytest.fixture(scope="module")
def served(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    # The libraries look at the time themselves.
    clock = HandClock(datetime.now(UTC))
    folder = enrol(sqlite_template, tmp_path_factory.mktemp("served") / "here", clock)
    pair = databases.sqlite(folder)
    port = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{port.getsockname()[1]}"
    settings = Settings(data_dir=folder, models_dir=folder, issuer=address)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline_module, "judge", everybody_is_live)
        installation = make_service(
            pair, load_keyring(folder / "keyring"), folder, clock, settings=settings
        ).installation
        with installation.data.begin() as conn:
            made = OpenId.of(installation).clients.create(
                conn,
                tenant=DEFAULT_TENANT,
                name="The shop",
                scenario="login",
                redirect_uris=[CALLBACK],
                post_logout_redirect_uris=[BYE],
                offline=True,
            )
        config = uvicorn.Config(
            create_app(installation), log_config=None, access_log=False, lifespan="off", ws="none"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [port]}, daemon=True)
        thread.start()
        yield Served(address, made)
        server.should_exit = True
        thread.join(10)
        port.close()
    databases.dispose(pair)


def test_with_authlib(served: Served) -> None:
    """Its client, its check of the ID Token, its refreshing and revoking."""
    told = httpx.get(f"{served.address}/.well-known/openid-configuration").json()
    client_id, secret = served.credentials
    verifier, nonce = "v" * 64, "n-authlib"
    with OAuth2Client(
        client_id,
        secret,
        scope="openid offline_access",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        revocation_endpoint=told["revocation_endpoint"],
    ) as client:
        url, state = client.create_authorization_url(
            told["authorization_endpoint"], code_verifier=verifier, nonce=nonce, login_hint="anna"
        )
        back = served.browse(url)
        tokens: Any = client.fetch_token(
            told["token_endpoint"], authorization_response=back, code_verifier=verifier, state=state
        )
        assert parameters(back)["iss"] == told["issuer"]
        keys = KeySet.import_key_set(httpx.get(told["jwks_uri"]).json())
        found = jwt.decode(tokens["id_token"], keys, algorithms=["ES256"])
        wanted = {"iss": {"values": [told["issuer"]]}, "aud": {"values": [client_id]}}
        request = {"nonce": nonce, "client_id": client_id, "access_token": tokens["access_token"], "max_age": 60}
        CodeIDToken(found.claims, found.header, wanted, request).validate()
        assert client.get(told["userinfo_endpoint"]).json() == {"sub": "anna"}

        again: Any = client.refresh_token(told["token_endpoint"], tokens["refresh_token"])
        assert again["refresh_token"] != tokens["refresh_token"]
        assert client.get(told["userinfo_endpoint"]).status_code == 200
        assert client.revoke_token(told["revocation_endpoint"], again["refresh_token"]).status_code == 200
        assert client.get(told["userinfo_endpoint"]).status_code == 401


def test_with_openid_client(served: Served) -> None:
    """The JavaScript library openid-client: discovery, PKCE, state, nonce, iss, max_age, refresh, logout."""
    node = shutil.which("node")
    if node is None or not (PACKAGES / "node_modules" / "openid-client").is_dir():
        pytest.skip("needs Node.js and openid-client: make test installs the latter where npm is")
    source = (ROOT / "tests" / "oidc" / "relying_party" / "relying_party.mjs").read_text(encoding="utf-8")
    call = [node, "--input-type=module", "--eval", source, served.address, *served.credentials, CALLBACK, "anna"]
    with subprocess.Popen(
        call, cwd=PACKAGES, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as party:
        assert party.stdout is not None
        url = party.stdout.readline().strip()
        out, err = party.communicate(served.browse(url) + "\n" if url else None, timeout=60)
    assert party.returncode == 0, err
    learnt = json.loads(out)
    assert learnt["claims"]["sub"] == learnt["userinfo"]["sub"] == learnt["again"]["sub"] == "anna"
    assert learnt["claims"]["amr"] == ["face"]
    assert learnt["ended"] == "invalid_grant"
    assert httpx.get(learnt["logout"]).headers["location"] == BYE


class OneSession:
    """Keeps one browser's session in memory, as far as an application can tell."""

    def __init__(self, app: ASGIApp, secret_key: str) -> None:
        assert secret_key
        self._app = app
        self._session: dict[str, Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["session"] = self._session
        await self._app(scope, receive, send)


def test_the_example_of_a_relying_party(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """`examples/openid`, run: it lets Anna in, and nobody with an answer to another's request."""
    # Starlette's own sessions need a package that nothing else here needs.
    kept = SimpleNamespace(SessionMiddleware=OneSession)
    monkeypatch.setitem(sys.modules, "starlette.middleware.sessions", kept)
    client_id, secret = served.credentials
    for name, value in {"FACEAUTH_URL": served.address, "CLIENT_ID": client_id, "CLIENT_SECRET": secret}.items():
        monkeypatch.setenv(name, value)
    spec = importlib.util.spec_from_file_location("openid_example", ROOT / "examples" / "openid" / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with TestClient(module.app, base_url="https://shop.example", follow_redirects=False) as browser:
        assert "Sign in with your face" in browser.get("/").text
        sent = browser.get("/login", params={"name": "anna"}).headers["location"]
        back = served.browse(sent)
        assert browser.get(back.replace("state=", "state=x")).status_code == 403
        assert browser.get(back).status_code == 303
        assert "You are in." in browser.get("/").text
