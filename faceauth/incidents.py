"""Incidents: a register with the 72-hour clock, whom each reached, what they are told, and a closing report (R54).

Whom an incident reached is never kept as a list. It is found from what is there anyway: the audit log, which
knows people by pseudonyms, and the references and keys of today. So the register holds no names, and it can be
asked again when more is known about what happened.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from faceauth.audit import register
from faceauth.audit.affected import Reach, Window, subjects
from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.audit.register import Incident, Notice, Risk
from faceauth.clock import Clock
from faceauth.consent.names import check_locale, masked
from faceauth.consent.people import every_name
from faceauth.db.engine import Database
from faceauth.errors import InvalidRequest
from faceauth.identity.approvals import Approvals, Kind, SecondPerson
from faceauth.installation import Installation
from faceauth.outbox.endpoints import Endpoints
from faceauth.signing import Signer
from faceauth.telling import send
from faceauth.two_people import Outcome
from faceauth.vault.enrolled import models_of_accounts
from faceauth.vault.wrapped import versions_of_accounts

REPORT: Final = "faceauth-incident-report+jwt"
"""The `typ` of a signed closing report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whom an incident reached: whose face was used or stored in a window of time, narrowed if more is known.

    A model or a version of the key-encryption key narrows by how things are now. People whose face was erased
    since cannot be told apart any more, so they stay counted.
    """

    reach: Reach
    since: datetime
    until: datetime
    scenario: str | None = None
    model_digest: str | None = None
    key_version: int | None = None

    def told(self) -> dict[str, object]:
        """Return it as the register keeps it."""
        return {
            "reach": self.reach,
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "scenario": self.scenario,
            "model_digest": self.model_digest,
            "key_version": self.key_version,
        }


@dataclass(frozen=True, slots=True)
class Affected:
    """One person an incident reached. `account` is None where no name of today has this pseudonym."""

    subject: str
    account: str | None
    there: bool

    @property
    def shown(self) -> str:
        """The name as an administrator sees it."""
        return "" if self.account is None else masked(self.account)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incidents:
    """The register and what is done from it. Every act is one transaction with its audit record."""

    data: Database
    keys: Database
    audit: AuditLog
    approvals: Approvals
    signer: Signer
    clock: Clock
    random: Callable[[int], bytes]

    @classmethod
    def of(cls, installation: Installation, random: Callable[[int], bytes] = os.urandom) -> "Incidents":
        """Return the register of an opened installation."""
        return cls(
            data=installation.data,
            keys=installation.key_database,
            audit=installation.audit,
            approvals=installation.approvals,
            signer=installation.signer,
            clock=installation.clock,
            random=random,
        )

    def open(
        self, *, tenant: str, title: str, nature: str, risk: Risk, aware_at: datetime, scope: Scope, actor: str
    ) -> Incident:
        """Enter an incident; the clock runs from `aware_at`, when somebody first knew.

        Raises:
            InvalidRequest: it was known in the future, or the window ends before it begins.
        """
        now = self.clock()
        if aware_at > now:
            raise InvalidRequest("aware_at lies in the future: it is when somebody first knew.")
        incident_id = f"incident_{self.random(8).hex()}"
        with self.data.begin() as conn:
            register.add(
                conn,
                incident_id=incident_id,
                tenant=tenant,
                title=title,
                nature=nature,
                consequences="",
                measures="",
                risk=risk,
                scope=_checked(scope).told(),
                state="open",
                aware_at=aware_at,
                created_by=actor,
                created_at=now,
            )
            self._note(conn, Event.INCIDENT_OPENED, tenant, incident_id, actor, state=risk)
            return register.get(conn, incident_id, tenant=tenant)

    def change(
        self, incident_id: str, *, tenant: str, actor: str, scope: Scope | None = None, **facts: str | None
    ) -> Incident:
        """Write what is known better now: `nature`, `consequences`, `measures`, `risk` or whom it reached.

        Raises:
            UnknownIncident: there is none of that name.
            InvalidRequest: it is closed, or the window makes no sense.
        """
        values: dict[str, object] = {name: value for name, value in facts.items() if value is not None}
        if scope is not None:
            values["scope"] = _checked(scope).told()
        with self.data.begin() as conn:
            register.get(conn, incident_id, tenant=tenant)
            if values:
                self._change(conn, incident_id, **values)
                self._note(conn, Event.INCIDENT_CHANGED, tenant, incident_id, actor, kind=" ".join(sorted(values)))
            return register.get(conn, incident_id, tenant=tenant)

    def reported(self, incident_id: str, *, tenant: str, at: datetime, actor: str) -> Incident:
        """Write down that the authority was told, which stops the 72-hour clock; the first time counts.

        Raises:
            UnknownIncident: there is none of that name.
            InvalidRequest: it is closed, or was told before it was known or in the future.
        """
        with self.data.begin() as conn:
            found = register.get(conn, incident_id, tenant=tenant)
            if not found.aware_at <= at <= self.clock():
                raise InvalidRequest("The authority is told after somebody knew, and not in the future.")
            if found.authority_at is None:
                self._change(conn, incident_id, authority_at=at)
                late = "late" if at > found.due_at else "in_time"
                self._note(conn, Event.INCIDENT_REPORTED, tenant, incident_id, actor, state=late)
            return register.get(conn, incident_id, tenant=tenant)

    def affected(self, incident_id: str, *, tenant: str) -> tuple[Affected, ...]:
        """Return whom the incident reached, in the order of their pseudonyms.

        Raises:
            UnknownIncident: there is none of that name.
        """
        with self.data.read() as conn:
            scope = scope_of(register.get(conn, incident_id, tenant=tenant))
            window = Window(scope.since, scope.until, scope.scenario)
            found = subjects(conn, tenant=tenant, reach=scope.reach, window=window)
            names = {
                self.audit.pseudonym(tenant, name): (name, there)
                for name, there in every_name(conn, tenant).items()
            }
            models = models_of_accounts(conn, tenant=tenant) if scope.model_digest else {}
        versions: Mapping[str, set[int]] = {}
        if scope.key_version is not None:
            with self.keys.read() as conn:
                versions = versions_of_accounts(conn, tenant=tenant)
        people = (Affected(subject, *names.get(subject, (None, False))) for subject in sorted(found))
        return tuple(one for one in people if _within(scope, one.account, models, versions))

    def tell(
        self, incident_id: str, *, tenant: str, texts: Mapping[str, str], elsewhere: bool, actor: str
    ) -> Notice:
        """Tell the people it reached, through the application: a message for each into the outbox.

        The same texts again are the same notice: whoever has no message yet gets one, nobody gets two.

        Args:
            incident_id: The incident.
            tenant: Whose it is.
            texts: The notice by language; each person gets their own language, else English, else the first.
            elsewhere: They were told in another way, so nothing is sent; it is only written down.
            actor: Who tells.

        Raises:
            UnknownIncident: there is none of that name.
            InvalidRequest: it is closed, no text is given, one is empty, or there is no endpoint to send to.
        """
        for locale, text in texts.items():
            check_locale(locale)
            if not text.strip():
                raise InvalidRequest(f"The notice in {locale!r} is empty.")
        if not texts:
            raise InvalidRequest("A notice needs its text in one language at least.")
        people = [one.account for one in self.affected(incident_id, tenant=tenant) if one.account and one.there]
        said = json.dumps([incident_id, dict(texts)], sort_keys=True).encode()
        notice_id = f"notice_{hashlib.sha256(said).hexdigest()[:16]}"
        notice = Notice(notice_id, dict(texts), len(people), actor, self.clock())
        with self.data.begin() as conn:
            if register.get(conn, incident_id, tenant=tenant).state == "closed":
                raise InvalidRequest(_CLOSED)
            if not elsewhere and not Endpoints().list(conn, tenant=tenant):
                raise InvalidRequest(_NOBODY_LISTENS)
            register.add_notice(conn, incident_id, notice)
            self._note(conn, Event.INCIDENT_TOLD, tenant, incident_id, actor, count=len(people))
        if not elsewhere:
            send(self.data, notice, people, tenant=tenant, incident_id=incident_id, clock=self.clock)
        return notice

    def recipients(self, incident_id: str, *, tenant: str, actor: str) -> tuple[Outcome, tuple[str, ...]]:
        """Return the accounts it reached, by name, if a second person approved that; else ask for it (R52).

        Raises:
            UnknownIncident: there is none of that name.
            ApprovalRequired: the approval was used or refused meanwhile.
        """
        kind, details = Kind.INCIDENT_EXPORT, {"incident_id": incident_id}
        with self.data.begin() as conn:
            register.get(conn, incident_id, tenant=tenant)
            found = self.approvals.request(conn, kind, details, tenant=tenant, actor=actor)
        if found.state != "approved":
            return Outcome(found, None), ()
        names = tuple(sorted(one.account for one in self.affected(incident_id, tenant=tenant) if one.account))
        with self.data.begin() as conn:
            SecondPerson(self.approvals, found.approval_id, kind, details, tenant, actor).use(conn)
            self._note(conn, Event.INCIDENT_EXPORTED, tenant, incident_id, actor, count=len(names))
        return Outcome(found, f"{len(names):,} accounts."), names

    def close(self, incident_id: str, *, tenant: str, conclusion: str, actor: str) -> Incident:
        """Close an incident with a signed report of what was done about it; closing again changes nothing.

        Raises:
            UnknownIncident: there is none of that name.
            InvalidRequest: something that has to be done first was not: consequences and measures written down,
                the authority told unless there is no risk, people told if it is high.
        """
        reached = self.affected(incident_id, tenant=tenant)
        with self.data.begin() as conn:
            found = register.get(conn, incident_id, tenant=tenant)
            if found.state == "closed":
                return found
            notices = register.notices_of(conn, incident_id)
            if missing := _missing(found, notices):
                raise InvalidRequest(f"The incident cannot be closed yet: {'; '.join(missing)}.")
            now = self.clock()
            claims = _report(found, notices, reached, conclusion=conclusion, now=now)
            self._change(
                conn, incident_id, state="closed", closed_at=now, report=self.signer.sign(claims, typ=REPORT)
            )
            self._note(conn, Event.INCIDENT_CLOSED, tenant, incident_id, actor, count=len(reached))
            return register.get(conn, incident_id, tenant=tenant)

    def _change(self, conn: Connection, incident_id: str, **values: object) -> None:
        if not register.change(conn, incident_id, **values):
            raise InvalidRequest(_CLOSED)

    def _note(
        self, conn: Connection, event: Event, tenant: str, incident_id: str, actor: str, **details: str | int
    ) -> None:
        details["incident_id"] = incident_id
        self.audit.append(conn, event, tenant=tenant, account=None, actor=actor, details=details)


_NOBODY_LISTENS: Final = (
    "There is no endpoint to send notices to. Add one: faceauth webhook add; or take the names out with "
    "POST /v1/admin/incidents/{incident_id}/recipients, tell them, and send this again with elsewhere: true."
)
_CLOSED: Final = "The incident is closed; enter a new one if there is more."


def scope_of(incident: Incident) -> Scope:
    """Return whom an incident reached, as it was written down."""
    kept = dict(incident.scope)
    return Scope(
        reach=kept["reach"],
        since=datetime.fromisoformat(kept["since"]),
        until=datetime.fromisoformat(kept["until"]),
        scenario=kept["scenario"],
        model_digest=kept["model_digest"],
        key_version=kept["key_version"],
    )


def _checked(scope: Scope) -> Scope:
    if scope.since >= scope.until:
        raise InvalidRequest("The window ends before it begins.")
    return scope


def _within(
    scope: Scope, account: str | None, models: Mapping[str, set[bytes]], versions: Mapping[str, set[int]]
) -> bool:
    """Whether what is known today leaves this person in: who has nothing any more stays."""
    if account is None:
        return True
    has, wrapped = models.get(account), versions.get(account)
    of_model = scope.model_digest is None or not has or bytes.fromhex(scope.model_digest) in has
    return of_model and (scope.key_version is None or not wrapped or scope.key_version in wrapped)


def _missing(incident: Incident, notices: tuple[Notice, ...]) -> list[str]:
    """Say what GDPR, articles 33(3) and (5) and 34(1), asks for that is not there."""
    wanted = {
        "write down the likely consequences": incident.consequences.strip(),
        "write down the measures taken": incident.measures.strip(),
        "tell the authority, or find that there is no risk": incident.risk == "none" or incident.authority_at,
        "tell the people it reached: the risk is high": incident.risk != "high" or notices,
    }
    return [what for what, there in wanted.items() if not there]


def _report(
    incident: Incident,
    notices: tuple[Notice, ...],
    reached: tuple[Affected, ...],
    *,
    conclusion: str,
    now: datetime,
) -> dict[str, object]:
    late = incident.authority_at is not None and incident.authority_at > incident.due_at
    return {
        "schema": "faceauth/incident-report/1",
        "jti": incident.incident_id,
        "iat": int(now.timestamp()),
        "tenant": incident.tenant,
        "title": incident.title,
        "nature": incident.nature,
        "consequences": incident.consequences,
        "measures": incident.measures,
        "conclusion": conclusion,
        "risk": incident.risk,
        "scope": dict(incident.scope),
        "aware_at": incident.aware_at.isoformat(),
        "authority_due_at": incident.due_at.isoformat(),
        "authority_at": None if incident.authority_at is None else incident.authority_at.isoformat(),
        "authority_late": late,
        "people": len(reached),
        "people_with_an_account": sum(one.there for one in reached),
        "notices": [{"sent_at": one.sent_at.isoformat(), "people": one.people} for one in notices],
        "closed_at": now.isoformat(),
    }
