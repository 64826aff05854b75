"""The repository of endpoints: where a tenant's messages go. No secret is kept; see `faceauth.outbox.signing`."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Row, insert, select, update

from faceauth.db.outbox_tables import webhook_endpoints as table
from faceauth.errors import UnknownEndpoint


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address; `old_salt` makes the secret before, which signs beside the new one until `old_until`."""

    endpoint_id: str
    tenant: str
    url: str
    salt: bytes = field(repr=False)
    old_salt: bytes | None = field(repr=False)
    old_until: datetime | None
    created_at: datetime
    removed_at: datetime | None


class Endpoints:
    """Endpoints by tenant. Every method works in the caller's transaction."""

    def add(
        self, conn: Connection, *, endpoint_id: str, tenant: str, url: str, salt: bytes, now: datetime
    ) -> Endpoint:
        """Add one; the caller has checked the address."""
        row = {"endpoint_id": endpoint_id, "tenant": tenant, "url": url, "salt": salt, "created_at": now}
        conn.execute(insert(table).values(**row))
        return self.get(conn, endpoint_id, tenant=tenant)

    def get(self, conn: Connection, endpoint_id: str, *, tenant: str) -> Endpoint:
        """Return one that was not removed.

        Raises:
            UnknownEndpoint: If there is none for this tenant.
        """
        query = select(table).where(
            table.c.endpoint_id == endpoint_id, table.c.tenant == tenant, table.c.removed_at.is_(None)
        )
        row = conn.execute(query).one_or_none()
        if row is None:
            raise UnknownEndpoint(f"There is no endpoint {endpoint_id!r}. See: faceauth webhook list")
        return _endpoint(row)

    def list(self, conn: Connection, *, tenant: str) -> tuple[Endpoint, ...]:
        """Return a tenant's endpoints, the oldest first."""
        query = select(table).where(table.c.tenant == tenant, table.c.removed_at.is_(None))
        rows = conn.execute(query.order_by(table.c.created_at, table.c.endpoint_id))
        return tuple(_endpoint(row) for row in rows)

    def rotate(self, conn: Connection, endpoint_id: str, *, tenant: str, salt: bytes, until: datetime) -> Endpoint:
        """Give it another secret; the one before signs beside it until then.

        Raises:
            UnknownEndpoint: If there is none for this tenant.
        """
        found = self.get(conn, endpoint_id, tenant=tenant)
        values = {"salt": salt, "old_salt": found.salt, "old_until": until}
        conn.execute(update(table).where(table.c.endpoint_id == endpoint_id).values(**values))
        return self.get(conn, endpoint_id, tenant=tenant)

    def remove(self, conn: Connection, endpoint_id: str, *, tenant: str, now: datetime) -> None:
        """Send nothing there any more; what it was sent stays told.

        Raises:
            UnknownEndpoint: If there is none for this tenant.
        """
        self.get(conn, endpoint_id, tenant=tenant)
        conn.execute(update(table).where(table.c.endpoint_id == endpoint_id).values(removed_at=now))


def _endpoint(row: Row[tuple[object, ...]]) -> Endpoint:
    return Endpoint(**{name: getattr(row, name) for name in Endpoint.__slots__})
