"""What the vault needs of the audit log: it is handed one, and takes no part in how records are kept."""

from collections.abc import Mapping
from typing import Protocol

from sqlalchemy import Connection

from faceauth.audit.events import Event


class Audit(Protocol):
    """What an act of the vault needs of `faceauth.audit.log.AuditLog`."""

    def append(
        self,
        conn: Connection,
        event: Event,
        *,
        tenant: str,
        account: str | None,
        actor: str,
        details: Mapping[str, str | int | bool] | None = None,
    ) -> None:
        """Write one record in the caller's transaction or raise (R49)."""
        ...
