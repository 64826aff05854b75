"""What a restored copy of the data may not carry on from where it was: each is set to its safe side."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, literal, select, update

from faceauth.db.device_tables import device_challenges, device_keys
from faceauth.db.flow_tables import flows
from faceauth.db.schema import accounts, api_keys, attempts, biometric_references, sessions


@dataclass(frozen=True, slots=True)
class Settled:
    """How many sessions were ended, accounts made to wait, API keys revoked, and device keys taken away."""

    sessions: int
    accounts: int
    api_keys: int
    device_keys: int


def settle(
    conn: Connection, *, now: datetime, failures: int, keep_api_keys: bool, keep_device_keys: bool
) -> Settled:
    """Set a restored copy to its safe side, in the caller's transaction.

    - Open sessions and flows end: their challenges, tokens and links are known outside.
    - Attempts made since the copy are forgotten, so every account counts as one with `failures` in a row, the last
      one now: the next attempt waits, and no restore buys a guess for free (R10, R12).
    - API keys are revoked unless `keep_api_keys`: one that was revoked since would be valid again.
    - Device keys go for the same reason unless `keep_device_keys`: their owners bind them again.
    """
    conn.execute(update(flows).where(flows.c.state.in_(("minted", "begun"))).values(expires_at=now))
    ended = conn.execute(
        update(sessions).where(sessions.c.state == "open").values(state="expired", transaction_text=None)
    ).rowcount
    conn.execute(delete(device_challenges))
    unbound = 0 if keep_device_keys else conn.execute(delete(device_keys)).rowcount
    revoked = 0
    if not keep_api_keys:
        here = api_keys.c.revoked_at
        revoked = conn.execute(update(api_keys).where(here.is_(None)).values(revoked_at=now)).rowcount
    conn.execute(
        update(attempts).where(attempts.c.consecutive < failures).values(consecutive=failures, last_at=now)
    )
    spent = literal(failures)
    counted = select(attempts.c.account).where(
        attempts.c.tenant == accounts.c.tenant, attempts.c.account == accounts.c.account
    )
    conn.execute(
        insert(attempts).from_select(
            ["tenant", "account", "consecutive", "total"],
            select(accounts.c.tenant, accounts.c.account, spent, spent).where(~counted.exists()),
        )
    )
    waiting = conn.execute(update(attempts).values(last_at=now)).rowcount
    return Settled(ended, waiting, revoked, unbound)


def sealed_under(conn: Connection) -> dict[str, int]:
    """Return how many references are sealed under each data key that any is sealed under."""
    key = biometric_references.c.data_key_id
    return {row[0]: row[1] for row in conn.execute(select(key, func.count()).group_by(key))}
