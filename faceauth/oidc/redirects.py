"""Where a browser may be sent: exactly where a client's registration says, nowhere that only looks like it."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, urlsplit

from faceauth.errors import InvalidRequest

LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
"""Addresses that stay on the machine. `localhost` is a name, which somebody else may answer (RFC 8252, 8.3)."""

MOST: Final = 20
LONGEST: Final = 1000
"""Own figures: how many addresses one client may have, and characters of one."""

_FORBIDDEN: Final = frozenset({"javascript", "data", "vbscript", "file", "blob", "about", "http", "https"})
"""Schemes that a browser runs or reads itself are never an app's own."""


def check_addresses(uris: Iterable[str], *, native: bool) -> tuple[str, ...]:
    """Return a client's addresses if each may be registered.

    Plain http is for loopback addresses alone. A native client may also use a scheme of its own that has a dot in
    it, as a domain name turned round has (RFC 8252, 7.1).

    Raises:
        InvalidRequest: one may not, or there are too many.
    """
    found = tuple(dict.fromkeys(uris))
    if len(found) > MOST:
        raise InvalidRequest(f"A client may have {MOST} addresses.")
    for uri in found:
        if not _acceptable(uri, native=native):
            raise InvalidRequest(
                "A redirect address is https, or http on 127.0.0.1 or [::1], or, for a native client, a scheme "
                "such as com.example.app:/back; no wildcard, no fragment, no user, at most "
                f"{LONGEST} characters of ASCII."
            )
    return found


def fits(uri: str, registered: Iterable[str], *, native: bool) -> bool:
    """Say whether `uri` is one of the registered addresses, character by character (RFC 9700, 4.1.3).

    Only the port of a native client's loopback address may differ: the app takes what is free (RFC 8252, 7.3).
    """
    known = tuple(registered)
    if uri in known:
        return True
    if not native or not _acceptable(uri, native=True):
        return False
    anywhere = _without_port(uri)
    return anywhere is not None and any(_without_port(one) == anywhere for one in known)


def _acceptable(uri: str, *, native: bool) -> bool:
    plain = uri.isascii() and uri.isprintable() and not set(uri) & set(' "<>\\^`{|}*')
    parts = _split(uri)
    if not plain or len(uri) > LONGEST or parts is None or "#" in uri or "@" in parts.netloc:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    if parts.scheme == "http":
        return parts.hostname in LOOPBACK
    return native and "." in parts.scheme and parts.scheme not in _FORBIDDEN and bool(parts.path)


def _without_port(uri: str) -> tuple[str, str, str] | None:
    """Return an http loopback address without its port; None for every other address."""
    parts = _split(uri)
    if parts is None or parts.scheme != "http" or parts.hostname not in LOOPBACK:
        return None
    return parts.hostname or "", parts.path, parts.query


def _split(uri: str) -> SplitResult | None:
    """Return the parts of an address; None if it is none, or if its port is no port."""
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return None
    return parts
