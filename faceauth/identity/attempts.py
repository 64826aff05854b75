"""How often a face may be tried: charged before the comparison, so that no answer is ever free (R10, R11).

A locked face never locks the account (R13): these counters say nothing about any other way to log in.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, delete, exists, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from faceauth.clock import Clock
from faceauth.db.schema import accounts, attempts
from faceauth.errors import Locked


@dataclass(frozen=True, slots=True)
class AttemptProfile:
    """Limits with where they come from.

    After `free` failures in a row each further attempt waits: `first_wait`, then twice as long each time, up to
    `longest_wait`. `disable_after` failures in all switch the face off until another factor was shown.
    """

    name: str
    free: int
    first_wait: timedelta
    longest_wait: timedelta
    disable_after: int
    source: str

    def wait(self, consecutive: int) -> timedelta:
        """Return how long the attempt after this many failures in a row has to wait."""
        if consecutive < self.free:
            return timedelta(0)
        # The cap on the exponent keeps the arithmetic small; the wait's own cap is reached long before.
        doublings: int = min(consecutive - self.free, 32)
        return min(self.longest_wait, self.first_wait * (1 << doublings))


NIST_BASE: Final = AttemptProfile(
    name="nist-63b-4",
    free=5,
    first_wait=timedelta(seconds=30),
    longest_wait=timedelta(hours=1),
    disable_after=50,
    source="NIST SP 800-63B-4 §3.2.3 (5 in a row, then 30 s at least, 50 in all); §3.2.2 (waits of up to an hour)",
)
"""The limits without qualifying presentation-attack detection."""

NIST_PAD: Final = AttemptProfile(
    name="nist-63b-4-pad",
    free=10,
    first_wait=timedelta(seconds=30),
    longest_wait=timedelta(hours=1),
    disable_after=100,
    source="NIST SP 800-63B-4 §3.2.3 (10 in a row and 100 in all with presentation-attack detection); §3.2.2",
)
"""The limits with it."""


@dataclass(frozen=True, slots=True)
class Lock:
    """An account whose face may not be tried now.

    `since` is the last failure; `until` ends the wait, and is None where the face is off until another factor was
    shown. `until_qualifying` is the same at levels whose presentation-attack detection allows the looser limits;
    `open_qualifying` says that it may be tried there now.
    """

    account: str
    failures: int
    since: datetime | None
    until: datetime | None
    until_qualifying: datetime | None
    open_qualifying: bool


class Attempts:
    """The counters of each (tenant, account). Every method works in the caller's transaction.

    An account that does not exist is counted like one that does, so that locking tells nobody which is which
    (R25). Identification sessions name no account and are not charged here: `faceauth.identity.places` limits them
    by device and network.

    Args:
        clock: Returns the time now.
        profile: The limits of an attempt without qualifying liveness.
        qualifying: Those of one with it. Both count the same failures, so who changes between the two has no more
            attempts than the looser limits allow; a face that one of them switches off is off for both.
    """

    def __init__(
        self, clock: Clock, profile: AttemptProfile = NIST_BASE, qualifying: AttemptProfile = NIST_PAD
    ) -> None:
        self._clock = clock
        self._profiles = {False: profile, True: qualifying}

    def check(self, conn: Connection, *, tenant: str, account: str, pad: bool = False) -> None:
        """Return if an attempt may be made now; nothing is charged.

        `pad` says, here and below, that the attempt's presentation-attack detection allows the looser limits.

        Raises:
            Locked: too many failures.
        """
        row = conn.execute(_row(tenant, account)).one_or_none()
        if row is not None:
            self._refuse_if_locked(row, self._clock(), self._profiles[pad])

    def charge(self, conn: Connection, *, tenant: str, account: str, pad: bool = False) -> None:
        """Count an attempt as failed, before it is made.

        The caller commits this in a transaction of its own before anything is compared (R11): whoever kills the
        process afterwards has spent the attempt. Parallel charges wait for each other on the row, so the limits
        hold however many come at once.

        Raises:
            Locked: too many failures; nothing was charged.
        """
        now, profile = self._clock(), self._profiles[pad]
        conn.execute(_first_row(conn, tenant, account))
        row = conn.execute(_row(tenant, account).with_for_update()).one()
        self._refuse_if_locked(row, now, profile)
        total = row.total + 1
        conn.execute(
            _change(tenant, account).values(
                consecutive=row.consecutive + 1,
                total=total,
                last_at=now,
                disabled_at=now if total >= profile.disable_after else None,
            )
        )

    def succeed(self, conn: Connection, *, tenant: str, account: str, pad: bool = False) -> None:
        """Take back the one attempt that was charged and succeeded; failures in a row start again from none.

        Earlier failures stay in the sum: a success between them does not buy an attacker more of them.
        """
        row = conn.execute(_row(tenant, account).with_for_update()).one_or_none()
        if row is None:
            return
        total = max(0, row.total - 1)
        values: dict[str, object] = {"consecutive": 0, "total": total}
        if total < self._profiles[pad].disable_after:
            values["disabled_at"] = None
        conn.execute(_change(tenant, account).values(**values))

    def disabled(self, conn: Connection, *, tenant: str, account: str) -> bool:
        """Say whether the face is off until another factor was shown."""
        row = conn.execute(_row(tenant, account)).one_or_none()
        return row is not None and row.disabled_at is not None

    def locked(self, conn: Connection, *, tenant: str, account: str | None = None, most: int) -> tuple[Lock, ...]:
        """Return who may not try now, the last failure first: of a tenant, or of one account of it."""
        strict, now = self._profiles[False], self._clock()
        table = attempts.c
        waits = and_(table.consecutive >= strict.free, table.last_at > now - strict.longest_wait)
        query = select(attempts).where(
            table.tenant == tenant,
            or_(table.disabled_at.is_not(None), table.total >= strict.disable_after, waits),
        )
        if account is not None:
            query = query.where(table.account == account)
        rows = conn.execute(query.order_by(table.last_at.desc(), table.account).limit(most))
        found = (self._lock(row, now) for row in rows)
        return tuple(one for one in found if one is not None)

    def _lock(self, row: Row[Any], now: datetime) -> Lock | None:
        until, looser = (self._until(row, self._profiles[pad]) for pad in (False, True))
        if until is not None and until <= now:
            return None
        return Lock(
            account=row.account,
            failures=row.total,
            since=row.last_at,
            until=until,
            until_qualifying=looser,
            open_qualifying=looser is not None and looser <= now,
        )

    @staticmethod
    def _until(row: Row[Any], profile: AttemptProfile) -> datetime | None:
        """Return when the wait is over, which may be long ago; None where no time helps."""
        if row.disabled_at is not None or row.total >= profile.disable_after:
            return None
        last: datetime = row.last_at or datetime.fromtimestamp(0, UTC)
        return last + profile.wait(row.consecutive)

    def unlock(self, conn: Connection, *, tenant: str, account: str) -> None:
        """Start again from nothing, after the person has shown another factor."""
        conn.execute(_change(tenant, account).values(consecutive=0, total=0, last_at=None, disabled_at=None))

    def forget_strangers(self, conn: Connection, *, before: datetime) -> int:
        """Delete the counters of names that are no accounts and were not tried since; return how many."""
        known = exists().where(accounts.c.tenant == attempts.c.tenant, accounts.c.account == attempts.c.account)
        return conn.execute(delete(attempts).where(~known, attempts.c.last_at < before)).rowcount

    @staticmethod
    def _refuse_if_locked(row: Row[Any], now: datetime, profile: AttemptProfile) -> None:
        if row.disabled_at is not None or row.total >= profile.disable_after:
            raise Locked("Face login is off after too many attempts, until another way to log in was used.")
        # A clock that was set back lengthens the wait and never shortens it; `unlock` is the way out.
        if row.last_at is not None and now < row.last_at + profile.wait(row.consecutive):
            raise Locked("Too many attempts in a row. Wait, or use another way to log in.")


def _row(tenant: str, account: str) -> Select[Any]:
    return select(attempts).where(attempts.c.tenant == tenant, attempts.c.account == account)


def _change(tenant: str, account: str) -> Any:
    return update(attempts).where(attempts.c.tenant == tenant, attempts.c.account == account)


def _first_row(conn: Connection, tenant: str, account: str) -> Any:
    """Insert the row to lock on unless it is there; two first attempts at once must not fail each other."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    return (
        dialect.insert(attempts)
        .values(tenant=tenant, account=account, consecutive=0, total=0)
        .on_conflict_do_nothing()
    )
