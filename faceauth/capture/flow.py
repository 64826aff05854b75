"""The flow as it is stored: minted by a backend, opened once by a page, ended by an answer or a session."""

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, delete, insert, select, update

from faceauth.bearer import digest_of
from faceauth.db.flow_tables import flows
from faceauth.errors import NotAuthenticated, SessionClosed, UnknownFlow

FlowState = Literal["minted", "begun", "refused", "denied", "capturing"]
FlowPurpose = Literal["enrol", "verify"]

KEPT: Final = timedelta(days=1)
"""How long a flow's record outlives it, for the backend to ask how it went (own figure)."""


@dataclass(frozen=True, slots=True)
class FlowRow:
    """One flow. `capturing` ones have a session, whose state is then theirs; `reason` is for the backend alone."""

    flow_id: str
    tenant: str
    account: str
    scenario: str
    purpose: FlowPurpose
    return_url: str
    locale: str | None
    reauthenticated_at: datetime | None
    state: FlowState
    reason: str | None
    session_id: str | None
    created_at: datetime
    expires_at: datetime
    digest: bytes = field(repr=False)


class FlowStore:
    """The flows' rows. Every method works in the caller's transaction."""

    def mint(self, conn: Connection, flow: FlowRow) -> None:
        """Store a new flow."""
        conn.execute(
            insert(flows).values(
                flow_id=flow.flow_id,
                tenant=flow.tenant,
                account=flow.account,
                scenario=flow.scenario,
                purpose=flow.purpose,
                return_url=flow.return_url,
                locale=flow.locale,
                reauthenticated_at=flow.reauthenticated_at,
                token_digest=flow.digest,
                state=flow.state,
                created_at=flow.created_at,
                expires_at=flow.expires_at,
            )
        )

    def for_page(self, conn: Connection, *, flow_id: str, token: str, state: FlowState, now: datetime) -> FlowRow:
        """Return the flow that a page holds the token of, if it is in this state.

        Raises:
            NotAuthenticated: no such flow, not its token, or a link that was opened already; they look the same.
            SessionClosed: its time is over, or it is past this state.
        """
        row = conn.execute(select(flows).where(flows.c.flow_id == flow_id)).one_or_none()
        expected = row.token_digest if row is not None else bytes(32)
        if not hmac.compare_digest(digest_of(token), expected) or row is None:
            raise NotAuthenticated("This link opens nothing any more. Ask the application for a new one.")
        if row.state != state or row.expires_at <= now:
            raise SessionClosed("This link is over. Ask the application for a new one.")
        return _flow(row)

    def for_backend(self, conn: Connection, *, tenant: str, flow_id: str) -> FlowRow:
        """Return a tenant's own flow.

        Raises:
            UnknownFlow: there is none of that id for this tenant.
        """
        row = conn.execute(select(flows).where(flows.c.flow_id == flow_id, flows.c.tenant == tenant)).one_or_none()
        if row is None:
            raise UnknownFlow(f"There is no flow {flow_id!r}.")
        return _flow(row)

    def move(self, conn: Connection, flow: FlowRow, state: FlowState, **values: object) -> None:
        """Take the flow from the state it was read in to another, with what else changes.

        Raises:
            SessionClosed: somebody else was faster.
        """
        here = (flows.c.flow_id == flow.flow_id, flows.c.state == flow.state)
        moved = conn.execute(update(flows).where(*here).values(state=state, **values)).rowcount
        if moved != 1:
            raise SessionClosed("This link is over. Ask the application for a new one.")

    def note(self, conn: Connection, flow_id: str, **values: object) -> None:
        """Write down how a flow that captures goes on: its session, or why there is none."""
        conn.execute(update(flows).where(flows.c.flow_id == flow_id).values(**values))

    def delete_old(self, conn: Connection, *, now: datetime) -> int:
        """Delete the records of flows that are over for `KEPT`; return how many."""
        return conn.execute(delete(flows).where(flows.c.expires_at < now - KEPT)).rowcount


def _flow(row: Row[Any]) -> FlowRow:
    return FlowRow(
        flow_id=row.flow_id,
        tenant=row.tenant,
        account=row.account,
        scenario=row.scenario,
        purpose=row.purpose,
        return_url=row.return_url,
        locale=row.locale,
        reauthenticated_at=row.reauthenticated_at,
        state=row.state,
        reason=row.reason,
        session_id=row.session_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        digest=row.token_digest,
    )
