"""One delivery over HTTP: the name is looked up once, the address pinned, nothing followed, little read (R26)."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from faceauth.errors import InvalidRequest
from faceauth.outbox.targets import Target, choose, read_target
from faceauth.sections import WebhookSettings

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Returns every address of a host, for a port."""

GONE: Final = 410
"""The receiver wants no more of it (Standard Webhooks): it is not tried again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a delivery ended: `problem` is None where the receiver took it, and a word of ours where not."""

    problem: str | None = None
    final: bool = False


async def resolve(host: str, port: int) -> list[str]:
    """Look a host up.

    Raises:
        OSError: It has no address.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[4][0]) for address in found]


@dataclass(frozen=True, slots=True)
class Sender:
    """Posts bodies. `tls` is for tests, which have a certificate of their own."""

    settings: WebhookSettings
    resolve: Resolve = resolve
    tls: ssl.SSLContext | None = None

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post once, within the settings' seconds for everything together; never raises for what is outside."""
        try:
            target = read_target(url, self.settings)
            async with asyncio.timeout(self.settings.timeout_s):
                return await self._post(target, body, headers)
        except InvalidRequest:
            return Answer("not_allowed")
        except TimeoutError:
            return Answer("timeout")
        except OSError:
            return Answer("not_found")
        except httpx.HTTPError as error:
            return Answer(_word(error))

    async def _post(self, target: Target, body: bytes, headers: Mapping[str, str]) -> Answer:
        address = choose(await self.resolve(target.host, target.port), private=self.settings.private)
        if address is None:
            return Answer("address_refused")
        # The address is in the URL, so nothing is looked up again; the name is in Host, and TLS asks for its
        # certificate. No proxy and no .netrc of the environment, no redirects, no cookies kept.
        place = httpx.URL(scheme=target.scheme, host=address, port=target.port, raw_path=target.path.encode())
        told = {"host": target.authority, "content-type": "application/json", "user-agent": "faceauth"}
        async with httpx.AsyncClient(
            verify=self.tls or True, trust_env=False, follow_redirects=False, timeout=self.settings.timeout_s
        ) as client:
            request = client.build_request(
                "POST",
                place,
                content=body,
                headers={**told, **headers},
                extensions={"sni_hostname": target.host},
            )
            # Streamed and not read: what a receiver says beside its status is nothing to us.
            response = await client.send(request, stream=True)
            await response.aclose()
        if response.is_success:
            return Answer()
        return Answer(f"http_{response.status_code}", final=response.status_code == GONE)


def _word(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "timeout"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "tls"
        cause = cause.__cause__ or cause.__context__
    return "not_reached" if isinstance(error, httpx.ConnectError) else "broken_off"
