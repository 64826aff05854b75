"""The repository of campaigns: one question each, to the people it was for, with who has not answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    union_all,
    update,
)

from faceauth.consent.audience import Audience
from faceauth.consent.questions import ANSWERED, ANSWERS, SETTLED
from faceauth.consent.standing import ENDED
from faceauth.db.campaign_tables import campaign_members as members
from faceauth.db.campaign_tables import campaigns
from faceauth.db.schema import accounts, consent_events, live_consents, sessions
from faceauth.errors import UnknownCampaign

OnDeadline = Literal["suspend", "erase"]
State = Literal["open", "closed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign. `chosen` is how many people it began with, `report` what became of them, once it is closed."""

    campaign_id: str
    tenant: str
    scenario: str
    notice_version: int
    audience: Audience
    chosen: int
    deadline: datetime
    on_deadline: OnDeadline
    remind_days: tuple[int, ...]
    state: State
    created_by: str
    created_at: datetime
    closed_at: datetime | None
    report: Mapping[str, int] | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a campaign has come, in people.

    `asked` of the `chosen` were asked, and of these: `given`, `refused`, `pending`, `lapsed` (their consent ended
    by another clock), `suspended` and `erased` (what the deadline did to the silent). Who refused counts there,
    whatever the deadline did. `waiting` are to be asked yet, and `gone` closed their accounts.
    """

    chosen: int
    asked: int = 0
    given: int = 0
    refused: int = 0
    pending: int = 0
    lapsed: int = 0
    suspended: int = 0
    erased: int = 0
    waiting: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Somebody who was asked and did not agree; `consented` says whether there is a consent to act on."""

    account: str
    consented: bool


class CampaignStore:
    """Campaigns by tenant. Every method works in the caller's transaction."""

    def count(self, conn: Connection, *, tenant: str, scenario: str, audience: Audience) -> dict[int, int]:
        """Return how many people a campaign would ask, by the notice version of the consent that chooses them."""
        chosen = _chosen(tenant, scenario, audience).subquery()
        query = select(chosen.c.notice_version, func.count()).group_by(chosen.c.notice_version)
        return {
            int(version): int(count) for version, count in conn.execute(query.order_by(chosen.c.notice_version))
        }

    def create(
        self,
        conn: Connection,
        *,
        campaign_id: str,
        tenant: str,
        scenario: str,
        notice_version: int,
        audience: Audience,
        deadline: datetime,
        on_deadline: OnDeadline,
        remind_days: Sequence[int],
        created_by: str,
        now: datetime,
    ) -> Campaign:
        """Begin a campaign: its people are chosen now, and asked later."""
        conn.execute(
            insert(campaigns).values(
                campaign_id=campaign_id,
                tenant=tenant,
                scenario=scenario,
                notice_version=notice_version,
                audience=audience.to_json(),
                chosen=0,
                deadline=deadline,
                on_deadline=on_deadline,
                remind_days=sorted(set(remind_days), reverse=True),
                state="open",
                created_by=created_by,
                created_at=now,
            )
        )
        chosen = _chosen(tenant, scenario, audience).subquery()
        last = (
            select(func.coalesce(func.max(consent_events.c.seq), 0))
            .where(consent_events.c.tenant == tenant, consent_events.c.account == chosen.c.account)
            .scalar_subquery()
        )
        names = ["campaign_id", "account", "tenant", "scenario", "after_seq", "state", "reminded"]
        rows = select(
            literal(campaign_id),
            chosen.c.account,
            literal(tenant),
            literal(scenario),
            last,
            literal("waiting"),
            literal(0),
        )
        conn.execute(insert(members).from_select(names, rows))
        count = conn.scalar(select(func.count()).where(members.c.campaign_id == campaign_id))
        conn.execute(update(campaigns).where(campaigns.c.campaign_id == campaign_id).values(chosen=count))
        return self.get(conn, campaign_id, tenant=tenant)

    def get(self, conn: Connection, campaign_id: str, *, tenant: str) -> Campaign:
        """Return one.

        Raises:
            UnknownCampaign: If there is none for this tenant.
        """
        query = select(campaigns).where(campaigns.c.campaign_id == campaign_id, campaigns.c.tenant == tenant)
        row = conn.execute(query).one_or_none()
        if row is None:
            raise UnknownCampaign(f"There is no campaign {campaign_id[:100]!r}. See: faceauth campaign list")
        return _campaign(row)

    def list(self, conn: Connection, *, tenant: str) -> tuple[Campaign, ...]:
        """Return a tenant's campaigns, the newest first."""
        query = select(campaigns).where(campaigns.c.tenant == tenant)
        rows = conn.execute(query.order_by(campaigns.c.created_at.desc(), campaigns.c.campaign_id))
        return tuple(_campaign(row) for row in rows)

    def open(
        self, conn: Connection, *, tenant: str | None = None, scenario: str | None = None
    ) -> Sequence[Campaign]:
        """Return open campaigns, the earliest deadline first; of a tenant and a scenario, if given."""
        query = select(campaigns).where(campaigns.c.state == "open")
        if tenant is not None:
            query = query.where(campaigns.c.tenant == tenant)
        if scenario is not None:
            query = query.where(campaigns.c.scenario == scenario)
        return [_campaign(row) for row in conn.execute(query.order_by(campaigns.c.deadline))]

    def lock(self, conn: Connection, campaign: Campaign) -> bool:
        """Keep others from working on it until this transaction ends; return whether it is still open."""
        query = select(campaigns.c.state).where(campaigns.c.campaign_id == campaign.campaign_id)
        return conn.scalar(query.with_for_update()) == "open"

    def waiting(self, conn: Connection, campaign: Campaign, *, after: str = "", most: int) -> tuple[str, ...]:
        """Return accounts that are to be asked yet, in their order, beginning after one."""
        yet = (_of(campaign), members.c.state == "waiting", members.c.account > after)
        query = _beside(select(members.c.account)).where(*yet)
        return tuple(conn.scalars(_staying(query).order_by(members.c.account).limit(most)))

    def asked(
        self, conn: Connection, campaign: Campaign, people: Sequence[str], *, reminded: int, now: datetime
    ) -> None:
        """Note that they were asked; `reminded` counts the reminders whose time was over by then."""
        who = (_of(campaign), members.c.account.in_(people))
        conn.execute(update(members).where(*who).values(state="asked", asked_at=now, reminded=reminded))

    def to_remind(
        self, conn: Connection, campaign: Campaign, *, number: int, after: str = "", most: int
    ) -> tuple[str, ...]:
        """Return accounts that did not answer and had fewer than `number` reminders, beginning after one."""
        # Written so it is no range of an index: the members are walked once a round, in the order of their key.
        fewer = members.c.reminded + 0 < number
        late = (_of(campaign), members.c.state == "asked", members.c.account > after, fewer, ~ANSWERED)
        query = _beside(select(members.c.account)).where(*late)
        return tuple(conn.scalars(_staying(query).order_by(members.c.account).limit(most)))

    def reminded(self, conn: Connection, campaign: Campaign, people: Sequence[str], *, number: int) -> None:
        """Note that they had so many reminders."""
        who = (_of(campaign), members.c.account.in_(people))
        conn.execute(update(members).where(*who).values(reminded=number))

    def unsettled(
        self, conn: Connection, campaign: Campaign, *, after: str = "", most: int
    ) -> tuple[Unsettled, ...]:
        """Return those whom the deadline concerns, in the order of their accounts, beginning after one.

        They were asked, and said nothing, or said no and let their earlier consent stand.
        """
        without = (_of(campaign), members.c.state == "asked", members.c.account > after, ~SETTLED)
        live = live_consents.c
        same = (live.tenant == members.c.tenant) & (live.account == members.c.account)
        query = _beside(select(members.c.account, live.consent_id)).join(
            live_consents, same & (live.scenario == members.c.scenario), isouter=True
        )
        rows = conn.execute(query.where(*without).order_by(members.c.account).limit(most))
        return tuple(Unsettled(row.account, row.consent_id is not None) for row in rows)

    def silent(self, conn: Connection, campaign: Campaign) -> tuple[str, ...]:
        """Return the accounts of all who were asked and said nothing, also those that were suspended for it."""
        query = _beside(select(members.c.account))
        return tuple(
            conn.scalars(query.where(_of(campaign), members.c.state.in_(("asked", "suspended")), ~ANSWERED))
        )

    def still_unsettled(self, conn: Connection, campaign: Campaign, people: Sequence[str]) -> tuple[str, ...]:
        """Return those of the accounts that were asked and have not agreed or withdrawn meanwhile.

        Whoever acts on it in a way that an answer would not undo holds the account's lock.
        """
        who = (_of(campaign), members.c.account.in_(people), members.c.state == "asked", ~SETTLED)
        return tuple(conn.scalars(_beside(select(members.c.account)).where(*who).order_by(members.c.account)))

    def settle(
        self, conn: Connection, campaign: Campaign, people: Sequence[str], state: Literal["suspended", "erased"]
    ) -> None:
        """Note what the deadline did to them."""
        who = (_of(campaign), members.c.account.in_(people))
        conn.execute(update(members).where(*who).values(state=state))

    def progress(self, conn: Connection, campaign: Campaign) -> Progress:
        """Count how far an open one has come; for any, ask `standing`."""
        answer = (
            select(consent_events.c.state).where(ANSWERS).order_by(consent_events.c.seq.desc()).limit(1)
        ).scalar_subquery()
        stand = case(
            # The deadline's own line in the ledger comes after a no that was said before it.
            (
                and_(members.c.state == "erased", exists().where(ANSWERS, consent_events.c.state == "refused")),
                "refused",
            ),
            (members.c.state == "erased", "erased"),
            (members.c.state == "waiting", "waiting"),
            (answer.in_(("given", "renewed")), "given"),
            (answer.in_(("refused", "withdrawn")), "refused"),
            (answer == "expired", "lapsed"),
            (members.c.state == "suspended", "suspended"),
            else_="pending",
        )
        stands = _beside(select(stand.label("stand"))).where(_of(campaign)).subquery()
        query = select(stands.c.stand, func.count()).group_by(stands.c.stand)
        found = {str(stand): int(count) for stand, count in conn.execute(query)}
        there = sum(found.values())
        return Progress(
            campaign.chosen,
            asked=there - found.get("waiting", 0),
            gone=campaign.chosen - there,
            **found,
        )

    def standing(self, conn: Connection, campaign: Campaign) -> Progress:
        """Return how far it has come: counted while it is open, as it was reported afterwards."""
        if campaign.report is None:
            return self.progress(conn, campaign)
        return Progress(**{name: campaign.report[name] for name in Progress.__slots__})

    def end(
        self,
        conn: Connection,
        campaign: Campaign,
        *,
        state: Literal["closed", "cancelled"],
        report: Mapping[str, int],
        now: datetime,
    ) -> Campaign:
        """Close it with its report, and let go of everyone but those who stay suspended."""
        conn.execute(
            update(campaigns)
            .where(campaigns.c.campaign_id == campaign.campaign_id)
            .values(state=state, report=dict(report), closed_at=now)
        )
        # What a campaign took back asks for nothing, so nobody has to be remembered.
        stays = ("suspended",) if state == "closed" else ()
        conn.execute(delete(members).where(_of(campaign), members.c.state.not_in(stays)))
        return self.get(conn, campaign.campaign_id, tenant=campaign.tenant)

    def tidy(self, conn: Connection) -> int:
        """Let go of those who were suspended and have agreed or withdrawn since; return how many."""
        over = _beside(select(members.c.campaign_id, members.c.account)).where(
            campaigns.c.state == "closed", members.c.state == "suspended", SETTLED
        )
        rows = conn.execute(over).all()
        for row in rows:
            who = (members.c.campaign_id == row.campaign_id, members.c.account == row.account)
            conn.execute(delete(members).where(*who))
        return len(rows)


