"""The repository of everybody: the names there are and were, and the language of each."""

from sqlalchemy import Connection, select

from faceauth.db.schema import accounts, consent_events


def every_name(conn: Connection, tenant: str) -> dict[str, bool]:
    """Return every account a tenant has or had with an answer on record, and whether it is there now."""
    there = select(accounts.c.account).where(accounts.c.tenant == tenant)
    ever = select(consent_events.c.account).distinct().where(consent_events.c.tenant == tenant)
    return dict.fromkeys(conn.scalars(ever), False) | dict.fromkeys(conn.scalars(there), True)


def languages(conn: Connection, tenant: str) -> dict[str, str | None]:
    """Return the language of every account of a tenant, None where the application told none."""
    rows = conn.execute(select(accounts.c.account, accounts.c.locale).where(accounts.c.tenant == tenant))
    return {row.account: row.locale for row in rows}
