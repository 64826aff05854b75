"""Attempts by device and network, on SQLite and PostgreSQL (R10, R11, R12)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from threading import Barrier

import pytest
from sqlalchemy import func, select

from faceauth.db.attempt_tables import place_attempts, session_places
from faceauth.db.engine import Database
from faceauth.errors import InvalidRequest, Locked
from faceauth.identity.limits import LIMITS
from faceauth.identity.places import Client, PlaceLimits, PlaceProfile, Places, network_of
from faceauth.types import Purpose
from tests.clocks import HandClock
from tests.databases import Databases

FEW = PlaceProfile(
    device=PlaceLimits(verify=3, search=2), network=PlaceLimits(verify=5, search=3), source="this test"
)
KEY = b"k" * 32
NUMBERS = count()


@pytest.fixture
def data(database: Databases) -> Database:
    return database.data


@pytest.fixture
def places(clock: HandClock) -> Places:
    return Places(clock, KEY, FEW)


class Person:
    """Somebody who opens sessions from one device and address."""

    def __init__(self, places: Places, data: Database, device: str | None, address: str | None) -> None:
        self._places = places
        self._data = data
        self._client = Client(address=address, device=device)

    def session(self, tenant: str = "shop") -> str:
        """Open a session; returns its id."""
        session_id = f"fs_{next(NUMBERS)}"
        with self._data.begin() as conn:
            until = self._places._clock() + timedelta(minutes=15)
            self._places.told(conn, session_id=session_id, tenant=tenant, client=self._client, expires_at=until)
        return session_id

    def fail(self, purpose: Purpose = "verify", tenant: str = "shop") -> bool:
        """Try once more; returns whether it was let in to try."""
        session_id = self.session(tenant)
        with self._data.begin() as conn:
            try:
                self._places.charge(conn, session_id=session_id, purpose=purpose)
            except Locked:
                return False
        return True


def tries(person: Person, times: int, purpose: Purpose = "verify") -> list[bool]:
    return [person.fail(purpose) for _ in range(times)]


def test_a_device_has_so_many_tries_whatever_its_address(places: Places, data: Database) -> None:
    assert tries(Person(places, data, "d1", None), 2) == [True, True]
    assert tries(Person(places, data, "d1", "192.0.2.1"), 2) == [True, False]
    assert tries(Person(places, data, "d2", None), 1) == [True]


def test_a_network_has_more_and_all_its_devices_share_them(places: Places, data: Database) -> None:
    found = [Person(places, data, f"d{number}", "2001:db8::1").fail() for number in range(4)]
    assert found == [True] * 4
    # Another address of the same /64 is the same network; the next /64 is not.
    assert [Person(places, data, f"e{number}", "2001:db8::ffff:1").fail() for number in range(2)] == [True, False]
    assert Person(places, data, "f", "2001:db8:0:1::1").fail()


def test_searches_are_limited_apart_and_lower(places: Places, data: Database) -> None:
    """R8: a search is a try at everybody at once."""
    person = Person(places, data, "d1", "192.0.2.1")
    assert tries(person, 3, "identify") == [True, True, False]
    assert tries(person, 4) == [True, True, True, False]


def test_the_hour_ends_by_itself_and_no_sooner(places: Places, data: Database, clock: HandClock) -> None:
    person = Person(places, data, "d1", None)
    tries(person, 3)
    clock.forward(3599.9)
    assert not person.fail()
    clock.forward(0.1)
    assert tries(person, 4) == [True, True, True, False]


def test_setting_the_clock_back_buys_nothing(places: Places, data: Database, clock: HandClock) -> None:
    """R12."""
    person = Person(places, data, "d1", None)
    tries(person, 3)
    clock.forward(-86_400)
    assert not person.fail()


def test_a_success_gives_its_own_try_back_and_no_other(places: Places, data: Database) -> None:
    person = Person(places, data, "d1", None)
    tries(person, 2)
    session_id = person.session()
    with data.begin() as conn:
        places.charge(conn, session_id=session_id, purpose="verify")
    with data.begin() as conn:
        places.succeed(conn, session_id=session_id, purpose="verify")
    assert tries(person, 2) == [True, False]


def test_a_hundred_at_once_have_no_extra_try(places: Places, data: Database) -> None:
    """R11: the race makes the first row too."""
    threads = 10
    people = [Person(places, data, "d1", f"192.0.2.{number}") for number in range(threads)]
    start = Barrier(threads)

    def hammer(person: Person) -> int:
        start.wait()
        return sum(tries(person, 10))

    with ThreadPoolExecutor(threads) as pool:
        assert sum(pool.map(hammer, people)) == 3


def test_two_places_at_once_never_wait_in_a_circle(places: Places, data: Database) -> None:
    """Sessions that share both places charge them in one order: on PostgreSQL another one would be a deadlock."""
    people = [Person(places, data, f"d{number % 2}", f"192.0.2.{number // 2 % 2}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        let_in = sum(pool.map(lambda person: sum(tries(person, 5)), people))
    # Three for each of two devices at most; a try that the device has no more still counts for its network.
    assert 3 <= let_in <= 6
    with data.read() as conn:
        assert sorted(conn.scalars(select(place_attempts.c.tries))) == [3, 3, 5, 5]


def test_nothing_told_is_nothing_counted(places: Places, data: Database) -> None:
    assert tries(Person(places, data, None, None), 20) == [True] * 20


def test_the_connection_names_the_network_where_nothing_was_told(places: Places, data: Database) -> None:
    """What the application told cannot be changed by where the device connects from."""
    known, unknown = Person(places, data, "a", "192.0.2.1"), Person(places, data, "b", None)
    sessions = [known.session(), unknown.session(), unknown.session()]
    with data.begin() as conn:
        for session_id, address in zip(sessions, ["8.8.8.8", "8.8.8.8", "8.8.4.4"], strict=True):
            places.seen(conn, session_id=session_id, tenant="shop", address=address)
        places.seen(conn, session_id=sessions[1], tenant="shop", address="1.1.1.1")
        marks = list(conn.scalars(select(session_places.c.network)))
    assert len(set(marks)) == 3
    assert None not in marks


def test_a_proxys_address_names_no_network(places: Places, clock: HandClock) -> None:
    """Private and loopback addresses stand for everybody behind them; and the setting switches all of it off."""
    for address in ("127.0.0.1", "10.1.2.3", "192.168.0.1", "::1", "fe80::1", "testclient", ""):
        assert not places.counts(address)
    assert places.counts("8.8.8.8")
    assert places.counts("2606:4700::1111")
    assert not Places(clock, KEY, FEW, connections=False).counts("8.8.8.8")


def test_no_address_and_no_name_is_kept(places: Places, data: Database, clock: HandClock) -> None:
    """What is kept is keyed, differs between tenants, and goes when its time is over."""
    person = Person(places, data, "cookie-1", "192.0.2.1")
    person.fail()
    person.fail(tenant="bank")
    with data.read() as conn:
        rows = conn.execute(select(session_places)).all()
        assert len({row.network for row in rows}) == len({row.device for row in rows}) == 2
        assert conn.scalar(select(func.count()).select_from(place_attempts)) == 4
    clock.forward(3600)
    Person(places, data, None, None).session()
    with data.read() as conn:
        assert conn.scalar(select(func.count()).select_from(place_attempts)) == 0
        assert conn.scalar(select(func.count()).select_from(session_places)) == 1


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::/64"),
        ("2001:db8:0:0:ffff::", "2001:db8::/64"),
    ],
)
def test_networks(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize("address", ["", "localhost", "192.0.2.7:80", "192.0.2.0/24", "1" * 45, "fe80::1%eth0/x"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(InvalidRequest, match="address"):
        network_of(address)


@pytest.mark.parametrize("name", LIMITS)
def test_every_profile_keeps_to_its_source(name: str) -> None:
    """R10: NIST's are the upper bound of every profile, and each says where its figures are from."""
    limits, nist = LIMITS[name], LIMITS["nist-63b-4"]
    assert limits.name == name
    for mine, theirs in ((limits.account, nist.account), (limits.qualifying, nist.qualifying)):
        assert mine.free <= theirs.free
        assert mine.disable_after <= theirs.disable_after
        assert mine.first_wait >= timedelta(seconds=30)
        assert mine.source
    assert limits.places.source
    for place in (limits.places.device, limits.places.network):
        assert place.search < place.verify


def test_what_is_used_up_is_told_by_its_limit(places: Places, data: Database, clock: HandClock) -> None:
    """Which kind of place, whether its searches, since and until when; and nothing of what it is called."""
    began = clock()
    person = Person(places, data, "d1", "192.0.2.1")
    tries(person, 3)
    tries(Person(places, data, None, "192.0.2.7"), 3, "identify")
    with data.read() as conn:
        found = {(one.kind, one.searching): one for one in places.full(conn)}
    assert set(found) == {("device", False), ("network", True)}
    device = found["device", False]
    assert (device.tries, device.since, device.until) == (3, began, began + FEW.device.window)
    assert len(device.mark) == 64
    clock.forward(FEW.device.window.total_seconds())
    with data.read() as conn:
        assert places.full(conn) == ()
