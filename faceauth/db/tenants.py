"""Tenants: whose accounts, scenarios and keys a row belongs to."""

from datetime import datetime

from sqlalchemy import Connection, insert, select

from faceauth.db.schema import tenants

DEFAULT_TENANT = "default"
"""The tenant an installation starts with."""


def ensure_tenant(conn: Connection, *, tenant: str, now: datetime) -> None:
    """Make the tenant unless it is there."""
    if conn.scalar(select(tenants.c.tenant).where(tenants.c.tenant == tenant)) is None:
        conn.execute(insert(tenants).values(tenant=tenant, created_at=now))
