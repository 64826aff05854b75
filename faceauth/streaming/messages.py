"""What goes over the stream: messages written, and headers read (docs/streaming.md)."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final

from faceauth.errors import Denied
from faceauth.types import Challenge, Step, Transaction

Message = dict[str, Any]

HEADER: Final = frozenset({"t_ms", "step", "chain", "sign"})
"""What a frame's header may say."""


def challenge_message(challenge: Challenge) -> Message:
    """Return the message that begins a burst: the challenge with its first step alone."""
    transaction = challenge.transaction
    return {
        "type": "challenge",
        "nonce": urlsafe_b64encode(challenge.nonce).rstrip(b"=").decode(),
        "profile": challenge.profile,
        "steps": [told(challenge.steps[0])],
        "expires_at": challenge.expires_at.isoformat(),
        "device_key": challenge.device_key,
        **({} if transaction is None else {"transaction": _transaction(transaction)}),
    }


def told(step: Step) -> Message:
    """Return a step as it is told."""
    colours = [{"rgb": one.rgb, "ms": one.ms} for one in step.colours]
    return {"id": step.id, "kind": step.kind, "min_ms": step.min_ms, "colours": colours}


def _transaction(transaction: Transaction) -> Message:
    return {"text": transaction.text, "locale": transaction.locale, "sha256": transaction.sha256.hex()}


def read_header(raw: str) -> Mapping[str, Any]:
    """Read a frame's header.

    Raises:
        Denied: reason `injection`; it is none.
    """
    header = read_json(raw)
    if not isinstance(header, dict) or not {"t_ms", "step"} <= header.keys() <= HEADER:
        raise breach('A header wants {"t_ms", "step"}.')
    if type(header["t_ms"]) is not int or not isinstance(header["step"], str):
        raise breach("t_ms is a whole number and step is text.")
    if header.get("sign", True) is not True:
        raise breach("A device that does not sign does not say so.")
    return header


def read_json(raw: str) -> Any:
    """Read a message.

    Raises:
        Denied: reason `injection`; it is no JSON.
    """
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise breach("A message is no JSON.") from error


def breach(detail: str) -> Denied:
    """Return the denial of a device that breaks the protocol."""
    return Denied("injection", detail)
