"""Questions that wait for an answer: put by a campaign, answered by nothing but what the ledger says (R34)."""

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


def open_question(conn: Connection, tenant: str, account: str, scenario: str) -> str | None:
    """Return the campaign whose question this person was asked and has not answered, if there is one."""
    if not (is_account(account) and is_scenario(scenario)):
        return None
    query = (
        select(members.c.campaign_id)
        .join(campaigns, campaigns.c.campaign_id == members.c.campaign_id)
        .where(
            members.c.tenant == tenant,
            members.c.account == account,
            members.c.scenario == scenario,
            members.c.state.in_(("asked", "suspended")),
            campaigns.c.state != "cancelled",
            ~ANSWERED,
        )
        .limit(1)
    )
    found: str | None = conn.scalar(query)
    return found
