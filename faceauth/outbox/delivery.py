"""Takes messages out of the outbox and delivers them, with retries that wait longer each time."""

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event as Flag
from typing import Final

import structlog
from sqlalchemy import Connection

from faceauth.clock import Clock
from faceauth.db.engine import Database
from faceauth.errors import UnknownEndpoint
from faceauth.outbox.endpoints import Endpoint, Endpoints
from faceauth.outbox.messages import Message, Outbox
from faceauth.outbox.sending import Answer, Sender
from faceauth.outbox.signing import endpoint_secret, signed_headers
from faceauth.sections import WebhookSettings

log = structlog.get_logger(__name__)

AT_ONCE: Final = 20
"""Messages on their way at the same time. Own figure: a receiver that is slow should not hold the others up."""

FIRST_S: Final = 15.0
"""Seconds before the second try. Own figure; each further wait is four times the one before."""

FACTOR: Final = 4
LONGEST_S: Final = 12 * 3600.0
"""Seconds that a wait never exceeds. With 10 tries the last comes a day and a half after the first."""

_SPARE: Final = timedelta(seconds=30)
"""How long after its time limit a delivery counts as lost with its worker. Own figure."""


@dataclass(slots=True)
class Sent:
    """What a round did."""

    delivered: int = 0
    again: int = 0
    dead: int = 0

    @property
    def tried(self) -> int:
        """How many messages were taken."""
        return self.delivered + self.again + self.dead


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Delivers what is due. `key` makes the endpoints' secrets; `random` spreads the retries."""

    data: Database
    key: bytes
    sender: Sender
    settings: WebhookSettings
    clock: Clock
    random: Callable[[int], bytes] = os.urandom

    def run(self, *, stop: Flag | None = None) -> Sent:
        """Deliver until nothing is due; several processes may do so at once.

        Raises:
            StorageError: The database failed; what was taken is tried again.
        """
        total = Sent()
        while stop is None or not stop.is_set():
            done = self._round()
            if not done.tried:
                with self.data.begin() as conn:
                    Outbox().clear(conn, now=self.clock())
                break
            total.delivered += done.delivered
            total.again += done.again
            total.dead += done.dead
        return total

    def _round(self) -> Sent:
        lease = timedelta(seconds=self.settings.timeout_s) + _SPARE
        now = self.clock()
        with self.data.begin() as conn:
            taken = Outbox().claim(conn, now=now, lease=lease, most=AT_ONCE)
            endpoints = {one.endpoint_id: self._endpoint(conn, one) for one in taken}
        if not taken:
            return Sent()
        answers = asyncio.run(self._send_all([(one, endpoints[one.endpoint_id]) for one in taken]))
        done = Sent()
        # One transaction for all of them: each commit waits for the disk.
        with self.data.begin() as conn:
            for message, answer in zip(taken, answers, strict=True):
                self._settle(conn, message, answer, done)
        return done

    def _endpoint(self, conn: Connection, message: Message) -> Endpoint | None:
        try:
            return Endpoints().get(conn, message.endpoint_id, tenant=message.tenant)
        except UnknownEndpoint:
            return None

    async def _send_all(self, pairs: Sequence[tuple[Message, Endpoint | None]]) -> list[Answer]:
        return await asyncio.gather(*(self._send(message, endpoint) for message, endpoint in pairs))

    async def _send(self, message: Message, endpoint: Endpoint | None) -> Answer:
        if endpoint is None:
            return Answer("endpoint_removed", final=True)
        body = message.body.encode()
        headers = signed_headers(
            body,
            message_id=message.message_id,
            at=self.clock(),
            secrets=secrets_of(endpoint, self.key, self.clock()),
        )
        return await self.sender.send(endpoint.url, body, headers)

    def _settle(self, conn: Connection, message: Message, answer: Answer, done: Sent) -> None:
        now, box, tries = self.clock(), Outbox(), message.tries + 1
        if answer.problem is None:
            box.delivered(conn, message, now=now)
            done.delivered += 1
        elif answer.final or tries >= self.settings.tries:
            box.bury(conn, message, problem=answer.problem, now=now)
            done.dead += 1
            log.warning("message.dead", message_id=message.message_id, kind=message.kind, problem=answer.problem)
        else:
            due_at = now + pause(tries, self.random(8))
            box.retry(conn, message, due_at=due_at, problem=answer.problem)
            done.again += 1


def secrets_of(endpoint: Endpoint, key: bytes, now: datetime) -> list[bytes]:
    """Return the secrets that sign for an endpoint now, the newest first."""
    salts = [endpoint.salt]
    if endpoint.old_salt is not None and endpoint.old_until is not None and now < endpoint.old_until:
        salts.append(endpoint.old_salt)
    return [endpoint_secret(key, endpoint_id=endpoint.endpoint_id, salt=salt) for salt in salts]


def pause(tries: int, random: bytes) -> timedelta:
    """Return how long to wait after so many tries: between half and all of 15 s, 60 s, 4 min, … up to 12 h.

    Receivers that failed together are not asked again together.
    """
    longest = min(FIRST_S * FACTOR ** (tries - 1), LONGEST_S)
    part = int.from_bytes(random, "big") / 2 ** (8 * len(random))
    return timedelta(seconds=longest * (0.5 + part / 2))


def repeat(delivery: Delivery, stop: Flag) -> Iterator[Sent]:
    """Deliver now and then, as often as the settings say, until `stop` is set; yields what was done."""
    while not stop.is_set():
        try:
            done = delivery.run(stop=stop)
            if done.tried:
                yield done
        except Exception as error:  # noqa: BLE001  whatever went wrong, the next round comes
            log.warning("delivery.failed", error=type(error).__name__)
        stop.wait(delivery.settings.every_s)
