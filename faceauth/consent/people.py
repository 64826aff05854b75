"""The repository of everybody: the names there are and were, and the language of each."""

from collections.abc import Iterator

from sqlalchemy import Connection, select

from faceauth.db.schema import accounts, consent_events


def every_name(conn: Connection, tenant: str) -> dict[str, bool]:
    """Return every account a tenant has or had with an answer on record, and whether it is there now."""
    there = select(accounts.c.account).where(accounts.c.tenant == tenant)
    ever = select(consent_events.c.account).distinct().where(consent_events.c.tenant == tenant)
    return dict.fromkeys(conn.scalars(ever), False) | dict.fromkeys(conn.scalars(there), True)


def some_names(conn: Connection, tenant: str, *, skip: int, most: int) -> tuple[str, ...]:
    """Return a tenant's accounts in the order of their names: so many, after so many."""
    mine = select(accounts.c.account).where(accounts.c.tenant == tenant)
    return tuple(conn.scalars(mine.order_by(accounts.c.account).offset(skip).limit(most)))


def there_now(conn: Connection, tenant: str) -> Iterator[str]:
    """Yield the name of every account that a tenant has now."""
    mine = select(accounts.c.account).where(accounts.c.tenant == tenant)
    yield from conn.execution_options(yield_per=1_000).scalars(mine)


def languages(conn: Connection, tenant: str) -> dict[str, str | None]:
    """Return the language of every account of a tenant, None where the application told none."""
    rows = conn.execute(select(accounts.c.account, accounts.c.locale).where(accounts.c.tenant == tenant))
    return {row.account: row.locale for row in rows}
