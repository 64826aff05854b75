"""What an erasure reaches, why, and how far it has come."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, or_

from faceauth.db.schema import biometric_references, tombstones


class ErasureState(StrEnum):
    """How far an erasure has come: each name says what is done. The order is R40's."""

    RECORDED = "recorded"
    RESEALED = "resealed"
    KEYS_DESTROYED = "keys_destroyed"
    ROWS_DELETED = "rows_deleted"
    INDEX_CLEARED = "index_cleared"
    WAL_TRUNCATED = "wal_truncated"
    VERIFIED = "verified"
    DONE = "done"


class ErasureReason(StrEnum):
    """Why something is erased (R39)."""

    WITHDRAWN = "withdrawn"
    ACCOUNT_CLOSED = "account_closed"
    REFERENCE_DELETED = "reference_deleted"
    SCENARIO_RETIRED = "scenario_retired"
    TERM_ENDED = "term_ended"
    CONSENT_EXPIRED = "consent_expired"
    INACTIVITY = "inactivity"
    CAMPAIGN_DEADLINE = "campaign_deadline"
    MODEL_REPLACED = "model_replaced"


@dataclass(frozen=True, slots=True)
class Scope:
    """One account, narrowed to a scenario or to a reference if given."""

    tenant: str
    account: str
    scenario: str | None = None
    reference_id: str | None = None

    @property
    def whole_account(self) -> bool:
        """Whether nothing of the account is to stay."""
        return self.scenario is None and self.reference_id is None

    def covers(self) -> ColumnElement[bool]:
        """Return the condition on `biometric_references` for the rows in this scope."""
        rows = biometric_references.c
        conditions = [rows.tenant == self.tenant, rows.account == self.account]
        if self.scenario is not None:
            conditions.append(rows.scenario == self.scenario)
        if self.reference_id is not None:
            conditions.append(rows.reference_id == self.reference_id)
        return and_(*conditions)


_ROWS, _STONES = biometric_references.c, tombstones.c

ERASING: Final[ColumnElement[bool]] = exists().where(
    _STONES.tenant == _ROWS.tenant,
    _STONES.account == _ROWS.account,
    _STONES.state != ErasureState.DONE.value,
    or_(_STONES.scenario.is_(None), _STONES.scenario == _ROWS.scenario),
    or_(_STONES.reference_id.is_(None), _STONES.reference_id == _ROWS.reference_id),
)
"""The condition on `biometric_references` for rows that an unfinished erasure reaches: they are opened no more."""
