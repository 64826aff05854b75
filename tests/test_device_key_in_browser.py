"""A real browser's WebAuthn, with Chromium's virtual authenticator: what it makes and signs is what we take."""

from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from faceauth.binding import Binding
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.identity.signed import webauthn_challenge
from faceauth.identity.webauthn_keys import relying_party
from tests.databases import Databases
from tests.devices import message_of, pack
from tests.service import RED, Service, frames
from tests.web.conftest import listening, visited, with_passkeys

pytestmark = pytest.mark.browser

CREATE = """async (options) => {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return (await navigator.credentials.create({ publicKey })).toJSON();
}"""

GET = """async ({ challenge, rpId }) => {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON({ challenge, rpId });
  return (await navigator.credentials.get({ publicKey })).toJSON();
}"""


@pytest.fixture
def database(sqlite_database: Databases) -> Databases:
    return sqlite_database


def test_a_browsers_key_is_bound_and_signs_a_session(enrolled: Service, browser: Browser) -> None:
    """R17: without a list of credentials, for the challenge names none (R25)."""
    page_alone = Starlette(routes=[Route("/", lambda _: HTMLResponse("<title>A page</title>"))])
    with listening(page_alone) as address, visited(browser) as page:
        origin = address.replace("127.0.0.1", "localhost")
        page.goto(origin)
        with_passkeys(page)
        party = relying_party(origin)
        installation = enrolled.installation
        proving = replace(installation.pipeline.proving, relying_party=party)
        pipeline = replace(installation.pipeline, proving=proving)
        binding = Binding.of(replace(installation, relying_party=party))
        who: dict[str, Any] = {"tenant": DEFAULT_TENANT, "account": "anna"}
        made = page.evaluate(CREATE, dict(binding.ask(**who, kind="webauthn").options or {}))
        bound = binding.bind_webauthn(
            made, **who, label="Chromium", reauthenticated_at=enrolled.clock(), actor="test"
        )
        assert (bound.kind, bound.attestation, bound.hardware) == ("webauthn", "none", False)
        for seed in (1, 2):
            opened = enrolled.open("verify")
            parts = frames(RED, seed=500 + seed)
            timeline = [{"step": opened.challenge.steps[0].id, "t_ms": 80 * n} for n in range(len(parts))]
            challenge = pack(webauthn_challenge(message_of(opened, parts, timeline)))
            assertion = page.evaluate(GET, {"challenge": challenge, "rpId": party.rp_id})
            signature = {"kind": "webauthn", "assertion": assertion}
            answer = pipeline.submit(opened.session_id, opened.client_token, parts, timeline, signature=signature)
            assert answer.state == "accepted"
            view = installation.desk.view(tenant=DEFAULT_TENANT, session_id=opened.session_id)
            assert view.amr == ("face", "swk", "mfa")
