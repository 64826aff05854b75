"""What an administrator does with campaigns: looks who would be asked, begins, watches, and takes back (R34).

Nobody answers for a person here: `faceauth.asking` asks, and the answer is what the person says by the usual way.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Connection

from faceauth.asking import note
from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.clock import Clock
from faceauth.consent.audience import Audience
from faceauth.consent.campaigns import Campaign, CampaignStore, OnDeadline, Progress
from faceauth.consent.notices import Notice, NoticeStore
from faceauth.consent.scenarios import ScenarioStore
from faceauth.db.engine import Database
from faceauth.errors import AlreadyExists, InvalidRequest, UnknownNotice
from faceauth.identity.approvals import Approval, Approvals, Kind
from faceauth.installation import Installation
from faceauth.outbox.endpoints import Endpoints

log = structlog.get_logger(__name__)

REQUESTED: Final = "consent.requested"
REMINDED: Final = "consent.reminder"
CLOSED: Final = "campaign.closed"

LONGEST: Final = timedelta(days=365)
"""The latest deadline. Own figure: a consent is asked for again after a year anyway."""

Progressing = Callable[[str, int, int], None]
"""Told what is being done, how many people are done and of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an administrator wants asked, of whom, until when, and what silence leads to."""

    scenario: str
    audience: Audience
    deadline: datetime
    on_deadline: OnDeadline
    remind_days: tuple[int, ...] = (7, 1)


@dataclass(frozen=True, slots=True)
class Preview:
    """Whom a campaign would ask: how many, and by the version of the notice that they agreed to."""

    people: int
    by_version: Mapping[int, int]
    notice_version: int


@dataclass(frozen=True, slots=True)
class Begun:
    """A campaign, or the approval that one with erasure waits for."""

    campaign: Campaign | None
    approval: Approval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaigns:
    """Begins campaigns and carries them on."""

    data: Database
    scenarios: ScenarioStore
    notices: NoticeStore
    approvals: Approvals
    audit: AuditLog
    clock: Clock
    new_id: Callable[[], str]
    store: CampaignStore = field(default_factory=CampaignStore)

    @classmethod
    def of(cls, installation: Installation, *, random: Callable[[int], bytes] | None = None) -> "Campaigns":
        """Return the campaigns of an opened installation."""
        draw = installation.desk.random if random is None else random
        return cls(
            data=installation.data,
            scenarios=installation.scenarios,
            notices=installation.notices,
            approvals=installation.approvals,
            audit=installation.audit,
            clock=installation.clock,
            new_id=lambda: f"campaign_{draw(8).hex()}",
        )

    def preview(self, *, tenant: str, question: Question) -> Preview:
        """Count whom a campaign would ask; nothing is done.

        Raises:
            UnknownScenario, InvalidRequest: It could not be begun so.
        """
        with self.data.read() as conn:
            notice = self._check(conn, tenant, question)
            counts = self.store.count(conn, tenant=tenant, scenario=question.scenario, audience=question.audience)
        return Preview(sum(counts.values()), counts, notice.version)

    def begin(self, *, tenant: str, question: Question, actor: str) -> Begun:
        """Choose the people and open the campaign; the next round asks them.

        One that erases takes a second person's approval (R52): the first call asks for it, and the same call again
        begins the campaign once it is given.

        Raises:
            UnknownScenario, InvalidRequest: It could not be begun so, or nobody would be asked.
            AlreadyExists: This scenario's last campaign is still open.
            ApprovalRequired: The approval was used or refused meanwhile.
        """
        with self.data.begin() as conn:
            notice = self._check(conn, tenant, question)
            if self.store.open(conn, tenant=tenant, scenario=question.scenario):
                raise AlreadyExists(f"A campaign for {question.scenario} is open: wait for its end, or cancel it.")
            if not Endpoints().list(conn, tenant=tenant):
                raise InvalidRequest(
                    "There is no webhook endpoint, so nobody could be asked: faceauth webhook add"
                )
            approval = self._second_person(conn, tenant, question, actor)
            if approval is not None and approval.state != "approved":
                return Begun(None, approval)
            campaign = self.store.create(
                conn,
                campaign_id=self.new_id(),
                tenant=tenant,
                scenario=question.scenario,
                notice_version=notice.version,
                audience=question.audience,
                deadline=question.deadline,
                on_deadline=question.on_deadline,
                remind_days=question.remind_days,
                created_by=actor,
                now=self.clock(),
            )
            if not campaign.chosen:
                raise InvalidRequest("Nobody is in this audience: there is no one to ask.")
            if approval is not None:
                self.approvals.use(conn, approval, actor=actor)
            note(self.audit, conn, Event.CAMPAIGN_CREATED, campaign, actor, count=campaign.chosen)
        return Begun(campaign, approval)

    def view(self, *, tenant: str, campaign_id: str) -> tuple[Campaign, Progress]:
        """Return a campaign and how far it has come.

        Raises:
            UnknownCampaign: There is none for this tenant.
        """
        with self.data.read() as conn:
            campaign = self.store.get(conn, campaign_id, tenant=tenant)
            return campaign, self.store.standing(conn, campaign)

    def list(self, *, tenant: str) -> tuple[tuple[Campaign, Progress], ...]:
        """Return a tenant's campaigns, the newest first, and how far each has come."""
        with self.data.read() as conn:
            found = self.store.list(conn, tenant=tenant)
            return tuple((campaign, self.store.standing(conn, campaign)) for campaign in found)

    def cancel(self, *, tenant: str, campaign_id: str, actor: str) -> tuple[Campaign, Progress]:
        """Take the question back: who has not answered is asked nothing any more. Again, it changes nothing.

        Raises:
            UnknownCampaign: There is none for this tenant.
        """
        with self.data.begin() as conn:
            campaign = self.store.get(conn, campaign_id, tenant=tenant)
            if self.store.lock(conn, campaign):
                report = asdict(self.store.progress(conn, campaign))
                campaign = self.store.end(conn, campaign, state="cancelled", report=report, now=self.clock())
                note(self.audit, conn, Event.CAMPAIGN_CANCELLED, campaign, actor)
            return campaign, self.store.standing(conn, campaign)

    def _check(self, conn: Connection, tenant: str, question: Question) -> Notice:
        """Return the notice that would be shown.

        Raises:
            UnknownScenario, InvalidRequest: The question cannot be asked so.
        """
        question.audience.check()
        now = self.clock()
        if not now < question.deadline <= now + LONGEST:
            raise InvalidRequest(f"The deadline must be ahead, and at most {LONGEST.days} days.")
        if len(question.remind_days) > 10 or not all(1 <= day <= LONGEST.days for day in question.remind_days):
            raise InvalidRequest("remind_days are up to ten numbers of days before the deadline.")
        if self.scenarios.get(conn, tenant, question.scenario).state != "active":
            raise InvalidRequest("The scenario is not active; nobody can agree to it.")
        if question.audience.consented_to is not None:
            self.scenarios.get(conn, tenant, question.audience.consented_to)
        try:
            return self.notices.current(conn, tenant, question.scenario, now)
        except UnknownNotice as error:
            raise InvalidRequest(f"{error} There is nothing to show yet.") from error

    def _second_person(self, conn: Connection, tenant: str, question: Question, actor: str) -> Approval | None:
        """Return the approval that this very campaign has or waits for; None where it needs none."""
        if question.on_deadline != "erase":
            return None
        details = {
            "scenario": question.scenario,
            "audience": json.dumps(question.audience.to_json(), sort_keys=True),
            "deadline": question.deadline.astimezone(UTC).isoformat(timespec="seconds"),
            "remind_days": ",".join(map(str, question.remind_days)),
        }
        return self.approvals.request(conn, Kind.CAMPAIGN_ERASE, details, tenant=tenant, actor=actor)
