"""The client to await; its calls are those of the other, and a test holds them equal."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import httpx

from faceauth_client import _calls as calls
from faceauth_client._calls import Call, Purpose
from faceauth_client.answers import (
    Account,
    Activity,
    ConsentLine,
    ConsentRecorded,
    Flow,
    MintedFlow,
    NoticeVersion,
    OpenedSession,
    PrivacyLink,
    Reference,
    Scenario,
    SessionState,
    Standing,
)
from faceauth_client.client import TIMEOUT_S
from faceauth_client.transport import SHED, TRIES, read, request_of, wait_of

T = TypeVar("T")


class AsyncFaceauth:
    """The same as `Faceauth`, to await.

    Args:
        url: where the service is.
        key: an API key of the role `application`, ``fa_…``.
        transport: what carries the requests; the network if left out.
        sleep: awaits some seconds, when the service asks for it.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT_S, transport=transport)
        self._sleep = sleep

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.aclose()

    async def send(self, call: Call[T]) -> T:
        """Make a call; one that the service had no room for is made again, as often as `TRIES` allows.

        Raises:
            Problem: the service refused.
        """
        answer = await self._http.request(**request_of(call))
        for _ in range(TRIES - 1):
            if answer.status_code not in SHED:
                break
            await self._sleep(wait_of(answer))
            answer = await self._http.request(**request_of(call))
        return read(call, answer)

    async def scenarios(self) -> tuple[Scenario, ...]:
        """Every scenario, with the notice in force."""
        return await self.send(calls.scenarios())

    async def notice(self, scenario: str, version: int, *, locale: str | None = None) -> NoticeVersion:
        """Any version ever shown."""
        return await self.send(calls.notice(scenario, version, locale))

    async def put_account(
        self,
        account_id: str,
        *,
        locale: str | None = None,
        birth_date: date | None = None,
        contact: str | None = None,
        guardian: dict[str, Any] | None = None,
    ) -> Account:
        """Make sure the account exists; a fact left out stays as it is."""
        return await self.send(
            calls.put_account(account_id, locale=locale, birth_date=birth_date, contact=contact, guardian=guardian)
        )

    async def account(self, account_id: str) -> Account:
        """What is kept about the account itself."""
        return await self.send(calls.account(account_id))

    async def close_account(self, account_id: str) -> str:
        """Close it: everything goes. Returns the signed deletion receipt."""
        return await self.send(calls.close_account(account_id))

    async def export(self, account_id: str) -> dict[str, Any]:
        """The person's data, machine readable."""
        return await self.send(calls.export(account_id))

    async def activity(self, account_id: str) -> tuple[Activity, ...]:
        """What was done with the face, the oldest first."""
        return await self.send(calls.activity(account_id))

    async def restrict(self, account_id: str, *, restricted: bool) -> Account:
        """Suspend every use of the face without erasing it, or allow it again."""
        return await self.send(calls.restrict(account_id, restricted))

    async def privacy_link(self, account_id: str, *, renewal: Mapping[str, Any] | None = None) -> PrivacyLink:
        """A link to the person's privacy page, opened once; `renewal` lets them set their face up anew there."""
        return await self.send(calls.privacy_link(account_id, renewal))

    async def answer(
        self,
        account_id: str,
        *,
        scenario: str,
        decision: Literal["given", "refused"],
        notice_version: int,
        notice_sha256: str,
        locale: str,
        text: str,
        method: Literal["checkbox", "signature", "oral"] = "checkbox",
    ) -> ConsentRecorded:
        """Record the person's own answer to the very text they saw; `text` stood beside the unticked box."""
        return await self.send(
            calls.answer(
                account_id,
                scenario=scenario,
                decision=decision,
                notice_version=notice_version,
                notice_sha256=notice_sha256,
                locale=locale,
                text=text,
                method=method,
            )
        )

    async def consents(self, account_id: str) -> tuple[ConsentLine, ...]:
        """Everything the person ever answered."""
        return await self.send(calls.consents(account_id))

    async def withdraw(self, account_id: str, scenario: str) -> str:
        """Withdraw: the face is erased. Returns the signed deletion receipt."""
        return await self.send(calls.withdraw(account_id, scenario))

    async def references(self, account_id: str) -> tuple[Reference, ...]:
        """The stored templates, as far as anybody may know them."""
        return await self.send(calls.references(account_id))

    async def delete_reference(self, account_id: str, reference_id: str) -> str:
        """Erase one template. Returns the signed deletion receipt."""
        return await self.send(calls.delete_reference(account_id, reference_id))

    async def open_session(
        self,
        *,
        purpose: Purpose,
        scenario: str,
        account_id: str | None = None,
        reauthenticated_at: datetime | None = None,
        liveness_level: str | None = None,
        transaction: dict[str, str] | None = None,
    ) -> OpenedSession:
        """Open a session; enrolling needs a fresh `reauthenticated_at` by another factor."""
        return await self.send(
            calls.open_session(
                purpose=purpose,
                scenario=scenario,
                account_id=account_id,
                reauthenticated_at=reauthenticated_at,
                liveness_level=liveness_level,
                transaction=transaction,
            )
        )

    async def session(self, session_id: str) -> SessionState:
        """How the session stands; after an acceptance, with a token."""
        return await self.send(calls.session(session_id))

    async def mint_flow(
        self,
        *,
        account_id: str,
        scenario: str,
        purpose: Literal["enrol", "verify"],
        return_url: str,
        reauthenticated_at: datetime | None = None,
        locale: str | None = None,
    ) -> MintedFlow:
        """A link to the hosted page: notice, camera, and back."""
        return await self.send(
            calls.mint_flow(
                account_id=account_id,
                scenario=scenario,
                purpose=purpose,
                return_url=return_url,
                reauthenticated_at=reauthenticated_at,
                locale=locale,
            )
        )

    async def flow(self, flow_id: str) -> Flow:
        """How the flow stands. Ask when the person comes back."""
        return await self.send(calls.flow(flow_id))

    async def introspect(self, token: str) -> Standing:
        """Whether a token still holds: after a withdrawal it does not."""
        return await self.send(calls.introspect(token))

    async def jwks(self) -> dict[str, Any]:
        """The keys that tokens and receipts are checked with."""
        return await self.send(calls.jwks())
