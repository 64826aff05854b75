"""The privacy page's desk: what a person sees of their own face and does about it, without the application."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import Activity
from faceauth.bearer import Granted
from faceauth.consent.accounts import Account
from faceauth.consent.notices import Notice
from faceauth.consent.questions import open_question
from faceauth.consent.scenarios import Scenario
from faceauth.errors import UnknownNotice
from faceauth.identity.devices import Device, DeviceKeys
from faceauth.identity.privacy_links import PrivacyLinks, Visitor
from faceauth.installation import Installation
from faceauth.lifecycle import Lifecycle

Stance = Literal["agreed", "ask_again", "refused", "withdrawn", "over", "never"]
"""Where a person stands with a scenario: `ask_again` counts no more, or is to be confirmed."""


_STANCES: Final[Mapping[str, Stance]] = {
    "given": "agreed",
    "renewed": "agreed",
    "withdrawn": "withdrawn",
    "expired": "over",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One scenario as the person sees it; `notice` is the one in force, `version` the one they agreed to.

    `declined` is the newest version that they have said no to since, while what they agreed to went on.
    """

    scenario: Scenario
    notice: Notice
    stance: Stance
    since: datetime | None
    version: int | None
    until: datetime | None
    declined: int | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the page shows."""

    account: Account
    standings: Sequence[Standing]
    activity: Sequence[Activity]
    devices: Sequence[Device]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyDesk:
    """Opens the page for one person and tells what it shows; acts go through the same lifecycle as everywhere."""

    installation: Installation
    lifecycle: Lifecycle
    links: PrivacyLinks
    devices: DeviceKeys

    @classmethod
    def of(cls, installation: Installation) -> "PrivacyDesk":
        """Return the desk of an opened installation."""
        return cls(
            installation=installation,
            lifecycle=installation.lifecycle,
            links=PrivacyLinks(installation.desk.random),
            devices=installation.lifecycle.devices,
        )

    def mint(self, *, tenant: str, account: str, actor: str) -> Granted:
        """Make a link for a person who is signed in at the application; who made it is on record.

        Raises:
            UnknownAccount: there is none of that name.
        """
        here = self.installation
        with here.data.begin() as conn:
            here.accounts.get(conn, tenant, account)
            here.audit.append(conn, Event.PRIVACY_LINKED, tenant=tenant, account=account, actor=actor)
            return self.links.mint(conn, tenant=tenant, account=account, now=here.clock())

    def begin(self, token: str) -> Granted:
        """Open the page with its link, which uses the link up.

        Raises:
            NotAuthenticated: the link is none, or not any more.
        """
        with self.installation.data.begin() as conn:
            return self.links.open(conn, token, now=self.installation.clock())

    def visitor(self, token: str) -> Visitor:
        """Return whose page it is.

        Raises:
            NotAuthenticated: the visit is over.
        """
        with self.installation.data.read() as conn:
            return self.links.visitor(conn, token, now=self.installation.clock())

    def overview(self, visitor: Visitor) -> Overview:
        """Return what the page shows.

        Raises:
            UnknownAccount: the account was closed meanwhile.
        """
        here, who = self.installation, (visitor.tenant, visitor.account)
        with here.data.read() as conn:
            account = here.accounts.get(conn, *who)
            found = [self._standing(conn, visitor, one) for one in here.scenarios.list(conn, visitor.tenant)]
            return Overview(
                account=account,
                standings=[one for one in found if one is not None],
                activity=here.audit.activity(conn, *who, since=account.created_at),
                devices=self.devices.list(conn, tenant=visitor.tenant, account=visitor.account),
            )

    def _standing(self, conn: Connection, visitor: Visitor, scenario: Scenario) -> Standing | None:
        """Return where the person stands; None for a scenario that is closed, or has nothing to show yet."""
        here, tenant, account = self.installation, visitor.tenant, visitor.account
        if scenario.state != "active":
            return None
        try:
            notice = here.notices.current(conn, tenant, scenario.scenario, here.clock())
        except UnknownNotice:
            return None
        state = here.ledger.state(conn, tenant, account, scenario.scenario)
        if state is None:
            return Standing(scenario, notice, "never", None, None, None)
        stance = _STANCES.get(state.state, "refused")
        asked = open_question(conn, tenant, account, scenario.scenario)
        if stance == "agreed" and (state.stale or asked is not None):
            stance = "ask_again"
        return Standing(
            scenario,
            notice,
            stance,
            since=state.since,
            version=state.notice_version if stance in {"agreed", "ask_again"} else None,
            until=state.valid_until,
            declined=state.declined,
        )
