"""The outbox: what is written with an act is delivered at least once, and goes with its account."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import Connection, delete

from faceauth.db.schema import accounts
from faceauth.db.tenants import DEFAULT_TENANT, ensure_tenant
from faceauth.errors import UnknownEndpoint
from faceauth.outbox.endpoints import Endpoints
from faceauth.outbox.messages import KEPT_DEAD, KEPT_DELIVERED, Message, Outbox, message_id_of
from tests.clocks import HandClock
from tests.databases import Databases

LEASE = timedelta(seconds=60)


@pytest.fixture
def box(database: Databases, clock: HandClock) -> Outbox:
    """An outbox with one endpoint."""
    with database.data.begin() as conn:
        ensure_tenant(conn, tenant=DEFAULT_TENANT, now=clock())
        add(conn, clock, "ep_1")
    return Outbox()


def add(conn: Connection, clock: HandClock, endpoint_id: str) -> None:
    Endpoints().add(
        conn,
        endpoint_id=endpoint_id,
        tenant=DEFAULT_TENANT,
        url="https://shop.example/hook",
        salt=bytes(32),
        now=clock(),
    )


def put(conn: Connection, clock: HandClock, key: str = "1", account: str | None = None) -> str | None:
    told = {"scenario": "login"}
    return Outbox().put(
        conn, tenant=DEFAULT_TENANT, kind="consent.requested", key=key, data=told, account=account, now=clock()
    )


def claim(database: Databases, clock: HandClock) -> tuple[Message, ...]:
    with database.data.begin() as conn:
        return Outbox().claim(conn, now=clock(), lease=LEASE, most=10)


def test_a_message_goes_to_every_endpoint_once(database: Databases, box: Outbox, clock: HandClock) -> None:
    """The same key makes the same message, whoever puts it again."""
    with database.data.begin() as conn:
        add(conn, clock, "ep_2")
        first = put(conn, clock)
        clock.forward(5)
        assert put(conn, clock) == first == message_id_of(DEFAULT_TENANT, "consent.requested", "1")
        found = box.list(conn, tenant=DEFAULT_TENANT)
    assert sorted(one.endpoint_id for one in found) == ["ep_1", "ep_2"]
    assert json.loads(found[0].body) == {
        "type": "consent.requested",
        "timestamp": "2026-03-01T12:00:00Z",
        "data": {"scenario": "login"},
    }


def test_a_message_is_gone_with_its_transaction(database: Databases, box: Outbox, clock: HandClock) -> None:
    def act() -> None:
        with database.data.begin() as conn:
            put(conn, clock)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        act()
    with database.data.read() as conn:
        assert box.list(conn, tenant=DEFAULT_TENANT) == ()


def test_without_an_endpoint_nothing_is_written(database: Databases, box: Outbox, clock: HandClock) -> None:
    with database.data.begin() as conn:
        Endpoints().remove(conn, "ep_1", tenant=DEFAULT_TENANT, now=clock())
        assert put(conn, clock) is None
        assert box.list(conn, tenant=DEFAULT_TENANT) == ()
        with pytest.raises(UnknownEndpoint):
            Endpoints().get(conn, "ep_1", tenant=DEFAULT_TENANT)


@pytest.mark.usefixtures("box")
def test_what_is_taken_is_taken_by_one_until_the_lease_ends(database: Databases, clock: HandClock) -> None:
    """A worker that dies leaves the message to the next."""
    with database.data.begin() as conn:
        put(conn, clock)
    (first,) = claim(database, clock)
    assert first.tries == 0
    assert claim(database, clock) == ()
    clock.forward(60)
    (again,) = claim(database, clock)
    assert (again.message_id, again.tries) == (first.message_id, 1)


def test_the_end_of_a_message(database: Databases, box: Outbox, clock: HandClock) -> None:
    """Delivered, tried again, given up, brought back; and deleted when its time is over."""
    with database.data.begin() as conn:
        for key in ("a", "b", "c"):
            put(conn, clock, key)
    a, b, c = claim(database, clock)
    with database.data.begin() as conn:
        box.delivered(conn, a, now=clock())
        box.retry(conn, b, due_at=clock() + timedelta(hours=1), problem="http_503")
        box.bury(conn, c, problem="http_410", now=clock())
        assert box.counts(conn, tenant=DEFAULT_TENANT) == {"pending": 1, "delivered": 1, "dead": 1}
        ids = [one.message_id for one in (a, b, c)]
        assert box.undelivered(conn, ids) == {b.message_id, c.message_id}
        assert box.replay(conn, tenant=DEFAULT_TENANT, now=clock()) == 1
        assert box.replay(conn, tenant="other", message_id=a.message_id, now=clock()) == 0
        assert box.replay(conn, tenant=DEFAULT_TENANT, message_id=a.message_id, now=clock()) == 1
    taken = claim(database, clock)
    assert {one.message_id for one in taken} == {a.message_id, c.message_id}
    with database.data.begin() as conn:
        box.delivered(conn, taken[0], now=clock())
        box.bury(conn, taken[1], problem="http_500", now=clock())
        assert box.clear(conn, now=clock() + KEPT_DELIVERED) == 1
        assert box.clear(conn, now=clock() + KEPT_DEAD) == 1
        assert [one.message_id for one in box.list(conn, tenant=DEFAULT_TENANT)] == [b.message_id]
        assert box.drop(conn, endpoint_id="ep_1") == 1


def test_what_is_told_of_a_person_goes_with_the_account(
    database: Databases, box: Outbox, clock: HandClock
) -> None:
    """R37: the database itself does it, and a delivery under way then settles nothing."""
    with database.data.begin() as conn:
        conn.execute(accounts.insert().values(tenant=DEFAULT_TENANT, account="anna", created_at=clock()))
        put(conn, clock, account="anna")
        put(conn, clock, "of nobody")
    taken = claim(database, clock)
    with database.data.begin() as conn:
        conn.execute(delete(accounts))
        for one in taken:
            box.delivered(conn, one, now=clock())
        assert [one.account for one in box.list(conn, tenant=DEFAULT_TENANT)] == [None]
