"""What a person's own copy of the data says of other software: who was told of logins, and accounts elsewhere."""

from datetime import UTC, datetime

from sqlalchemy import Connection, select

from faceauth.db.openid_tables import account_links, openid_clients, openid_grants


def elsewhere(conn: Connection, tenant: str, account: str) -> dict[str, list[dict[str, object]]]:
    """Return the account's links, and the logins that clients still hold; no token and no digest of one."""
    links = (account_links.c.tenant == tenant, account_links.c.account == account)
    grants = (openid_grants.c.tenant == tenant, openid_grants.c.account == account)
    told = (
        select(openid_grants, openid_clients.c.name)
        .join(openid_clients, openid_clients.c.client_id == openid_grants.c.client_id)
        .where(*grants)
        .order_by(openid_grants.c.auth_time, openid_grants.c.grant_id)
    )
    return {
        "links": [
            {"provider": row.provider, "subject": row.subject, "linked_at": _iso(row.linked_at)}
            for row in conn.execute(select(account_links).where(*links).order_by(account_links.c.provider))
        ],
        "logins": [
            {
                "client": row.name,
                "scenario": row.scenario,
                "scope": row.scope,
                "at": _iso(row.auth_time),
                "until": _iso(row.expires_at),
            }
            for row in conn.execute(told)
        ],
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
