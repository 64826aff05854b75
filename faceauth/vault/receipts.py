"""What an erasure leaves behind: what was destroyed and when, signed, with nothing of a face in it (R44)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from faceauth.errors import StorageError
from faceauth.vault.scope import ErasureReason, ErasureState, Scope
from faceauth.vault.tombstones import Tombstone

RECEIPT_SCHEMA: Final = "faceauth/deletion-receipt/1"


@dataclass(frozen=True, slots=True)
class DeletionReceipt:
    """Proof of an erasure (R44). `token` is the signed form, which holds the same and when each step was done."""

    tombstone_id: str
    scope: Scope
    reason: ErasureReason
    references: tuple[str, ...]
    data_keys: tuple[str, ...]
    requested_at: datetime
    finished_at: datetime
    token: str = field(repr=False)


def receipt_of(stone: Tombstone) -> DeletionReceipt:
    """Return the receipt of an erasure that is done.

    Raises:
        StorageError: If it is not there.
    """
    if stone.token is None or stone.finished_at is None:
        raise StorageError(f"The erasure {stone.tombstone_id} is done but its receipt is missing: restore it.")
    return DeletionReceipt(
        tombstone_id=stone.tombstone_id,
        scope=stone.scope,
        reason=stone.reason,
        references=tuple(stone.doomed["references"]),
        data_keys=tuple(stone.doomed["data_keys"]),
        requested_at=stone.requested_at,
        finished_at=stone.finished_at,
        token=stone.token,
    )


def claims_of(stone: Tombstone, now: datetime, *, storage: str) -> dict[str, object]:
    """Return what the receipt says, to be signed."""
    return {
        "schema": RECEIPT_SCHEMA,
        "jti": stone.tombstone_id,
        "iat": int(now.timestamp()),
        "tenant": stone.scope.tenant,
        "account": stone.scope.account,
        "scope": {"scenario": stone.scope.scenario, "reference_id": stone.scope.reference_id},
        "reason": stone.reason.value,
        "storage": storage,
        # PostgreSQL keeps deleted rows in its files until VACUUM, and in its log until the segment is used again.
        "overwritten": storage == "sqlite",
        "destroyed": {
            "references": stone.doomed["references"],
            "data_keys": stone.doomed["data_keys"],
            "rows": stone.doomed["rows"],
        },
        "resealed": stone.doomed["resealed"],
        "unreadable": stone.doomed["unreadable"],
        "kept": ["consent_events", "audit_log", "tombstones"],
        "steps": {**stone.doomed["steps"], ErasureState.DONE.value: iso(now)},
    }


def iso(at: datetime) -> str:
    """Return a time as it stands in receipts: UTC, with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