def _of(campaign: Campaign) -> ColumnElement[bool]:
    return members.c.campaign_id == campaign.campaign_id


def _beside(query: Select[Any]) -> Select[Any]:
    """Put the campaigns beside the members, which ANSWERED needs."""
    return query.select_from(members).join(campaigns, campaigns.c.campaign_id == members.c.campaign_id)


def _staying(query: Select[Any]) -> Select[Any]:
    """Keep the accounts from being closed before the messages about them are written; they lean on each other."""
    same = (accounts.c.tenant == members.c.tenant) & (accounts.c.account == members.c.account)
    return query.join(accounts, same).with_for_update(read=True, key_share=True, of=accounts)


def _chosen(tenant: str, scenario: str, audience: Audience) -> Select[Any]:
    """Select the accounts of an audience with the notice version of the consent that chooses them."""
    here = live_consents.c
    by = audience.consented_to or scenario
    over = select(consent_events.c.event_id).where(
        consent_events.c.tenant == here.tenant,
        consent_events.c.account == here.account,
        consent_events.c.consent_id == here.consent_id,
        consent_events.c.state.in_(ENDED),
    )
    query = select(here.account, here.notice_version).where(
        here.tenant == tenant, here.scenario == by, ~over.exists()
    )
    if audience.version_below is not None:
        query = query.where(here.notice_version < audience.version_below)
    if by != scenario:
        # Who has agreed to the new one already is not asked for it.
        other = live_consents.alias()
        agreed = select(other.c.account).where(
            other.c.tenant == tenant, other.c.scenario == scenario, other.c.account == here.account
        )
        query = query.where(~agreed.exists())
    if audience.active_since is None and audience.inactive_since is None:
        return query
    used = _last_uses(tenant, by).subquery()
    query = query.join(used, used.c.account == here.account, isouter=True)
    # Agreeing is a use as well, as for the retention's clock.
    last = case((used.c.at > here.granted_at, used.c.at), else_=here.granted_at)
    if audience.active_since is not None:
        query = query.where(last >= audience.active_since)
    if audience.inactive_since is not None:
        query = query.where(last < audience.inactive_since)
    return query


def _last_uses(tenant: str, scenario: str) -> Select[Any]:
    found = sessions.c
    accepted = and_(found.tenant == tenant, found.scenario == scenario, found.state == "accepted")
    # A session that identifies has its person in the second column only.
    both = union_all(
        *(
            select(who.label("account"), found.decided_at).where(accepted, who.is_not(None))
            for who in (found.account, found.matched_account)
        )
    ).subquery()
    return select(both.c.account, func.max(both.c.decided_at).label("at")).group_by(both.c.account)


def _campaign(row: Row[Any]) -> Campaign:
    values = {name: getattr(row, name) for name in Campaign.__slots__}
    values |= {"audience": Audience.from_json(row.audience), "remind_days": tuple(row.remind_days)}
    return Campaign(**values)
