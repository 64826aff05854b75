"""What is kept no longer than it may be: consents whose clocks ran out, faces nobody uses, records of sessions.

The clocks are those of R39; withdrawal and the account's closure do not wait for them. Each person's end is one
transaction and one erasure, so a run that is cut short has done whole people and goes on with the next run.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from threading import Event as Flag
from typing import Final

import structlog

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.capture.flow import FlowStore
from faceauth.capture.session import SessionStore
from faceauth.clock import Clock
from faceauth.consent.ledger import ConsentLedger
from faceauth.consent.terms import Due, due, retired, still_due
from faceauth.db.engine import Database
from faceauth.errors import FaceauthError
from faceauth.identity.attempts import Attempts
from faceauth.installation import Installation
from faceauth.oidc.asking import forget_old_requests
from faceauth.oidc.grants import forget_old_grants
from faceauth.sections import RetentionSettings
from faceauth.vault.erasure import Erasure

log = structlog.get_logger(__name__)

LOOK_S: Final = 5.0
"""Seconds between two looks whether a scenario was retired since the last run (own figure); a look is cheap."""

Progress = Callable[[int, int], None]
"""Told how many people are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do: whose time is over, and how many records of sessions."""

    due: tuple[Due, ...]
    sessions: int


@dataclass(slots=True)
class Done:
    """What a run did; `failed` are those that an error stopped, to be tried again next time."""

    erased: list[Due] = field(default_factory=list)
    failed: list[Due] = field(default_factory=list)
    sessions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Ends and erases what is due."""

    data: Database
    ledger: ConsentLedger
    sessions: SessionStore
    attempts: Attempts
    erasure: Erasure
    audit: AuditLog
    clock: Clock
    settings: RetentionSettings

    @classmethod
    def of(cls, installation: Installation) -> "Retention":
        """Return the retention of an opened installation."""
        return cls(
            data=installation.data,
            ledger=installation.ledger,
            sessions=SessionStore(),
            attempts=installation.attempts,
            erasure=installation.erasure,
            audit=installation.audit,
            clock=installation.clock,
            settings=installation.settings.retention,
        )

    def plan(self) -> Plan:
        """Return what is due now; nothing is done."""
        with self.data.read() as conn:
            found = tuple(due(conn, now=self.clock(), inactivity=self._inactivity))
            return Plan(found, self.sessions.count_old(conn, before=self.clock() - self._kept))

    def run(self, progress: Progress | None = None, *, stop: Flag | None = None) -> Done:
        """End what is due, person by person, and erase it; a failure leaves that person to the next run.

        Args:
            progress: is told how far it has come.
            stop: when it is set, the run ends after the person it is at.
        """
        plan, done = self.plan(), Done()
        for number, one in enumerate(plan.due, 1):
            if stop is not None and stop.is_set():
                return done
            try:
                if self._end(one):
                    done.erased.append(one)
            except FaceauthError as error:
                log.warning("retention.failed", code=error.code, clock=one.clock)
                done.failed.append(one)
            if progress is not None:
                progress(number, len(plan.due))
        with self.data.begin() as conn:
            self.sessions.forget_texts(conn, now=self.clock())
            done.sessions = self.sessions.delete_old(conn, before=self.clock() - self._kept)
            self.attempts.forget_strangers(conn, before=self.clock() - self._kept)
            FlowStore().delete_old(conn, now=self.clock())
            forget_old_requests(conn, now=self.clock())
            forget_old_grants(conn, now=self.clock())
        return done

    def retired(self) -> frozenset[tuple[str, str]]:
        """Return the scenarios that are retired, with their tenants."""
        with self.data.read() as conn:
            return retired(conn)

    @property
    def _inactivity(self) -> timedelta:
        return timedelta(days=self.settings.inactivity_days)

    @property
    def _kept(self) -> timedelta:
        return timedelta(days=self.settings.sessions_days)

    def _end(self, one: Due) -> bool:
        """End one consent and erase what it allowed; return whether it was still due."""
        with self.data.begin() as conn:
            if not still_due(conn, one, now=self.clock(), inactivity=self._inactivity):
                return False
            self.ledger.expire(conn, tenant=one.tenant, account=one.account, scenario=one.scenario)
            tombstone = self.erasure.request(
                conn, tenant=one.tenant, account=one.account, scenario=one.scenario, reason=one.clock
            )
            self.audit.append(
                conn,
                Event.CONSENT_EXPIRED,
                tenant=one.tenant,
                account=one.account,
                actor="system",
                details={"scenario": one.scenario, "reason": one.clock},
            )
        self.erasure.run(tombstone)
        return True


def repeat(retention: Retention, stop: Flag) -> Iterator[Done]:
    """Run now and then, as often as the settings say, until `stop` is set; yields what each run did.

    A scenario that is retired meanwhile does not wait for the next time. A run that fails as a whole is logged,
    and the next one comes all the same.
    """
    pause = retention.settings.every_minutes * 60
    while pause and not stop.is_set():
        known: frozenset[tuple[str, str]] | None = None
        try:
            known = retention.retired()
            yield retention.run(stop=stop)
        except Exception as error:  # noqa: BLE001  whatever went wrong, the clocks go on
            log.warning("retention.failed", error=type(error).__name__)
        _rest(retention, stop, pause, known)


def _rest(retention: Retention, stop: Flag, pause: float, known: frozenset[tuple[str, str]] | None) -> None:
    """Wait until the next run's time, or until another scenario than `known` is retired; None looks for none."""
    for _ in range(ceil(pause / LOOK_S)):
        stop.wait(LOOK_S)
        if stop.is_set():
            return
        try:
            if known is not None and retention.retired() - known:
                return
        except FaceauthError as error:
            log.warning("retention.failed", code=error.code)
