"""Where a message may go (R26): hosts on the list, over https, at addresses of the public internet.

The name is looked up once for a delivery, every address it has is judged, and the connection is made to one that
was judged: a name that answers differently the second time gains nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

from faceauth.errors import InvalidRequest
from faceauth.sections import WebhookSettings

LONGEST: Final = 2000
"""Characters of an address. Own figure."""

_NAT64: Final = IPv6Network("64:ff9b::/96")
"""Leads to IPv4 addresses through a translator (RFC 6052)."""

_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Target:
    """An address that the settings allow; `path` has the query with it."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def read_target(url: str, settings: WebhookSettings) -> Target:
    """Return what an address leads to, if the settings allow it.

    Raises:
        InvalidRequest: It is malformed, no https, names a user, or its host is not on the list.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise InvalidRequest("This is no address: write https://host/path.") from error
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    if not plain or len(url) > LONGEST or not host or parts.username is not None or parts.fragment:
        raise InvalidRequest("This is no address: write https://host/path, with no user and no #, in ASCII.")
    if parts.scheme not in _PORTS or (parts.scheme == "http" and not settings.http):
        raise InvalidRequest("Messages go over https only. For tests, FACEAUTH_WEBHOOKS__HTTP allows http.")
    if host not in {one.lower().rstrip(".") for one in settings.allow}:
        raise InvalidRequest(f"The host {host[:100]} is not in FACEAUTH_WEBHOOKS__ALLOW: no message goes there.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], path)


def choose(addresses: Sequence[str], *, private: bool) -> str | None:
    """Return the address to connect to, or None where there is none, or one of them is not public.

    One address that is not public spoils all: a name that leads inside as well as outside is no mistake.
    """
    found = [ip_address(one.split("%")[0]) for one in addresses]
    if not found or not (private or all(is_public(one) for one in found)):
        return None
    return str(found[0])


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Say whether an address is of the public internet, whatever IPv4 address it may wrap.

    Private, loopback, link-local, shared, reserved, documentation and multicast ones are not (IANA's registries of
    special-purpose addresses, as `ipaddress` has them).
    """
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast
