"""Carries campaigns on: asks in batches, reminds, and after the deadline does what the campaign says (R34).

Silence is no yes. Who was asked and does not agree is suspended or erased; who was never asked loses nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event as Flag
from typing import Final

import structlog
from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.clock import Clock
from faceauth.consent.campaigns import Campaign, CampaignStore
from faceauth.consent.ledger import ConsentLedger
from faceauth.consent.notices import NoticeStore
from faceauth.consent.standing import lock_account
from faceauth.db.engine import Database
from faceauth.errors import FaceauthError
from faceauth.installation import Installation
from faceauth.outbox.messages import Letter, Outbox, message_id_of
from faceauth.sections import CampaignSettings
from faceauth.vault.erasure import Erasure

log = structlog.get_logger(__name__)

REQUESTED: Final = "consent.requested"
REMINDED: Final = "consent.reminder"
CLOSED: Final = "campaign.closed"

Progressing = Callable[[str, int, int], None]
"""Told what is being done, how many people are done and of how many."""


@dataclass(slots=True)
class Done:
    """What a round did, in people; `closed` are campaigns, and `failed` are tried again next time."""

    asked: int = 0
    reminded: int = 0
    suspended: int = 0
    erased: int = 0
    failed: int = 0
    closed: list[str] = field(default_factory=list)

    @property
    def anything(self) -> bool:
        """Whether there was something to do."""
        return bool(self.asked or self.reminded or self.suspended or self.erased or self.failed or self.closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Works through the open campaigns of every tenant."""

    data: Database
    ledger: ConsentLedger
    notices: NoticeStore
    erasure: Erasure
    audit: AuditLog
    clock: Clock
    settings: CampaignSettings
    store: CampaignStore = field(default_factory=CampaignStore)
    outbox: Outbox = field(default_factory=Outbox)

    @classmethod
    def of(cls, installation: Installation) -> "Asking":
        """Return it for an opened installation."""
        return cls(
            data=installation.data,
            ledger=installation.ledger,
            notices=installation.notices,
            erasure=installation.erasure,
            audit=installation.audit,
            clock=installation.clock,
            settings=installation.settings.campaigns,
        )

    def run(self, progress: Progressing | None = None, *, stop: Flag | None = None) -> Done:
        """Carry every open campaign on: ask, remind, and after the deadline do what it says and close it.

        Whatever is cut short goes on with the next round. Several processes may run it at once.

        Raises:
            StorageError, AuditUnavailable: The batch under way was not written; nobody in it was asked.
        """
        done, stop = Done(), stop or Flag()
        told = progress or (lambda _what, _number, _of: None)
        with self.data.read() as conn:
            found = self.store.open(conn)
        for campaign in found:
            if campaign.deadline > self.clock():
                after = ""
                while not stop.is_set() and (people := self._ask_some(campaign, after)):
                    after, done.asked = people[-1], done.asked + len(people)
                    told("asking", done.asked, campaign.chosen)
                after = ""
                while not stop.is_set() and (people := self._remind_some(campaign, after)):
                    after, done.reminded = people[-1], done.reminded + len(people)
                    told("reminding", done.reminded, campaign.chosen)
            elif not stop.is_set():
                self._finish(campaign, done, told, stop)
        with self.data.begin() as conn:
            self.store.tidy(conn)
        return done

    def _ask_some(self, campaign: Campaign, after: str) -> tuple[str, ...]:
        now = self.clock()
        with self.data.begin() as conn:
            if not self.store.lock(conn, campaign):
                return ()
            accounts = self.store.waiting(conn, campaign, after=after, most=self.settings.batch)
            if accounts:
                told = self._what_to_show(conn, campaign)
                self._tell(conn, campaign, REQUESTED, {_key(campaign, one): one for one in accounts}, told)
                for account in accounts:
                    note(self.audit, conn, Event.CONSENT_REQUESTED, campaign, "system", account=account)
                passed = _reminders(campaign, now)
                self.store.asked(conn, campaign, accounts, reminded=passed, now=now)
        return accounts

    def _remind_some(self, campaign: Campaign, after: str) -> tuple[str, ...]:
        number = _reminders(campaign, self.clock())
        if not number:
            return ()
        with self.data.begin() as conn:
            if not self.store.lock(conn, campaign):
                return ()
            accounts = self.store.to_remind(conn, campaign, number=number, after=after, most=self.settings.batch)
            if accounts:
                told = self._what_to_show(conn, campaign)
                keys = {f"{_key(campaign, one)}/{number}": one for one in accounts}
                self._tell(conn, campaign, REMINDED, keys, told)
                self.store.reminded(conn, campaign, accounts, number=number)
        return accounts

    def _finish(self, campaign: Campaign, done: Done, told: Progressing, stop: Flag) -> None:
        """Do to those who did not agree what the campaign says, in batches, and close it when nobody is left."""
        after, seen, failed = "", 0, done.failed
        while True:
            with self.data.read() as conn:
                without = self.store.unsettled(conn, campaign, after=after, most=self.settings.batch)
                late = self._not_told(conn, campaign, [one.account for one in without])
            if not without:
                break
            after, seen = without[-1].account, seen + len(without)
            # Who has no consent has nothing to lose. Who never got the question is not erased for silence.
            agreed = [one.account for one in without if one.consented]
            erased = [one for one in agreed if campaign.on_deadline == "erase" and one not in late]
            done.suspended += self._suspend(campaign, [one for one in agreed if one not in erased])
            for account in erased:
                if stop.is_set():
                    return
                self._erase(campaign, account, done)
            told("closing", seen, campaign.chosen)
            if stop.is_set():
                return
        if done.failed == failed:
            self._close(campaign, done)

    def _not_told(self, conn: Connection, campaign: Campaign, accounts: Sequence[str]) -> set[str]:
        ids = {message_id_of(campaign.tenant, REQUESTED, _key(campaign, one)): one for one in accounts}
        return {ids[one] for one in self.outbox.undelivered(conn, ids)}

    def _suspend(self, campaign: Campaign, accounts: list[str]) -> int:
        if not accounts:
            return 0
        with self.data.begin() as conn:
            if not self.store.lock(conn, campaign):
                return 0
            without = self.store.still_unsettled(conn, campaign, accounts)
            self.store.settle(conn, campaign, without, "suspended")
            for account in without:
                note(self.audit, conn, Event.CONSENT_SUSPENDED, campaign, "system", account=account)
        return len(without)

    def _erase(self, campaign: Campaign, account: str, done: Done) -> None:
        """End one consent and erase what it allowed, if the person has not agreed meanwhile."""
        tenant, scenario = campaign.tenant, campaign.scenario
        try:
            with self.data.begin() as conn:
                # An answer under way holds the account's lock: it commits before this, or comes after an end.
                if not lock_account(conn, tenant, account):
                    return
                if not self.store.still_unsettled(conn, campaign, [account]):
                    return
                self.ledger.expire(conn, tenant=tenant, account=account, scenario=scenario)
                self.store.settle(conn, campaign, [account], "erased")
                tombstone = self.erasure.request(
                    conn, tenant=tenant, account=account, scenario=scenario, reason="campaign_deadline"
                )
                note(
                    self.audit,
                    conn,
                    Event.CONSENT_EXPIRED,
                    campaign,
                    "system",
                    account=account,
                    reason="campaign_deadline",
                )
            self.erasure.run(tombstone)
            done.erased += 1
        except FaceauthError as error:
            log.warning("campaign.failed", code=error.code, campaign_id=campaign.campaign_id)
            done.failed += 1

    def _close(self, campaign: Campaign, done: Done) -> None:
        with self.data.begin() as conn:
            if not self.store.lock(conn, campaign):
                return
            progress = self.store.progress(conn, campaign)
            late = len(self._not_told(conn, campaign, self.store.silent(conn, campaign)))
            report = asdict(progress) | {"undelivered": late}
            closed = self.store.end(conn, campaign, state="closed", report=report, now=self.clock())
            self._tell(conn, closed, CLOSED, {campaign.campaign_id: None}, report)
            note(self.audit, conn, Event.CAMPAIGN_CLOSED, closed, "system")
        done.closed.append(campaign.campaign_id)

    # --- what is told and noted ----------------------------------------------------------------------------------

    def _what_to_show(self, conn: Connection, campaign: Campaign) -> dict[str, object]:
        notice = self.notices.current(conn, campaign.tenant, campaign.scenario, self.clock())
        sha256 = {locale: text.sha256 for locale, text in notice.texts.items()}
        return {"notice": {"version": notice.version, "sha256": sha256}}

    def _tell(
        self,
        conn: Connection,
        campaign: Campaign,
        kind: str,
        keys: Mapping[str, str | None],
        told: Mapping[str, object],
    ) -> None:
        """Put a message into the outbox for each key, about the account beside it, if there is one."""
        about = {
            "campaign_id": campaign.campaign_id,
            "scenario": campaign.scenario,
            "deadline": campaign.deadline.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "on_deadline": campaign.on_deadline,
            **told,
        }
        letters = [
            Letter(key, about if account is None else {**about, "account_id": account}, account)
            for key, account in keys.items()
        ]
        self.outbox.put_all(conn, tenant=campaign.tenant, kind=kind, letters=letters, now=self.clock())


def note(
    audit: AuditLog,
    conn: Connection,
    event: Event,
    campaign: Campaign,
    actor: str,
    *,
    account: str | None = None,
    **more: str | int,
) -> None:
    """Audit what was done for a campaign, in the transaction that does it."""
    details = {"campaign_id": campaign.campaign_id, "scenario": campaign.scenario, **more}
    audit.append(conn, event, tenant=campaign.tenant, account=account, actor=actor, details=details)


def _key(campaign: Campaign, account: str) -> str:
    return f"{campaign.campaign_id}/{account}"


def _reminders(campaign: Campaign, now: datetime) -> int:
    """Return how many of the campaign's reminders have had their time."""
    return sum(now >= campaign.deadline - timedelta(days=day) for day in campaign.remind_days)


def repeat(asking: Asking, stop: Flag) -> Iterator[Done]:
    """Carry campaigns on, as often as the settings say, until `stop` is set; yields rounds that did something."""
    pause = asking.settings.every_s
    while pause and not stop.is_set():
        try:
            done = asking.run(stop=stop)
            if done.anything:
                yield done
        except Exception as error:  # noqa: BLE001  whatever went wrong, the next round comes
            log.warning("campaign.failed", error=type(error).__name__)
        stop.wait(pause)
