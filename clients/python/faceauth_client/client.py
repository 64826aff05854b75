"""The client that waits for each answer."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

import httpx

from faceauth_client._calls import Call
from faceauth_client._methods import Methods
from faceauth_client.transport import TIMEOUT_S, TRIES, pause, read, request_of, written_on

__all__ = ["TIMEOUT_S", "Faceauth"]

T = TypeVar("T")


class Faceauth(Methods):
    """A backend's view of one faceauth service; its methods are those of `Methods`.

    Args:
        url: where the service is.
        key: an API key of the role `application`, ``fa_…``.
        transport: what carries the requests; the network if left out.
        sleep: waits some seconds, when the service asks for it.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = httpx.Client(base_url=url, headers=written_on(key), timeout=TIMEOUT_S, transport=transport)
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def send(self, call: Call[T]) -> T:
        """Make a call; one that the service had no room for is made again, as often as `TRIES` allows.

        Raises:
            Problem: the service refused.
        """
        answer = self._http.request(**request_of(call))
        for _ in range(TRIES - 1):
            seconds = pause(answer)
            if seconds is None:
                break
            self._sleep(seconds)
            answer = self._http.request(**request_of(call))
        return read(call, answer)
