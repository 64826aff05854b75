"""The hosted flow: a backend mints a link; the page behind it asks, records the answer, and opens the session.

The link works once and for minutes. It carries the person back to the application with the flow's id and nothing
else: how it went is asked by the backend.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.bearer import digest_of
from faceauth.capture.flow import FlowPurpose, FlowRow, FlowState, FlowStore
from faceauth.clock import Clock
from faceauth.consent.accounts import AccountStore
from faceauth.consent.gate import ConsentGate
from faceauth.consent.notices import Notice, NoticeStore
from faceauth.consent.request import Affirmation, ConsentRequest
from faceauth.consent.scenarios import ScenarioStore
from faceauth.db.engine import Database
from faceauth.errors import (
    ConsentError,
    Denied,
    FaceauthError,
    InvalidRequest,
    ReauthenticationRequired,
    UnknownScenario,
)
from faceauth.identity.reauthentication import check_fresh
from faceauth.installation import Installation
from faceauth.lifecycle import Lifecycle
from faceauth.sessions import OpenedSession, SessionDesk
from faceauth.settings import Settings

LONGEST_URL: Final = 2000
"""Characters of a return address (own figure; browsers take more)."""

_UNSAFE: Final = frozenset({"javascript", "data", "blob", "file", "vbscript", "about"})
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*", re.ASCII)
_PLAIN: Final = re.compile(r"[!-\[\]-~]+", re.ASCII)
"""Printable ASCII without the backslash, which browsers read as a slash."""


@dataclass(frozen=True, slots=True)
class MintedFlow:
    """What a backend gets: `token` goes into the link and is shown only here."""

    flow_id: str
    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class BegunFlow:
    """What the page shows: `notice` is there when the person is to be asked, None when they agreed before."""

    flow: FlowRow
    page_token: str = field(repr=False)
    titles: Mapping[str, str]
    notice: Notice | None
    return_url: str


@dataclass(frozen=True, slots=True)
class FlowView:
    """What the backend learns: the state of the flow, and the session to read if there is one."""

    flow: FlowRow
    state: Literal["open", "refused", "accepted", "denied", "expired", "cancelled"]
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """Mints flows, and takes them from the notice to the session."""

    data: Database
    store: FlowStore
    accounts: AccountStore
    scenarios: ScenarioStore
    notices: NoticeStore
    gate: ConsentGate
    lifecycle: Lifecycle
    desk: SessionDesk
    audit: AuditLog
    settings: Settings
    clock: Clock
    random: Callable[[int], bytes]

    @classmethod
    def of(cls, installation: Installation) -> "Flows":
        """Return the flows of an opened installation."""
        return cls(
            data=installation.data,
            store=FlowStore(),
            accounts=installation.accounts,
            scenarios=installation.scenarios,
            notices=installation.notices,
            gate=installation.desk.gate,
            lifecycle=installation.lifecycle,
            desk=installation.desk,
            audit=installation.audit,
            settings=installation.settings,
            clock=installation.clock,
            random=installation.desk.random,
        )

    def mint(
        self,
        *,
        tenant: str,
        account: str,
        scenario: str,
        purpose: FlowPurpose,
        return_url: str,
        reauthenticated_at: datetime | None,
        locale: str | None,
        actor: str,
    ) -> MintedFlow:
        """Make a link for one person; who made it is on record.

        Raises:
            InvalidRequest: the address to return to is on no list.
            UnknownAccount, UnknownScenario: there is nothing of that name.
            ReauthenticationRequired: a face is to be enrolled without a fresh proof by another factor (R14).
        """
        check_return_url(return_url, [*self.settings.cors_origins, *self.settings.flows.return_to])
        now = self.clock()
        flow_id, token = f"ff_{self.random(16).hex()}", f"ft_{self.random(32).hex()}"
        flow = FlowRow(
            flow_id=flow_id,
            tenant=tenant,
            account=account,
            scenario=scenario,
            purpose=purpose,
            return_url=return_url,
            locale=locale,
            reauthenticated_at=reauthenticated_at,
            state="minted",
            reason=None,
            session_id=None,
            created_at=now,
            expires_at=self._until(purpose, reauthenticated_at, now),
            digest=digest_of(token),
        )
        with self.data.begin() as conn:
            self.accounts.get(conn, tenant, account)
            if self.scenarios.get(conn, tenant, scenario).state != "active":
                raise UnknownScenario("The scenario is retired; it allows nothing any more.")
            self.audit.append(
                conn,
                Event.CAPTURE_LINKED,
                tenant=tenant,
                account=account,
                actor=actor,
                details={"scenario": scenario, "purpose": purpose},
            )
            self.store.mint(conn, flow)
        return MintedFlow(flow_id, token, flow.expires_at)

    def _until(self, purpose: FlowPurpose, proof: datetime | None, now: datetime) -> datetime:
        until = now + timedelta(seconds=self.settings.flows.open_s)
        if purpose == "verify":
            return until
        limit = self.settings.sessions.reauthentication_max_age_s
        # The session is opened later than the link, so the link lives no longer than the proof. Two machines'
        # clocks differ a little: 30 s ahead is still fresh, as for a session.
        if proof is None or proof <= now - timedelta(seconds=limit) or proof > now + timedelta(seconds=30):
            raise ReauthenticationRequired(
                "Sign the person in by another factor first and send its time as reauthenticated_at, "
                f"no older than {limit} s."
            )
        return min(until, proof + timedelta(seconds=limit))

    def begin(self, flow_id: str, token: str) -> BegunFlow:
        """Open the link, which uses it up, and say what is to be shown.

        Without a fresh proof of who the person is no notice is: whoever asked for a login in somebody's name would
        learn whether they agreed, and could agree for them (R25, R29).

        Raises:
            NotAuthenticated, SessionClosed: the link is none, was opened already, or is over.
        """
        now, page_token = self.clock(), f"fp_{self.random(32).hex()}"
        with self.data.begin() as conn:
            flow = self._here(conn, flow_id, token, "minted")
            self.store.move(conn, flow, "begun", token_digest=digest_of(page_token))
            scenario = self.scenarios.get(conn, flow.tenant, flow.scenario)
            notice = None
            try:
                self.gate.ask(conn, tenant=flow.tenant, account=flow.account, scenario=flow.scenario)
            except ConsentError:
                if self._proven(flow):
                    notice = self.notices.current(conn, flow.tenant, flow.scenario, now)
        return BegunFlow(flow, page_token, scenario.titles, notice, returning(flow))

    def answer(
        self,
        flow_id: str,
        page_token: str,
        *,
        decision: Literal["given", "refused"],
        notice_version: int,
        notice_sha256: str,
        locale: str,
        affirmation: Affirmation,
    ) -> str | None:
        """Record the person's answer, whichever it is (R36); return the receipt.

        Who agreed to an older text and says no to the newer one has said just that: to withdraw what they agreed
        to is another act. There is no receipt for a no to what the person agreed to and has only suspended.

        Raises:
            NotAuthenticated, SessionClosed: this page may not answer, or not any more.
            ReauthenticationRequired: the link proves nobody, so nobody agrees by it.
            ConsentInvalid, GuardianRequired: nothing was recorded.
        """
        with self.data.read() as conn:
            flow = self._here(conn, flow_id, page_token, "begun")
            if not self._proven(flow):
                raise ReauthenticationRequired("This link was made without a proof of who the person is.")
            request = ConsentRequest(flow.scenario, notice_version, notice_sha256, locale, decision, affirmation)
            who = {"tenant": flow.tenant, "account": flow.account}
            written = decision == "given" or self.lifecycle.ledger.refusable(conn, **who, request=request)
        receipt = None
        if written:
            event = self.lifecycle.record_consent(
                tenant=flow.tenant, account=flow.account, request=request, actor=f"flow:{flow_id}"
            )
            receipt = event.receipt
        if decision == "refused":
            with self.data.begin() as conn:
                self.store.move(conn, flow, "refused")
        return receipt

    def open_session(self, flow_id: str, page_token: str) -> OpenedSession:
        """Open the flow's one session, for the same page to capture.

        Raises:
            NotAuthenticated, SessionClosed: this page may not, or did already.
            Denied: there is no session for this person now; the backend reads why, the page does not (R25).
        """
        with self.data.begin() as conn:
            flow = self._here(conn, flow_id, page_token, "begun")
            self.store.move(conn, flow, "capturing")
        try:
            opened = self.desk.open(
                tenant=flow.tenant,
                purpose=flow.purpose,
                scenario=flow.scenario,
                account=flow.account,
                reauthenticated_at=flow.reauthenticated_at,
                actor=f"flow:{flow_id}",
                # The page is the person's own: it goes the same way whatever is in the way of a login (R25).
                veiled=flow.purpose == "verify",
            )
        except FaceauthError as error:
            with self.data.begin() as conn:
                self.store.note(conn, flow_id, state="denied", reason=error.code)
            if isinstance(error, Denied | ConsentError | ReauthenticationRequired):
                raise Denied(error.code) from error
            raise
        with self.data.begin() as conn:
            self.store.note(conn, flow_id, session_id=opened.session_id)
        return opened

    def view(self, *, tenant: str, flow_id: str) -> FlowView:
        """Return what the backend may know of its flow.

        Raises:
            UnknownFlow: this tenant has no such flow.
        """
        with self.data.read() as conn:
            flow = self.store.for_backend(conn, tenant=tenant, flow_id=flow_id)
        if flow.session_id is not None:
            session = self.desk.view(tenant=tenant, session_id=flow.session_id).session
            return FlowView(flow, session.state, session.reason)
        if flow.state in {"refused", "denied"}:
            return FlowView(flow, "refused" if flow.state == "refused" else "denied", flow.reason)
        over = flow.expires_at <= self.clock()
        return FlowView(flow, "expired" if over else "open", "expired" if over else None)

    def _proven(self, flow: FlowRow) -> bool:
        """Say whether the application had just seen the person sign in by another factor when it made the link."""
        try:
            limit = self.settings.sessions.reauthentication_max_age_s
            check_fresh(flow.reauthenticated_at, now=flow.created_at, limit_s=limit)
        except ReauthenticationRequired:
            return False
        return True

    def _here(self, conn: Connection, flow_id: str, token: str, state: FlowState) -> FlowRow:
        return self.store.for_page(conn, flow_id=flow_id, token=token, state=state, now=self.clock())


def check_return_url(url: str, allowed: list[str]) -> None:
    """Return if a person may be sent to this address after a flow (R19).

    Args:
        url: where the application wants them back.
        allowed: origins of pages, such as ``https://shop.example``, and apps' own schemes, such as
            ``com.example.shop:``.

    Raises:
        InvalidRequest: it is on no list, or is no plain address.
    """
    refused = InvalidRequest(
        "return_url must be on CORS_ORIGINS or FLOWS__RETURN_TO, and be plain ASCII without a fragment."
    )
    if len(url) > LONGEST_URL or not _PLAIN.fullmatch(url) or "#" in url:
        raise refused
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise refused from error
    own = f"{parts.scheme}:"
    if not _SCHEME.fullmatch(parts.scheme) or parts.scheme in _UNSAFE:
        raise refused
    if parts.scheme in {"http", "https"}:
        if f"{parts.scheme}://{parts.netloc}" not in allowed:
            raise refused
    elif own not in allowed:
        raise refused


def returning(flow: FlowRow) -> str:
    """Return where the page sends the person in the end: the application's address with the flow's id."""
    parts = urlsplit(flow.return_url)
    query = "&".join(part for part in (parts.query, urlencode({"flow": flow.flow_id})) if part)
    return urlunsplit(parts._replace(query=query))
