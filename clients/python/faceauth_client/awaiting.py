"""The client to await; it has the same methods as the other."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar

import httpx

from faceauth_client._calls import Call
from faceauth_client._methods import Methods
from faceauth_client.transport import TIMEOUT_S, TRIES, pause, read, request_of, written_on

T = TypeVar("T")


class AsyncFaceauth(Methods):
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
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=url, headers=written_on(key), timeout=TIMEOUT_S, transport=transport
        )
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
            seconds = pause(answer)
            if seconds is None:
                break
            await self._sleep(seconds)
            answer = await self._http.request(**request_of(call))
        return read(call, answer)
