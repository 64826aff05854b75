"""docs/devices.md: the device in Python that it shows binds a key, and signs what the service checks."""

import re
from typing import Any

import pytest

from faceauth.api.wire.sessions import ChallengeAnswer
from faceauth.binding import Binding
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.liveness.transaction import make_transaction
from tests.conftest import ROOT
from tests.databases import Databases
from tests.devices import pack
from tests.service import RED, Service, frames


@pytest.fixture
def database(sqlite_database: Databases) -> Databases:
    return sqlite_database


@pytest.fixture
def shown() -> dict[str, Any]:
    """What the page's example defines."""
    text = (ROOT / "docs" / "devices.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    defined: dict[str, Any] = {}
    exec(compile(block, "docs/devices.md", "exec"), defined)  # noqa: S102  our own page
    return defined


@pytest.mark.parametrize("text", [None, "Pay 30.00 EUR to Bea's Books"])
def test_the_device_that_the_page_shows_is_believed(
    enrolled: Service, shown: dict[str, Any], text: str | None
) -> None:
    """R17: from the binding to a token with two factors, for a transaction too."""
    installation = enrolled.installation
    binding = Binding.of(installation)
    who: dict[str, Any] = {"tenant": DEFAULT_TENANT, "account": "anna"}
    asked = binding.ask(**who, kind="raw")
    numbers = shown["key"].public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "x": pack(numbers.x.to_bytes(32)), "y": pack(numbers.y.to_bytes(32))}
    bound = binding.bind_raw(
        jwk,
        shown["answer_binding"](pack(asked.challenge)),
        **who,
        label="The page's",
        reauthenticated_at=enrolled.clock(),
        actor="test",
    )
    opened = installation.desk.open(
        **who,
        purpose="verify",
        scenario="login",
        reauthenticated_at=None,
        actor="test",
        transaction=None if text is None else make_transaction(text),
    )
    challenge = ChallengeAnswer.of(opened.challenge).model_dump(mode="json")
    parts = frames(RED, seed=4242)
    timeline = [{"step": challenge["steps"][0]["id"], "t_ms": 80 * number} for number in range(len(parts))]
    pairs = [(80 * number, jpeg) for number, jpeg in enumerate(parts)]
    signature = shown["answer_session"](opened.session_id, challenge, pairs, bound.device_id)
    submit = installation.pipeline.submit
    assert submit(opened.session_id, opened.client_token, parts, timeline, signature=signature).state == "accepted"
    view = installation.desk.view(tenant=DEFAULT_TENANT, session_id=opened.session_id)
    assert view.amr == ("face", "swk", "mfa")
