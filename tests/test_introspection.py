"""Tokens after they were made: introspected, revoked, ended by withdrawal and by closure (R18, R33)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from faceauth.audit.events import Event
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.introspection import Introspection
from tests.service import Service


@pytest.fixture
def introspection(enrolled: Service) -> Introspection:
    return Introspection.of(enrolled.installation)


def log_in(service: Service) -> str:
    """Return the token of a fresh login."""
    opened = service.open("verify")
    assert service.post(opened).state == "accepted"
    view = service.installation.desk.view(tenant=DEFAULT_TENANT, session_id=opened.session_id)
    assert view.id_token is not None
    return view.id_token


def holds(introspection: Introspection, token: str, *, tenant: str = DEFAULT_TENANT, once: bool = False) -> bool:
    return introspection.introspect(token, tenant=tenant, once=once) is not None


def test_a_fresh_one_holds_for_whom_it_was_made(enrolled: Service, introspection: Introspection) -> None:
    token = log_in(enrolled)
    claims = introspection.introspect(token, tenant=DEFAULT_TENANT)
    assert claims is not None
    assert (claims.account, claims.amr, claims.scenario) == ("anna", ("face",), "login")
    assert claims.expires_at - claims.auth_time == timedelta(minutes=5)
    assert not holds(introspection, token, tenant="another")


def test_what_is_no_token_of_ours_holds_nothing(enrolled: Service, introspection: Introspection) -> None:
    """R18: altered, expired, a receipt, no token at all."""
    token = log_in(enrolled)
    receipt = enrolled.installation.signer.sign({"sub": "anna"}, typ="consent-receipt+jwt")
    for other in (token[:-6] + "AAAAAA", receipt, "", "a.b.c", "x" * 10_000):
        assert not holds(introspection, other)
    enrolled.clock.forward(300)
    assert not holds(introspection, token)


def test_withdrawing_ends_it_at_once(enrolled: Service, introspection: Introspection) -> None:
    """Issue 7: within a second; here within none, for the clock stands still."""
    token = log_in(enrolled)
    enrolled.withdraw()
    assert not holds(introspection, token)
    # Agreeing again is another consent: what was proven under the one before stays over.
    enrolled.clock.forward(1)
    enrolled.agree()
    assert not holds(introspection, token)


def test_a_backend_that_asks_after_a_withdrawal_gets_no_token(enrolled: Service) -> None:
    opened = enrolled.open("verify")
    enrolled.post(opened)
    enrolled.withdraw()
    view = enrolled.installation.desk.view(tenant=DEFAULT_TENANT, session_id=opened.session_id)
    assert (view.session.state, view.id_token) == ("accepted", None)


def test_closing_the_account_ends_it_at_once(enrolled: Service, introspection: Introspection) -> None:
    token = log_in(enrolled)
    enrolled.installation.lifecycle.close_account(tenant=DEFAULT_TENANT, account="anna", actor="test")
    assert not holds(introspection, token)


def test_revoking_ends_it_and_that_one_alone(enrolled: Service, introspection: Introspection) -> None:
    one, other = log_in(enrolled), log_in(enrolled)
    introspection.revoke(one, tenant="another", actor="test")
    assert holds(introspection, one)
    introspection.revoke("nonsense", tenant=DEFAULT_TENANT, actor="test")
    for _ in range(2):
        introspection.revoke(one, tenant=DEFAULT_TENANT, actor="test")
    assert not holds(introspection, one)
    assert holds(introspection, other)
    with enrolled.installation.data.read() as conn:
        told = enrolled.installation.audit.activity(conn, DEFAULT_TENANT, "anna")
    assert [one.event for one in told].count(Event.SESSION_REVOKED) == 1


def test_once_means_once(enrolled: Service, introspection: Introspection) -> None:
    """R18: `jti` single use; of many at the same time one gets the answer."""
    token = log_in(enrolled)
    assert holds(introspection, token)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: holds(introspection, token, once=True), range(16)))
    assert found.count(True) == 1
    assert not holds(introspection, token)
