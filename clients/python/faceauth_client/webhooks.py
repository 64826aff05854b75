"""Checks messages of the service: Standard Webhooks, by the bytes as they came."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

TOLERANCE_S = 300
"""Seconds a message's time may be off: the specification's own suggestion."""


class UntrustedWebhook(Exception):
    """The message is not from the service, was altered, or is too old."""


def check_webhook(
    body: bytes, headers: Mapping[str, str], secret: str, *, now: Callable[[], float] = time.time
) -> dict[str, Any]:
    """Return a message's content if it is genuine; keep its ``webhook-id`` to leave out what you have seen.

    Args:
        body: the bytes as they came, before anything read them.
        headers: of the request, under whatever case.
        secret: the endpoint's, ``whsec_…``.
        now: seconds since 1970.

    Raises:
        UntrustedWebhook: in every other case.
    """
    low = {name.lower(): value for name, value in headers.items()}
    try:
        message, moment, signatures = (low[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
        age = abs(now() - int(moment))
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (KeyError, ValueError) as error:
        raise UntrustedWebhook("A header is missing or malformed, or the secret is.") from error
    if age > TOLERANCE_S:
        raise UntrustedWebhook("The message is too old, or the clocks are apart.")
    signed = f"{message}.{moment}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    if not any(hmac.compare_digest(expected.encode(), one.encode()) for one in signatures.split()):
        raise UntrustedWebhook("No signature fits.")
    told: dict[str, Any] = json.loads(body)
    return told
