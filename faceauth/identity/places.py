"""How often a face may be tried from one place: a device that the application names, and a network (R10, R59).

A place is a keyed mark, kept about an hour. Addresses and names of devices are nowhere in the clear, and who has
the database without the keyring cannot try them out. These limits stand beside those of each account, against
whoever tries many accounts a few times each, and for searches, which name nobody.
"""

import hmac
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from faceauth.clock import Clock
from faceauth.db.attempt_tables import place_attempts, session_places
from faceauth.errors import InvalidRequest, Locked
from faceauth.types import Purpose

Kind = Literal["device", "network"]

_LABEL: Final = b"faceauth/place/1"
_IPV6_NETWORK: Final = 64
"""Bits that name one subscriber's network: a device picks the other 64 as it likes (RFC 4291, 2.5.4; RFC 8981)."""


@dataclass(frozen=True, slots=True)
class Client:
    """Where the application says that a session comes from; nothing of it is kept as it is.

    Args:
        address: The IP address of the person's device, as the application sees it.
        device: The application's own name for the device, such as the value of a cookie of its own.
    """

    address: str | None = field(default=None, repr=False)
    device: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PlaceLimits:
    """Failures that one place may have in `window`, counted from the first; `search` limits 1:N (R8)."""

    verify: int
    search: int
    window: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PlaceProfile:
    """Limits of both kinds of place, with where they come from."""

    device: PlaceLimits
    network: PlaceLimits
    source: str


@dataclass(frozen=True, slots=True)
class FullPlace:
    """A place whose tries are used up: which kind, whether its searches are meant, since and until when.

    `mark` is 64 hexadecimal digits that name the place for an hour or so, and say nothing else of it.
    """

    mark: str
    kind: str
    searching: bool
    tries: int
    since: datetime
    until: datetime


class Places:
    """Where sessions come from, and how often their places failed. Every method works in the caller's transaction.

    Args:
        clock: Returns the time now.
        key: 32 bytes that key the marks.
        profile: The limits.
        connections: Whether the address of a connection names a network where the application told none.
    """

    def __init__(self, clock: Clock, key: bytes, profile: PlaceProfile, *, connections: bool = True) -> None:
        self._clock = clock
        self._key = key
        self._profile = profile
        self._connections = connections

    def told(
        self, conn: Connection, *, session_id: str, tenant: str, client: Client, expires_at: datetime
    ) -> None:
        """Note where the application says that a session comes from, and forget what is out of date.

        What it says goes before any connection.

        Raises:
            InvalidRequest: the address is none.
        """
        now = self._clock()
        longest = max(self._profile.device.window, self._profile.network.window)
        conn.execute(delete(session_places).where(session_places.c.expires_at < now))
        conn.execute(delete(place_attempts).where(place_attempts.c.since <= now - longest))
        network = None if client.address is None else network_of(client.address)
        marks = {
            "network": None if network is None else self._mark("network", tenant, network),
            "device": None if client.device is None else self._mark("device", tenant, client.device),
        }
        conn.execute(insert(session_places).values(session_id=session_id, expires_at=expires_at, **marks))

    def counts(self, address: str) -> bool:
        """Say whether a connection's address names a network.

        Only one of the Internet does: any other is a proxy's, or the application's own, and stands for everybody
        behind it.
        """
        try:
            return self._connections and ipaddress.ip_address(address).is_global
        except ValueError:
            return False

    def seen(self, conn: Connection, *, session_id: str, tenant: str, address: str) -> None:
        """Note the address that a session's device connects from, unless its network is known already."""
        here = (session_places.c.session_id == session_id, session_places.c.network.is_(None))
        mark = self._mark("network", tenant, network_of(address))
        conn.execute(update(session_places).where(*here).values(network=mark))

    def check(self, conn: Connection, *, session_id: str, purpose: Purpose) -> None:
        """Return if the session's places may try now; nothing is charged.

        Raises:
            Locked: too many tries failed from there of late.
        """
        for mark, _, limits in self._places(conn, session_id, purpose):
            row = conn.execute(select(place_attempts).where(place_attempts.c.mark == mark)).one_or_none()
            if row is not None:
                self._tries(row, limits, purpose)

    def charge(self, conn: Connection, *, session_id: str, purpose: Purpose) -> None:
        """Count a try as failed for each of the session's places, before it is made (R11).

        Places that are full are not charged further, so that their hour ends; the others are.

        Raises:
            Locked: too many tries failed from one of them of late.
        """
        now = self._clock()
        locked: Locked | None = None
        # In the order of their marks, so that sessions that share places wait for each other in one order.
        for mark, counts, limits in self._places(conn, session_id, purpose):
            conn.execute(locked_row(conn, mark, now, counts=counts))
            row = conn.execute(select(place_attempts).where(place_attempts.c.mark == mark)).one()
            try:
                tries = self._tries(row, limits, purpose)
            except Locked as found:
                locked = found
                continue
            since = row.since if tries else now
            conn.execute(
                update(place_attempts).where(place_attempts.c.mark == mark).values(tries=tries + 1, since=since)
            )
        if locked is not None:
            raise locked

    def succeed(self, conn: Connection, *, session_id: str, purpose: Purpose) -> None:
        """Take back the one try that was charged and succeeded, and no other."""
        for mark, _, _ in self._places(conn, session_id, purpose):
            here = (place_attempts.c.mark == mark, place_attempts.c.tries > 0)
            conn.execute(update(place_attempts).where(*here).values(tries=place_attempts.c.tries - 1))

    def full(self, conn: Connection) -> tuple[FullPlace, ...]:
        """Return the places whose tries are used up now, of all tenants, the latest first.

        Which tenant a mark is of cannot be told from it.
        """
        now = self._clock()
        table = place_attempts.c
        rows = conn.execute(select(place_attempts).where(table.counts.is_not(None)).order_by(table.since.desc()))
        return tuple(one for one in map(self._full, rows) if one is not None and one.until > now)

    def _full(self, row: Any) -> FullPlace | None:
        kind, _, what = row.counts.partition(":")
        limits = self._profile.device if kind == "device" else self._profile.network
        most = limits.search if what == "search" else limits.verify
        if row.tries < most:
            return None
        return FullPlace(row.mark.hex(), kind, what == "search", row.tries, row.since, row.since + limits.window)

    def _tries(self, row: Any, limits: PlaceLimits, purpose: Purpose) -> int:
        """Return the tries that count now.

        A clock that was set back leaves them all counting.
        """
        if row.since + limits.window <= self._clock():
            return 0
        if row.tries >= (limits.search if purpose == "identify" else limits.verify):
            raise Locked("Too many attempts from this device or network. Wait, or use another way to log in.")
        return int(row.tries)

    def _places(
        self, conn: Connection, session_id: str, purpose: Purpose
    ) -> Sequence[tuple[bytes, str, PlaceLimits]]:
        """Return the marks under which a session's tries are counted, and what: searches apart from the others."""
        row = conn.execute(select(session_places).where(session_places.c.session_id == session_id)).one_or_none()
        if row is None:
            return ()
        what = "search" if purpose == "identify" else "verify"
        known = (("device", row.device, self._profile.device), ("network", row.network, self._profile.network))
        return sorted(
            (
                (hmac.digest(mark, what.encode(), "sha256"), f"{kind}:{what}", limits)
                for kind, mark, limits in known
                if mark is not None
            ),
            key=lambda place: place[0],
        )

    def _mark(self, kind: Kind, tenant: str, name: str) -> bytes:
        # Each part with its length before it, so that no two places are spelt alike.
        parts = (kind.encode(), tenant.encode(), name.encode())
        told = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(self._key, _LABEL + told, "sha256")


def network_of(address: str) -> str:
    """Return what stands for an address's network: the IPv4 address itself, or the IPv6 address's first 64 bits.

    Raises:
        InvalidRequest: it is no IP address.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError as error:
        raise InvalidRequest("The client's address must be an IP address, as text.") from error
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((int(found), _IPV6_NETWORK), strict=False))
    return str(found)


def locked_row(conn: Connection, mark: bytes, now: datetime, *, counts: str | None = None) -> Any:
    """Return what inserts the row unless it is there, and locks it either way: nobody deletes it in between."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    new = dialect.insert(place_attempts).values(mark=mark, since=now, tries=0, counts=counts)
    return new.on_conflict_do_update(index_elements=["mark"], set_={"tries": place_attempts.c.tries})
