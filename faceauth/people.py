"""People as administrators see them: disguised names and pseudonyms, where they stand, and what is done for them.

Nobody is named here, and nothing made of a face is shown. Looking for one name, and looking at one person, are
records of the audit log, under the person's pseudonym.
"""

import hmac
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.charging import Unlocking
from faceauth.consent.ledger import ConsentState
from faceauth.consent.names import masked
from faceauth.consent.people import some_names, there_now
from faceauth.errors import UnknownAccount
from faceauth.identity.attempts import Lock
from faceauth.identity.devices import Device
from faceauth.identity.places import FullPlace
from faceauth.identity.reauthentication import check_fresh
from faceauth.installation import Installation
from faceauth.vault.enrolled import references_of

NOBODY = "There is no account of this name or mark."


@dataclass(frozen=True, slots=True)
class Somebody:
    """One line of a list. `mark` is the audit log's pseudonym, 64 hexadecimal digits."""

    mark: str
    shown: str
    created_at: datetime
    restricted_at: datetime | None
    references: int


@dataclass(frozen=True, slots=True)
class Standing:
    """All that is shown of one person."""

    person: Somebody
    references: Mapping[str, int]
    consents: Mapping[str, ConsentState]
    devices: tuple[Device, ...]
    lock: Lock | None


@dataclass(frozen=True, slots=True)
class LockedOut:
    """Somebody who may not try now. `there` is False for a name that is no account: it is counted alike (R25)."""

    mark: str
    shown: str
    there: bool
    lock: Lock


@dataclass(frozen=True, slots=True)
class People:
    """Lists, finds and shows people, and does for them what they asked for elsewhere."""

    here: Installation

    @classmethod
    def of(cls, installation: Installation) -> "People":
        """Return it for an opened installation."""
        return cls(installation)

    def some(self, *, tenant: str, skip: int, most: int) -> tuple[Somebody, ...]:
        """Return so many people after so many, in the order of their names, which are not told."""
        with self.here.data.read() as conn:
            names = some_names(conn, tenant, skip=skip, most=most)
            kept = references_of(conn, tenant=tenant, accounts=names)
            return tuple(self._somebody(conn, tenant, name, kept.get(name, 0)) for name in names)

    def search(self, account: str, *, tenant: str, actor: str) -> str:
        """Return the mark of an account of exactly this name. That it was looked for is on record, found or not.

        Raises:
            UnknownAccount: there is none.
            AuditUnavailable: it cannot be audited; nothing is told then.
        """
        with self.here.data.begin() as conn:
            found = self.here.accounts.exists(conn, tenant, account)
            self._note(conn, Event.ACCOUNT_SEARCHED, tenant, account, actor, state="found" if found else "none")
        if not found:
            raise UnknownAccount(NOBODY)
        return self.here.audit.pseudonym(tenant, account)

    def read(self, mark: str, *, tenant: str, actor: str) -> Standing:
        """Return where one person stands; it is on record that somebody looked.

        Raises:
            UnknownAccount: there is nobody of this mark.
            AuditUnavailable: it cannot be audited; nothing is told then.
        """
        here = self.here
        account = self.account(mark, tenant=tenant)
        with here.data.begin() as conn:
            self._note(conn, Event.ACCOUNT_READ, tenant, account, actor)
            references = here.references.describe(conn, tenant=tenant, account=account)
            states = {
                one.scenario: here.ledger.state(conn, tenant, account, one.scenario)
                for one in here.scenarios.list(conn, tenant)
            }
            return Standing(
                person=self._somebody(conn, tenant, account, len(references)),
                references=Counter(one.scenario for one in references),
                consents={scenario: state for scenario, state in states.items() if state is not None},
                devices=here.devices.list(conn, tenant=tenant, account=account),
                lock=next(iter(here.attempts.locked(conn, tenant=tenant, account=account, most=1)), None),
            )

    def locked(self, *, tenant: str, most: int) -> tuple[tuple[LockedOut, ...], tuple[FullPlace, ...]]:
        """Return who may not try their face now, the last failure first, and which places may not."""
        here = self.here
        with here.data.read() as conn:
            found = tuple(
                LockedOut(
                    mark=here.audit.pseudonym(tenant, lock.account),
                    shown=masked(lock.account),
                    there=here.accounts.exists(conn, tenant, lock.account),
                    lock=lock,
                )
                for lock in here.attempts.locked(conn, tenant=tenant, most=most)
            )
            return found, here.desk.places.full(conn)

    def restore(self, mark: str, *, tenant: str, actor: str, reauthenticated_at: datetime) -> bool:
        """Start somebody's attempts again, who proved just now who they are by another factor (R10).

        Returns:
            Whether the face was switched off.

        Raises:
            UnknownAccount: there is nobody of this mark.
            ReauthenticationRequired: the proof is not fresh.
        """
        here, account = self.here, self.account(mark, tenant=tenant)
        unlocking = Unlocking(accounts=here.accounts, attempts=here.attempts, audit=here.audit)
        limit = here.settings.sessions.reauthentication_max_age_s
        with here.data.begin() as conn:
            check_fresh(reauthenticated_at, now=here.clock(), limit_s=limit)
            return unlocking.restore(conn, tenant=tenant, account=account, actor=actor)

    def restrict(self, mark: str, *, tenant: str, actor: str, restricted: bool) -> None:
        """Suspend every use of somebody's face without erasing it, or allow it again (GDPR 18).

        Raises:
            UnknownAccount: there is nobody of this mark.
        """
        account = self.account(mark, tenant=tenant)
        self.here.lifecycle.restrict(tenant=tenant, account=account, restricted=restricted, actor=actor)

    def close(self, mark: str, *, tenant: str, actor: str) -> str:
        """Close somebody's account, which erases everything; return the signed deletion receipt.

        Raises:
            UnknownAccount: there is nobody of this mark.
        """
        return self.here.lifecycle.close_account(
            tenant=tenant, account=self.account(mark, tenant=tenant), actor=actor
        )

    def account(self, mark: str, *, tenant: str) -> str:
        """Return whose pseudonym a mark is: a pass over all names, for nothing leads back from one (R50).

        Raises:
            UnknownAccount: there is nobody of this mark.
        """
        with self.here.data.read() as conn:
            for name in there_now(conn, tenant):
                if hmac.compare_digest(self.here.audit.pseudonym(tenant, name), mark):
                    return name
        raise UnknownAccount(NOBODY)

    def _somebody(self, conn: Connection, tenant: str, name: str, references: int) -> Somebody:
        found = self.here.accounts.get(conn, tenant, name)
        mark = self.here.audit.pseudonym(tenant, name)
        return Somebody(mark, masked(name), found.created_at, found.restricted_at, references)

    def _note(self, conn: Connection, event: Event, tenant: str, account: str, actor: str, **details: str) -> None:
        self.here.audit.append(conn, event, tenant=tenant, account=account, actor=actor, details=details)
