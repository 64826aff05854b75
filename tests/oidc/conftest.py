"""A relying party in tests: it sends a browser, a face is shown to doubles of the networks, a code is redeemed."""

import base64
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from structlog.testing import capture_logs

import faceauth.pipeline as pipeline_module
from faceauth.api.app import create_app
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.identity.apikeys import ROLES
from faceauth.oidc.clients import CreatedClient
from faceauth.openid import OpenId
from faceauth.vault.keyring import create_keyring, load_keyring
from tests import databases
from tests.api.client import TestClient
from tests.clocks import HandClock
from tests.service import RED, Service, everybody_is_live, frames, make_service

CALLBACK = "https://shop.example/callback"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # the example of RFC 7636, appendix B
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

Colour = tuple[int, int, int]


def parameters(location: str) -> dict[str, str]:
    """The query of an address."""
    return dict(parse_qsl(urlsplit(location).query))


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a token, unchecked."""
    body = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


@dataclass
class Begun:
    """A browser before the camera."""

    session_id: str
    client_token: str = field(repr=False)
    back: str


@dataclass
class Party:
    """The app under test, one browser, and one registered client."""

    service: Service
    http: TestClient
    made: CreatedClient
    keys: dict[str, str]
    seeds: int = 1000

    @property
    def client_id(self) -> str:
        return self.made.client.client_id

    @property
    def provider(self) -> OpenId:
        return OpenId.of(self.service.installation)

    def ask(self, **more: str | None) -> dict[str, str]:
        """Parameters of a good request; None leaves one out."""
        asked: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "state": "s-1",
            "nonce": "n-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "login_hint": "anna",
        }
        return {name: value for name, value in (asked | more).items() if value is not None}

    def authorize(self, **more: str | None) -> Any:
        return self.http.get("/oauth2/authorize", params=self.ask(**more))

    def begin(self, **more: str | None) -> Begun:
        return self.before_camera(self.authorize(**more))

    def before_camera(self, answer: Any) -> Begun:
        assert answer.status_code == 303, answer.text
        where = urlsplit(answer.headers["location"])
        assert where.path == "/ui/capture"
        given = {name: values[0] for name, values in parse_qs(where.fragment).items()}
        return Begun(given["session"], given["token"], given["return"])

    def show(self, begun: Begun, colour: Colour = RED) -> str:
        """Show a face, as the capture page does; return what the device is told."""
        self.seeds += 1
        step = self.service.installation.desk.challenge(begun.session_id, begun.client_token).steps[0].id
        parts = frames(colour, 2, seed=self.seeds)
        timeline = [{"step": step, "t_ms": 80 * number} for number in range(len(parts))]
        submit = self.service.installation.pipeline.submit
        return submit(begun.session_id, begun.client_token, parts, timeline).state

    def finish(self, begun: Begun) -> dict[str, str]:
        """Go on from the camera, and return what the client is told."""
        answer = self.http.get(begun.back)
        assert answer.status_code == 303, answer.text
        return parameters(answer.headers["location"])

    def log_in(self, **more: str | None) -> str:
        """Go the whole way; return the code."""
        begun = self.begin(**more)
        assert self.show(begun) == "accepted"
        return self.finish(begun)["code"]

    def post(self, path: str, **form: str | None) -> Any:
        """Post a form as the client, with its secret."""
        sent = {name: value for name, value in form.items() if value is not None}
        secret = self.made.secret
        if secret is None:
            return self.http.post(path, data={"client_id": self.client_id, **sent})
        return self.http.post(path, data=sent, auth=(self.client_id, secret))

    def redeem(self, code: str, **more: str | None) -> Any:
        form: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        return self.post("/oauth2/token", **form | more)

    def refresh(self, token: str, **more: str | None) -> Any:
        return self.post("/oauth2/token", grant_type="refresh_token", refresh_token=token, **more)

    def tokens(self, **more: str | None) -> dict[str, Any]:
        """Go the whole way and redeem the code."""
        answer = self.redeem(self.log_in(**more))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def userinfo(self, token: str) -> Any:
        return self.http.get("/oauth2/userinfo", headers={"Authorization": f"Bearer {token}"})

    def register(self, **more: Any) -> CreatedClient:
        """Register another client."""
        told: dict[str, Any] = {"name": "The shop", "scenario": "login", "redirect_uris": [CALLBACK]} | more
        with self.service.installation.data.begin() as conn:
            return self.provider.clients.create(conn, tenant=DEFAULT_TENANT, **told)

    def as_client(self, **more: Any) -> "Party":
        """The same browser, for another client."""
        return Party(self.service, self.http, self.register(**more), self.keys, self.seeds + 1000)

    def call(self, method: str, path: str, role: str = "application", **more: Any) -> Any:
        """Call as a backend or an administrator."""
        headers = {"Authorization": f"Bearer {self.keys[role]}"}
        return self.http.request(method, path, headers=headers, **more)

    def events(self) -> list[str]:
        """What the audit log says of the account, oldest first."""
        with self.service.installation.data.read() as conn:
            found = self.service.installation.audit.activity(conn, tenant=DEFAULT_TENANT, account="anna")
        return [str(one.event) for one in found]


def enrol(template: Path, folder: Path, clock: HandClock) -> Path:
    """Make a folder with Anna enrolled: a pair of databases, and the keyring."""
    with pytest.MonkeyPatch.context() as patch, databases.copied_sqlite(template, folder) as pair:
        patch.setattr(pipeline_module, "judge", everybody_is_live)
        service = make_service(pair, create_keyring(folder / "keyring", now=clock()), folder, clock)
        service.agree()
        assert service.post(service.open("enrol")).state == "accepted"
        for database in pair:
            database.truncate_wal()
    return folder


@pytest.fixture(scope="session")
def enrolled_once(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Anna enrolled, to copy: showing a face takes longer than all else."""
    return enrol(sqlite_template, tmp_path_factory.mktemp("enrolled"), HandClock())


@pytest.fixture
def enrolled(
    enrolled_once: Path, tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    """Anna, enrolled, on SQLite: what hangs on the kind of database has tests of its own."""
    monkeypatch.setattr(pipeline_module, "judge", everybody_is_live)
    folder = tmp_path / "here"
    shutil.copytree(enrolled_once, folder)
    pair = databases.sqlite(folder)
    service = make_service(pair, load_keyring(folder / "keyring"), folder, clock)
    service._seeds = 100
    service.installation.filling.run()
    yield service
    databases.dispose(pair)


@pytest.fixture
def party(enrolled: Service) -> Iterator[Party]:
    """A confidential client that may not refresh."""
    installation = enrolled.installation
    with installation.data.begin() as conn:
        keys: dict[str, str] = {
            role: installation.apikeys.create(conn, tenant=DEFAULT_TENANT, role=role).secret for role in ROLES
        }
        made = OpenId.of(installation).clients.create(
            conn,
            tenant=DEFAULT_TENANT,
            name="The shop",
            scenario="login",
            redirect_uris=[CALLBACK],
            post_logout_redirect_uris=["https://shop.example/bye"],
        )
    app = create_app(installation)
    with capture_logs(), TestClient(app, follow_redirects=False, raise_server_exceptions=False) as http:
        yield Party(enrolled, http, made, keys)
