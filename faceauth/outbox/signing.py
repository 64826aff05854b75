"""Signatures of messages, as Standard Webhooks has them (standard-webhooks, spec/standard-webhooks.md, 1.0.0).

An endpoint's secret is stored nowhere: it is derived from a key of the keyring and the endpoint's salt, so that
the database alone signs nothing. It is shown once, when the endpoint is added or its secret changed.
"""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET_BYTES: Final = 32
"""The specification asks for 24 to 64 bytes."""

_LABEL: Final = b"faceauth/webhook/1/"
"""Keeps these secrets apart from whatever else is derived from the same key."""


def endpoint_secret(key: bytes, *, endpoint_id: str, salt: bytes) -> bytes:
    """Return the 32-byte secret of an endpoint (HKDF with SHA-256, RFC 5869).

    Args:
        key: 32 bytes of the keyring's.
        endpoint_id: Whose secret.
        salt: 32 random bytes, others after each change.
    """
    derived = HKDF(algorithm=SHA256(), length=SECRET_BYTES, salt=salt, info=_LABEL + endpoint_id.encode())
    return derived.derive(key)


def secret_text(secret: bytes) -> str:
    """Return the secret as receivers' libraries take it."""
    return f"whsec_{b64encode(secret).decode()}"


def signed_headers(body: bytes, *, message_id: str, at: datetime, secrets: Sequence[bytes]) -> dict[str, str]:
    """Return the three headers over exactly these bytes, with a signature by each secret, the newest first."""
    stamp = str(int(at.timestamp()))
    content = b".".join((message_id.encode(), stamp.encode(), body))
    signatures = [b64encode(hmac.digest(secret, content, "sha256")).decode() for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }
