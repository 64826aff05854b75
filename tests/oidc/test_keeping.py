"""What the provider keeps ends by the clock, and with the consent, in the databases themselves."""

from typing import Any

import pytest
from sqlalchemy import func, select

from faceauth.db import openid_tables
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.oidc.clients import Client
from faceauth.oidc.grants import Grant
from faceauth.openid import OpenId
from faceauth.retention import Retention
from faceauth.schedule import schedule
from tests.oidc.conftest import CALLBACK, CHALLENGE, Party
from tests.service import Service


def count(service: Service, name: str) -> int:
    table: Any = getattr(openid_tables, name)
    with service.installation.data.read() as conn:
        return conn.scalar(select(func.count()).select_from(table)) or 0


def granted(service: Service) -> tuple[Client, Grant, str]:
    """Give a client a grant and its code, without a face: what ends it is asked here."""
    provider = OpenId.of(service.installation)
    with service.installation.data.begin() as conn:
        client = provider.clients.create(
            conn, tenant=DEFAULT_TENANT, name="The shop", scenario="login", redirect_uris=[CALLBACK], offline=True
        ).client
        gate = service.installation.desk.gate
        consent = gate.ask(conn, tenant=DEFAULT_TENANT, account="anna", scenario="login")
        grant = provider.grants.start(
            conn,
            client=client,
            account="anna",
            scenario="login",
            consent_id=consent.consent_id,
            scope="openid offline_access",
            nonce=None,
            auth_time=service.clock(),
            acr="urn:faceauth:acr:face",
            amr=("face",),
        )
        code = provider.grants.add_code(conn, grant, redirect_uri=CALLBACK, code_challenge=CHALLENGE)
        provider.grants.issue(conn, grant, "refresh", grant.scope)
    return client, grant, code


@pytest.mark.parametrize("end", ["withdrawn", "closed"])
def test_a_consent_takes_its_grants_along(service: Service, end: str) -> None:
    """On both databases: grants, codes and tokens are gone when the answer is given."""
    service.agree()
    granted(service)
    assert [count(service, name) for name in ("openid_grants", "openid_codes", "openid_tokens")] == [1, 1, 1]
    if end == "withdrawn":
        service.withdraw()
    else:
        service.installation.lifecycle.close_account(tenant=DEFAULT_TENANT, account="anna", actor="test")
    assert [count(service, name) for name in ("openid_grants", "openid_codes", "openid_tokens")] == [0, 0, 0]


def test_a_code_is_used_once_whoever_is_first(service: Service) -> None:
    """On both databases: the row tells the first use from the second."""
    service.agree()
    client, grant, code = granted(service)
    grants = OpenId.of(service.installation).grants
    with service.installation.data.begin() as conn:
        first = grants.use_code(conn, code, client)
    with service.installation.data.begin() as conn:
        second = grants.use_code(conn, code, client)
    assert first is not None
    assert second is not None
    assert (first.reused, second.reused, first.grant) == (False, True, grant)


def test_links_and_clients_keep_to_their_rules(service: Service) -> None:
    """On both databases: a link goes with its account, a revoked client with all it was given."""
    service.agree()
    client, _, _ = granted(service)
    with service.installation.data.begin() as conn:
        OpenId.of(service.installation).clients.revoke(conn, DEFAULT_TENANT, client.client_id)
    assert [count(service, name) for name in ("openid_clients", "openid_grants")] == [1, 0]


def test_the_retention_forgets_what_is_over(party: Party) -> None:
    """R39: a login that nobody ended, and a grant whose time is over."""
    party.begin()
    party.tokens()
    into = party.service.installation
    Retention.of(into).run()
    assert [count(party.service, name) for name in ("openid_requests", "openid_grants")] == [1, 1]
    party.service.clock.forward(601)
    Retention.of(into).run()
    assert [count(party.service, name) for name in ("openid_requests", "openid_grants")] == [0, 0]


def test_the_schedule_tells_it(party: Party) -> None:
    told = {term.what: term.how_long for term in schedule(party.service.installation)}
    assert told["Which applications were told of a login"].startswith("6 minutes")
    assert told["Accounts of yours elsewhere, as the application told them"] == "As long as the account"
