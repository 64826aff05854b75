"""The hash chain: each row's digest covers the row and the digest before it (R51).

`digest = SHA-256("faceauth/audit/v1" || 0x00 || previous || canonical JSON of the row)`, canonical JSON being keys
in order, no spaces, UTF-8, and times in UTC with microseconds. The first row follows 32 zero bytes.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime

START = bytes(32)

_DOMAIN = b"faceauth/audit/v1\x00"


def row_digest(
    previous: bytes,
    *,
    seq: int,
    at: datetime,
    event: str,
    tenant: str,
    subject: str | None,
    actor: str,
    details: Mapping[str, str | int | bool],
) -> bytes:
    """Return the 32 bytes that bind one row to all rows before it."""
    row = {
        "seq": seq,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "event": event,
        "tenant": tenant,
        "subject": subject,
        "actor": actor,
        "details": dict(details),
    }
    canonical = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(_DOMAIN + previous + canonical.encode()).digest()
