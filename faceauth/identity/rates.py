"""How many requests the OpenID provider takes in a minute: from one network, and in one client's name (R59)."""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from sqlalchemy import Connection, select, update

from faceauth.clock import Clock
from faceauth.db.attempt_tables import place_attempts
from faceauth.identity.places import Places, locked_row, network_of

What = Literal["authorize", "token"]

WINDOW: Final = timedelta(minutes=1)

_LABEL: Final = b"faceauth/rate/1"


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Requests in a minute, from one network and in one client's name."""

    network: int
    client: int


@dataclass(frozen=True, slots=True)
class RateProfile:
    """The limits of both endpoints, with where they come from."""

    authorize: RateLimits
    token: RateLimits
    source: str


class Rates:
    """Counts requests, whatever comes of them. Every method works in the caller's transaction.

    The rows are those of places: keyed marks, kept about an hour, from which no address and no client can be read.

    Args:
        clock: Returns the time now.
        key: 32 bytes that key the marks.
        profile: The limits.
        places: Says which addresses name a network.
    """

    def __init__(self, clock: Clock, key: bytes, profile: RateProfile, places: Places) -> None:
        self._clock = clock
        self._key = key
        self._limits: dict[What, RateLimits] = {"authorize": profile.authorize, "token": profile.token}
        self._places = places

    def admit(self, conn: Connection, what: What, *, address: str | None, client_id: str | None) -> bool:
        """Count one request, and say whether it may be answered.

        What is refused for its network is not counted for the client, so that one network alone does not use up
        what a client has.

        Args:
            conn: the caller's transaction, which commits whatever the answer is.
            what: the endpoint.
            address: where the connection comes from, if that is known.
            client_id: the registered client that the request names, if it names one.
        """
        limits = self._limits[what]
        if address is not None and self._places.counts(address):
            network = network_of(address)
            if not self._count(conn, self._mark(what, "network", network), limits.network):
                return False
        return client_id is None or self._count(conn, self._mark(what, "client", client_id), limits.client)

    def _count(self, conn: Connection, mark: bytes, limit: int) -> bool:
        now = self._clock()
        conn.execute(locked_row(conn, mark, now))
        row = conn.execute(select(place_attempts).where(place_attempts.c.mark == mark)).one()
        # A clock that was set back begins another minute, or nobody would be let in until it has caught up.
        fresh = not row.since <= now < row.since + WINDOW
        if not fresh and row.tries >= limit:
            return False
        counted = {"tries": 1, "since": now} if fresh else {"tries": row.tries + 1}
        conn.execute(update(place_attempts).where(place_attempts.c.mark == mark).values(counted))
        return True

    def _mark(self, *parts: str) -> bytes:
        told = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
        return hmac.digest(self._key, _LABEL + told, "sha256")
