"""Attempts: R10 to R13 on SQLite and PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import insert, select, update

from faceauth.db.engine import Database
from faceauth.db.schema import accounts, attempts, tenants
from faceauth.errors import Locked
from faceauth.identity.attempts import NIST_BASE, AttemptProfile, Attempts, Lock
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
def counter(clock: HandClock) -> Attempts:
    return Attempts(clock)


def charge(counter: Attempts, data: Database, account: str = "anna", times: int = 1) -> None:
    for _ in range(times):
        with data.begin() as conn:
            counter.charge(conn, tenant="shop", account=account)


def locked(counter: Attempts, data: Database, account: str = "anna") -> bool:
    """Whether `check` refuses; `charge` must always say the same."""
    with data.read() as conn:
        try:
            counter.check(conn, tenant="shop", account=account)
        except Locked:
            return True
    return False


def test_five_in_a_row_then_thirty_seconds_growing(counter: Attempts, data: Database, clock: HandClock) -> None:
    """R10: 5 consecutive failures, then at least 30 s before each further attempt, growing."""
    charge(counter, data, times=5)
    for wait in (30, 60, 120, 240):
        assert locked(counter, data)
        with data.begin() as conn, pytest.raises(Locked):
            counter.charge(conn, tenant="shop", account="anna")
        clock.forward(wait - 0.001)
        assert locked(counter, data)
        clock.forward(0.001)
        assert not locked(counter, data)
        charge(counter, data)


def test_waits_never_shrink_and_stay_below_the_cap() -> None:
    waits = [NIST_BASE.wait(n) for n in range(200)]
    assert waits == sorted(waits)
    assert waits[4] == timedelta(0)
    assert waits[5] == timedelta(seconds=30)
    assert waits[-1] == timedelta(hours=1)


def test_fifty_in_all_switch_the_face_off_until_another_factor(
    counter: Attempts, data: Database, clock: HandClock
) -> None:
    """R10: 50 failures in all, spread over months and with successes between them, disable until `unlock`."""
    for _ in range(50):
        charge(counter, data)
        clock.forward(86_400)
    with data.begin() as conn:
        with pytest.raises(Locked, match="another way"):
            counter.charge(conn, tenant="shop", account="anna")
        row = conn.execute(select(attempts)).one()
        assert row.total == 50
        assert row.disabled_at is not None
        counter.unlock(conn, tenant="shop", account="anna")
    charge(counter, data, times=5)
    assert locked(counter, data)


def test_a_success_resets_the_row_of_failures_and_not_the_sum(
    counter: Attempts, data: Database, clock: HandClock
) -> None:
    """R12."""
    for _ in range(12):
        charge(counter, data, times=4)
        charge(counter, data)
        with data.begin() as conn:
            counter.succeed(conn, tenant="shop", account="anna")
    with data.read() as conn:
        row = conn.execute(select(attempts)).one()
    assert (row.consecutive, row.total, row.disabled_at) == (0, 48, None)
    charge(counter, data, times=2)
    assert locked(counter, data)


def test_the_last_attempt_may_still_succeed(counter: Attempts, data: Database, clock: HandClock) -> None:
    """The fiftieth attempt is charged first, but it is a failure only if it fails."""
    for _ in range(50):
        charge(counter, data)
        clock.forward(86_400)
    with data.begin() as conn:
        counter.succeed(conn, tenant="shop", account="anna")
    assert not locked(counter, data)


def test_parallel_charges_never_exceed_the_limit(counter: Attempts, data: Database) -> None:
    """R11: 100 requests at once spend exactly the five free attempts; the first row is made by a race too."""
    threads = 10
    start = Barrier(threads)

    def hammer(_: int) -> int:
        start.wait()
        granted = 0
        for _ in range(10):
            try:
                charge(counter, data)
            except Locked:
                continue
            granted += 1
        return granted

    with ThreadPoolExecutor(threads) as pool:
        assert sum(pool.map(hammer, range(threads))) == 5


def test_an_account_that_is_not_there_is_counted_alike(counter: Attempts, data: Database) -> None:
    """R25: no account was made in this test at all."""
    assert not locked(counter, data, "nobody")
    charge(counter, data, "nobody", times=5)
    assert locked(counter, data, "nobody")
    assert not locked(counter, data, "anna")
    with data.read() as conn:
        counter.check(conn, tenant="bank", account="nobody")


def test_setting_the_clock_back_buys_nothing(counter: Attempts, data: Database, clock: HandClock) -> None:
    """R12: clock steps."""
    charge(counter, data, times=5)
    clock.forward(-3600)
    assert locked(counter, data)


def test_a_charge_that_was_rolled_back_is_not_counted(counter: Attempts, data: Database) -> None:
    def fail_after_charging() -> None:
        with data.begin() as conn:
            counter.charge(conn, tenant="shop", account="anna")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_charging()
    with data.read() as conn:
        assert conn.execute(select(attempts)).all() == []


def test_another_profile_is_one_object(data: Database, clock: HandClock) -> None:
    strict = AttemptProfile(
        name="one",
        free=1,
        first_wait=timedelta(seconds=30),
        longest_wait=timedelta(hours=1),
        disable_after=2,
        source="this test",
    )
    counter = Attempts(clock, strict)
    charge(counter, data)
    assert locked(counter, data)
    clock.forward(30)
    charge(counter, data)
    clock.forward(10_000)
    assert locked(counter, data)


def test_qualifying_liveness_doubles_the_limits(counter: Attempts, data: Database, clock: HandClock) -> None:
    """R10: 10 in a row and 100 in all; the same failures count for both, and the stricter limits stay."""

    def spend(pad: bool) -> None:
        with data.begin() as conn:
            counter.charge(conn, tenant="shop", account="anna", pad=pad)

    for _ in range(5):
        spend(pad=True)
    with pytest.raises(Locked):
        spend(pad=False)
    for _ in range(5):
        spend(pad=True)
    with pytest.raises(Locked):
        spend(pad=True)
    for _ in range(90):
        clock.forward(3600)
        spend(pad=True)
    clock.forward(3600)
    with pytest.raises(Locked):
        spend(pad=True)


def test_names_that_are_no_accounts_are_forgotten_in_time(
    counter: Attempts, data: Database, clock: HandClock
) -> None:
    """Anybody can make up names: their counters go, those of accounts stay."""
    with data.begin() as conn:
        conn.execute(insert(accounts).values(tenant="shop", account="anna", created_at=START))
    for account in ("anna", "made-up", "made-up-today"):
        charge(counter, data, account)
        clock.forward(86_400)
    with data.begin() as conn:
        assert counter.forget_strangers(conn, before=START + timedelta(hours=36)) == 1
        assert set(conn.scalars(select(attempts.c.account))) == {"anna", "made-up-today"}


def test_who_is_locked_is_told_with_since_and_until(counter: Attempts, data: Database, clock: HandClock) -> None:
    """R10: by both limits; what `check` refuses and nothing else."""

    def told() -> dict[str, Lock]:
        with data.read() as conn:
            assert counter.locked(conn, tenant="bank", most=10) == ()
            (*one,) = counter.locked(conn, tenant="shop", account="anna", most=10)
            every = {lock.account: lock for lock in counter.locked(conn, tenant="shop", most=10)}
        assert one == [every[name] for name in every if name == "anna"]
        return every

    charge(counter, data, "ben", times=4)
    assert told() == {}
    charge(counter, data, times=5)
    last = clock()
    anna = told()["anna"]
    assert (anna.failures, anna.since, anna.until) == (5, last, last + NIST_BASE.first_wait)
    assert anna.open_qualifying
    clock.forward(30)
    assert told() == {}
    with data.begin() as conn:
        conn.execute(update(attempts).values(total=NIST_BASE.disable_after))
    assert {name: lock.until for name, lock in told().items()} == {"anna": None, "ben": None}
    assert told()["ben"].open_qualifying
    with data.begin() as conn:
        counter.unlock(conn, tenant="shop", account="ben")
    assert set(told()) == {"anna"}
