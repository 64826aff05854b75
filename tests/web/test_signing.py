"""The capture page signs what it sends: the service's own bytes, by whatever the page has for a signer."""

import re
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from faceauth.identity.signed import session_message, webauthn_challenge
from faceauth.identity.webauthn_keys import relying_party
from faceauth.liveness.challenge import challenge_from_wire
from faceauth.pipeline import SessionAnswer
from tests.api.conftest import Service
from tests.web.conftest import with_passkeys
from tests.web.test_capture_page import open_page
from tests.web.test_capture_stream import StreamedPipeline, streamed

pytestmark = pytest.mark.browser

__all__ = ["streamed"]

SIGNER = """() => {
  document.querySelector("face-capture").signer = async ({ message, challenge, policy }) =>
    ({ kind: "raw", message: [...message], challenge: [...challenge], policy });
}"""

CREATE = """async (options) => {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return (await navigator.credentials.create({ publicKey })).toJSON();
}"""


def told(page: Page, policy: str) -> dict[str, Any]:
    """Let the page be told one short step, and that policy."""
    steps = [{"id": "s1", "kind": "center", "min_ms": 100, "colours": []}]
    challenge = {"nonce": "q0z3Yw1m0cXhY0vE2b1nJw", "profile": "motion", "steps": steps, "device_key": policy}
    page.route(re.compile("/challenge$"), lambda route: route.fulfill(json=challenge))
    return challenge


def captured(page: Page, service: Service) -> tuple[Any, str]:
    """Capture and post; return what came as the signature, and as the chain."""
    page.locator("#start").click()
    expect(page.locator("#say")).to_contain_text("Done.", timeout=40_000)
    return service.pipeline.signatures[-1], str(service.pipeline.chains[-1])


def message_of(challenge: dict[str, Any], session_id: str, chain: str) -> bytes:
    nonce = urlsafe_b64decode(challenge["nonce"] + "==")
    return session_message(nonce=nonce, session_id=session_id, chain=bytes.fromhex(chain))


def test_a_page_of_ones_own_signs_with_what_it_has(page: Page, address: str, service: Service) -> None:
    """docs/devices.md: the message, and its SHA-256 for WebAuthn."""
    service.pipeline.answers = [SessionAnswer("accepted")]
    challenge = told(page, "preferred")
    opened = open_page(page, address, service)
    expect(page.locator("#start")).to_be_enabled()
    page.evaluate(SIGNER)
    signature, chain = captured(page, service)
    message = message_of(challenge, opened["session_id"], chain)
    assert bytes(signature["message"]) == message
    assert bytes(signature["challenge"]) == webauthn_challenge(message)
    assert signature["policy"] == "preferred"


def test_where_no_key_is_looked_at_nobody_is_asked(page: Page, address: str, service: Service) -> None:
    """And the hosted page asks nobody where one is only preferred."""
    service.pipeline.answers = [SessionAnswer("accepted"), SessionAnswer("accepted")]
    told(page, "preferred")
    open_page(page, address, service)
    expect(page.locator("#start")).to_be_enabled()
    assert captured(page, service)[0] is None
    page.goto("about:blank")
    told(page, "none")
    open_page(page, address, service)
    expect(page.locator("#start")).to_be_enabled()
    page.evaluate(SIGNER)
    assert captured(page, service)[0] is None


def test_the_hosted_page_signs_with_a_passkey_where_one_is_required(
    page: Page, address: str, service: Service
) -> None:
    """R17, with Chromium's virtual authenticator: what the page sends is what we check."""
    service.pipeline.answers = [SessionAnswer("accepted")]
    origin = address.replace("127.0.0.1", "localhost")
    party = relying_party(origin)
    challenge = told(page, "required")
    opened = open_page(page, origin, service)
    with_passkeys(page)
    wanted = party.options(challenge=bytes(32), user=b"anna", account="anna", known=[])
    made = party.register(page.evaluate(CREATE, wanted), expected_challenge=bytes(32))
    expect(page.locator("#start")).to_be_enabled()
    signature, chain = captured(page, service)
    message = message_of(challenge, opened["session_id"], chain)
    assert signature["kind"] == "webauthn"
    assert party.check(signature["assertion"], message, key=made.public_key) > 0


def test_a_streamed_capture_is_signed_as_the_service_has_it(
    page: Page, service: Service, streamed: tuple[StreamedPipeline, str]
) -> None:
    """Over the chain with so many frames as the service says; what was still on its way is not in it."""
    pipeline, address = streamed
    pipeline.answers = ["accepted"]
    opened = service.session()
    page.goto(f"{address}/ui/capture#session={opened['session_id']}&token={opened['client_token']}")
    expect(page.locator("#start")).to_be_enabled()
    page.evaluate(SIGNER)
    page.locator("#start").click()
    expect(page.locator("#say")).to_contain_text("Done.", timeout=60_000)
    (burst,) = pipeline.bursts
    signature: Any = burst.evidence.unverified_signature
    with service.installation.data.read() as conn:
        row = service.installation.desk.sessions.for_device(
            conn, session_id=opened["session_id"], client_token=opened["client_token"]
        )
    nonce = challenge_from_wire(row.challenge).nonce
    chain = burst.evidence.chain or b""
    assert bytes(signature["message"]) == session_message(
        nonce=nonce, session_id=opened["session_id"], chain=chain
    )
    assert signature["policy"] == "preferred"
