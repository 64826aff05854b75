"""Questions that wait for an answer: put by a campaign, answered by nothing but what the ledger says (R34)."""

from dataclasses import dataclass
from datetime import UTC

from sqlalchemy import ColumnElement, Connection, and_, exists, select

from faceauth.consent.names import is_account, is_scenario
from faceauth.db.campaign_tables import campaign_members as members
from faceauth.db.campaign_tables import campaigns
from faceauth.db.schema import consent_events

_EVENT = consent_events.c

ANSWERS: ColumnElement[bool] = and_(
    _EVENT.tenant == members.c.tenant,
    _EVENT.account == members.c.account,
    _EVENT.scenario == members.c.scenario,
    _EVENT.seq > members.c.after_seq,
    # A yes to an older text than the one asked about is no answer; a no is one, whatever it was said to.
    _EVENT.state.not_in(("given", "renewed")) | (_EVENT.notice_version >= campaigns.c.notice_version),
)
"""The condition on `consent_events` for answers to a member's question; `campaigns` stands beside the members."""

ANSWERED: ColumnElement[bool] = exists().where(ANSWERS)
"""The condition on `campaign_members` with `campaigns` beside them."""

SETTLED: ColumnElement[bool] = exists().where(ANSWERS, _EVENT.state != "refused")
"""As `ANSWERED`, by anything but a no beside a consent that goes on: a no never makes a face usable again."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question that waits for a yes: which campaign's, until when, and what comes without one."""

    campaign_id: str
    deadline: str
    on_deadline: str


def waiting_question(conn: Connection, tenant: str, account: str, scenario: str) -> Waiting | None:
    """Return the question that keeps this person's face from use: asked, and not agreed to since."""
    if not (is_account(account) and is_scenario(scenario)):
        return None
    query = (
        select(campaigns.c.campaign_id, campaigns.c.deadline, campaigns.c.on_deadline)
        .select_from(members)
        .join(campaigns, campaigns.c.campaign_id == members.c.campaign_id)
        .where(
            members.c.tenant == tenant,
            members.c.account == account,
            members.c.scenario == scenario,
            members.c.state.in_(("asked", "suspended")),
            campaigns.c.state != "cancelled",
            ~SETTLED,
        )
        .order_by(campaigns.c.deadline.desc())
        .limit(1)
    )
    row = conn.execute(query).one_or_none()
    if row is None:
        return None
    at = row.deadline.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return Waiting(row.campaign_id, at, row.on_deadline)


def open_question(conn: Connection, tenant: str, account: str, scenario: str) -> str | None:
    """Return the campaign whose question keeps this person's face from use, if there is one."""
    found = waiting_question(conn, tenant, account, scenario)
    return None if found is None else found.campaign_id
