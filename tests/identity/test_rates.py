"""How many requests the OpenID provider takes in a minute, on SQLite and PostgreSQL (R59)."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from faceauth.db.attempt_tables import place_attempts
from faceauth.db.engine import Database
from faceauth.identity.limits import LIMITS
from faceauth.identity.places import Places
from faceauth.identity.rates import RateLimits, RateProfile, Rates, What
from tests.clocks import HandClock
from tests.databases import Databases

KEY = b"k" * 32
HERE, THERE = "8.8.8.8", "9.9.9.9"
FEW = RateProfile(
    authorize=RateLimits(network=3, client=5), token=RateLimits(network=4, client=6), source="this test"
)


class Door:
    """Asks, each time in a transaction of its own."""

    def __init__(self, data: Database, clock: HandClock, *, connections: bool = True) -> None:
        self.data = data
        places = Places(clock, KEY, LIMITS["nist-63b-4"].places, connections=connections)
        self.rates = Rates(clock, KEY, FEW, places)

    def ask(self, address: str | None = HERE, client_id: str | None = "shop", what: What = "authorize") -> bool:
        with self.data.begin() as conn:
            return self.rates.admit(conn, what, address=address, client_id=client_id)

    def let_in(self, count: int, address: str | None = HERE, client_id: str | None = "shop") -> int:
        return sum(self.ask(address, client_id) for _ in range(count))


@pytest.fixture
def door(database: Databases, clock: HandClock) -> Door:
    return Door(database.data, clock)


def test_a_network_has_so_many_in_a_minute(door: Door, clock: HandClock) -> None:
    assert door.let_in(5) == 3
    assert not door.ask(client_id="another client")
    assert door.ask(THERE)
    assert door.ask(what="token")
    clock.forward(59)
    assert not door.ask()
    clock.forward(1)
    assert door.let_in(5) == 3


def test_a_client_has_so_many_from_everywhere(door: Door) -> None:
    assert [door.let_in(3, f"8.8.8.{last}") for last in (1, 2, 3)] == [3, 2, 0]
    assert door.ask(THERE, "another client")


def test_one_network_does_not_use_up_what_a_client_has(door: Door) -> None:
    assert door.let_in(100) == 3
    assert door.let_in(2, THERE) == 2


def test_an_address_that_is_no_network_counts_for_the_client_alone(door: Door) -> None:
    """A proxy's stands for everybody."""
    assert door.let_in(10, "10.0.0.1") == 5
    assert door.let_in(10, None, None) == 10


def test_where_the_application_alone_tells_networks_connections_are_none(
    database: Databases, clock: HandClock
) -> None:
    assert Door(database.data, clock, connections=False).let_in(10) == 5


def test_a_clock_that_was_set_back_shuts_nobody_out(door: Door, clock: HandClock) -> None:
    door.let_in(4)
    clock.forward(-3600)
    assert door.ask()


def test_asking_at_once_gives_no_more(door: Door) -> None:
    """R11's like: the count is taken under a lock."""
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: door.ask(), range(20))) == 3


def test_no_address_and_no_client_is_kept(door: Door) -> None:
    door.ask()
    with door.data.read() as conn:
        rows = conn.execute(select(place_attempts)).all()
    assert len(rows) == 2
    for row in rows:
        assert len(row.mark) == 32
        assert b"shop" not in row.mark


@pytest.mark.parametrize("name", LIMITS)
def test_the_profiles_let_no_network_use_up_a_client(name: str) -> None:
    requests = LIMITS[name].requests
    for limits in (requests.authorize, requests.token):
        assert 0 < 4 * limits.network <= limits.client
    assert requests.source
