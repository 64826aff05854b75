"""API keys: shown once, kept as a digest, refused in one way."""

import os
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from faceauth.db.engine import Database
from faceauth.db.schema import api_keys, tenants
from faceauth.errors import InvalidRequest, NotAuthenticated, UnknownApiKey
from faceauth.identity.apikeys import ROLES, ApiKeys, Role
from tests.clocks import START, HandClock
from tests.databases import Databases


@pytest.fixture
def data(database: Databases) -> Database:
    """A database with the tenants ``shop`` and ``bank``."""
    with database.data.begin() as conn:
        for tenant in ("shop", "bank"):
            conn.execute(insert(tenants).values(tenant=tenant, created_at=START))
    return database.data


@pytest.fixture
def keys(clock: HandClock) -> ApiKeys:
    return ApiKeys(clock, os.urandom)


@pytest.mark.parametrize("role", ROLES)
def test_a_key_names_its_tenant_and_role(keys: ApiKeys, data: Database, role: Role) -> None:
    """R53: a key is one role of one tenant."""
    with data.begin() as conn:
        made = keys.create(conn, tenant="shop", role=role, label="checkout")
    with data.read() as conn:
        caller = keys.authenticate(conn, made.secret)
        (listed,) = keys.list(conn, "shop")
        assert keys.list(conn, "bank") == ()
    assert (caller.key_id, caller.tenant, caller.role) == (made.key_id, "shop", role)
    assert (listed.key_id, listed.role, listed.label, listed.revoked_at) == (made.key_id, role, "checkout", None)


def test_the_secret_is_random_and_stored_nowhere(keys: ApiKeys, data: Database) -> None:
    with data.begin() as conn:
        first, second = (keys.create(conn, tenant="shop", role="application") for _ in range(2))
        rows = conn.execute(select(api_keys)).all()
    assert first.secret != second.secret
    assert first.secret.startswith("fa_")
    assert len(first.secret) - len("fa_") >= 160 / 6  # base64 carries 6 bits a character; 160 bits at least
    assert first.secret not in repr(first)
    assert all(first.secret.encode() not in repr(row).encode() for row in rows)


def test_unknown_expired_and_revoked_look_the_same(keys: ApiKeys, data: Database, clock: HandClock) -> None:
    with data.begin() as conn:
        short = keys.create(conn, tenant="shop", role="application", expires_at=clock.now + timedelta(seconds=60))
        gone = keys.create(conn, tenant="shop", role="application")
        keys.authenticate(conn, short.secret)
        keys.authenticate(conn, gone.secret)
        keys.revoke(conn, gone.key_id)
        clock.forward(60)
        said = set()
        for secret in (short.secret, gone.secret, "fa_" + "A" * 43, "", gone.secret[:-1], "\ud800" * 0 + "é"):
            with pytest.raises(NotAuthenticated) as refused:
                keys.authenticate(conn, secret)
            said.add(str(refused.value))
    assert len(said) == 1


def test_revoking_twice_keeps_the_first_time(keys: ApiKeys, data: Database, clock: HandClock) -> None:
    with data.begin() as conn:
        made = keys.create(conn, tenant="shop", role="operator")
        keys.revoke(conn, made.key_id)
        first = clock.now
        clock.forward(5)
        keys.revoke(conn, made.key_id)
        assert keys.list(conn, "shop")[0].revoked_at == first
        with pytest.raises(UnknownApiKey):
            keys.revoke(conn, "key_none")


@pytest.mark.parametrize(
    "wrong",
    [
        {"tenant": "nobody"},
        {"role": "god"},
        {"label": "x" * 201},
        {"expires_at": "now"},
    ],
)
def test_refuses_keys_that_make_no_sense(
    keys: ApiKeys, data: Database, clock: HandClock, wrong: dict[str, Any]
) -> None:
    if wrong.get("expires_at"):
        wrong = {"expires_at": clock.now}
    asked: dict[str, Any] = {"tenant": "shop", "role": "application"} | wrong
    with data.begin() as conn, pytest.raises(InvalidRequest):
        keys.create(conn, **asked)


def test_a_rotated_key_and_its_successor_work_side_by_side_for_the_overlap(
    keys: ApiKeys, data: Database, clock: HandClock
) -> None:
    """R53: the role and the tenant stay what they were."""
    with data.begin() as conn:
        old = keys.create(conn, tenant="shop", role="privacy", label="desk")
        made, told = keys.rotate(conn, old.key_id, overlap=timedelta(hours=24))
        assert told.expires_at == clock.now + timedelta(hours=24)
        clock.forward(24 * 3600 - 1)
        assert {keys.authenticate(conn, one).role for one in (old.secret, made.secret)} == {"privacy"}
        clock.forward(1)
        with pytest.raises(NotAuthenticated):
            keys.authenticate(conn, old.secret)
        assert keys.authenticate(conn, made.secret).tenant == "shop"
        assert {one.label for one in keys.list(conn, "shop")} == {"desk"}


def test_rotating_lengthens_no_old_key_and_the_new_one_lives_as_long(
    keys: ApiKeys, data: Database, clock: HandClock
) -> None:
    with data.begin() as conn:
        ends = clock.now + timedelta(days=30)
        old = keys.create(conn, tenant="shop", role="application", expires_at=ends)
        clock.forward(29.5 * 86_400)
        made, told = keys.rotate(conn, old.key_id, overlap=timedelta(days=7))
        assert told.expires_at == ends
        (new,) = [one for one in keys.list(conn, "shop") if one.key_id == made.key_id]
        assert new.expires_at == clock.now + timedelta(days=30)
        now, told = keys.rotate(conn, made.key_id, overlap=timedelta())
        with pytest.raises(NotAuthenticated):
            keys.authenticate(conn, made.secret)
        assert keys.authenticate(conn, now.secret).role == "application"


def test_a_key_that_opens_nothing_is_not_rotated(keys: ApiKeys, data: Database, clock: HandClock) -> None:
    with data.begin() as conn:
        gone = keys.create(conn, tenant="shop", role="application")
        keys.revoke(conn, gone.key_id)
        short = keys.create(conn, tenant="shop", role="auditor", expires_at=clock.now + timedelta(seconds=1))
        good = keys.create(conn, tenant="shop", role="auditor")
        clock.forward(1)
        for key_id in (gone.key_id, short.key_id):
            with pytest.raises(InvalidRequest, match="opens nothing"):
                keys.rotate(conn, key_id, overlap=timedelta(hours=1))
        for overlap in (timedelta(seconds=-1), timedelta(days=31)):
            with pytest.raises(InvalidRequest, match="overlap"):
                keys.rotate(conn, good.key_id, overlap=overlap)
        with pytest.raises(UnknownApiKey):
            keys.rotate(conn, "key_none", overlap=timedelta())
        assert len(keys.list(conn, "shop")) == 3
