"""What the database says about one person and one scenario now; the gate and the ledger both read it here."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, or_, select

from faceauth.consent.ages import age
from faceauth.consent.names import is_account, is_scenario
from faceauth.consent.notices import NoticeStore
from faceauth.db.schema import accounts, consent_events, live_consents, scenarios, tombstones

ALLOWING = ("given", "renewed")
"""The states that alone may allow anything (R29)."""

ENDED = ("withdrawn", "expired")
"""The states after which a consent never comes back to life; agreeing again makes a new one."""


@dataclass(frozen=True, slots=True)
class LiveConsent:
    """The row that references lean on."""

    consent_id: str
    notice_version: int
    granted_at: datetime
    valid_until: datetime


def lock_account(conn: Connection, tenant: str, account: str) -> bool:
    """Make the account's other writers wait until this transaction ends; return whether it is there."""
    query = select(accounts.c.account).where(accounts.c.tenant == tenant, accounts.c.account == account)
    return is_account(account) and conn.execute(query.with_for_update()).first() is not None


def made_at(conn: Connection, tenant: str, account: str) -> datetime | None:
    """Return when the account was made; None where there is none.

    A name may be used again after its account was closed, by another person: what is older is not shown to them.
    """
    query = select(accounts.c.created_at).where(accounts.c.tenant == tenant, accounts.c.account == account)
    at: datetime | None = conn.scalar(query) if is_account(account) else None
    return at


def live_consent(conn: Connection, tenant: str, account: str, scenario: str, *, lock: bool) -> LiveConsent | None:
    """Return the live row; `lock` keeps a withdrawal out until this transaction ends (R33)."""
    row = live_consents.c
    query = select(row.consent_id, row.notice_version, row.granted_at, row.valid_until).where(
        row.tenant == tenant, row.account == account, row.scenario == scenario
    )
    if not (is_account(account) and is_scenario(scenario)):
        return None
    found = conn.execute(query.with_for_update(read=True) if lock else query).one_or_none()
    return None if found is None else LiveConsent(*found)


def scenario_state(conn: Connection, tenant: str, scenario: str, *, lock: bool) -> str | None:
    """Return "active", "retired" or None; `lock` keeps retiring and publishing out until this transaction ends."""
    if not is_scenario(scenario):
        return None
    query = select(scenarios.c.state).where(scenarios.c.tenant == tenant, scenarios.c.scenario == scenario)
    # KEY SHARE, as a foreign key takes it: logins do not wait for each other, only for `with_for_update`.
    state: str | None = conn.scalar(query.with_for_update(read=True, key_share=True) if lock else query)
    return state


def restricted(conn: Connection, tenant: str, account: str) -> bool:
    """Say whether the person had all use of their face suspended, without erasing it."""
    query = select(accounts.c.restricted_at).where(accounts.c.tenant == tenant, accounts.c.account == account)
    return is_account(account) and conn.scalar(query) is not None


def unguarded(
    conn: Connection, tenant: str, account: str, consent_id: str, *, minimum_age: int, today: date
) -> bool:
    """Say whether this is a child's consent that no guardian gave (R35).

    That happens when the application tells the date of birth, or corrects it, after the person agreed.
    """
    query = select(accounts.c.birth_date).where(accounts.c.tenant == tenant, accounts.c.account == account)
    born: date | None = conn.scalar(query)
    if born is None or age(born, today) >= minimum_age:
        return False
    row = consent_events.c
    mine = (row.tenant == tenant, row.account == account, row.consent_id == consent_id, row.state.in_(ALLOWING))
    record = conn.scalar(select(row.record).where(*mine).order_by(row.seq.desc()).limit(1))
    return record is None or record["event"]["entity_id"] != "guardian"


def being_erased(conn: Connection, tenant: str, account: str, scenario: str) -> bool:
    """Say whether an erasure of the whole account or of this scenario is not finished."""
    row = tombstones.c
    query = select(row.tombstone_id).where(
        row.tenant == tenant,
        row.account == account,
        row.state != "done",
        row.reference_id.is_(None),
        or_(row.scenario.is_(None), row.scenario == scenario),
    )
    return conn.execute(query.limit(1)).first() is not None


def ended(conn: Connection, tenant: str, account: str, consent_id: str) -> bool:
    """Say whether the ledger holds the end of this consent, whatever other rows say (R29)."""
    row = consent_events.c
    query = select(row.event_id).where(
        row.tenant == tenant, row.account == account, row.consent_id == consent_id, row.state.in_(ENDED)
    )
    return conn.execute(query.limit(1)).first() is not None


def first_given(conn: Connection, tenant: str, account: str, consent_id: str) -> datetime | None:
    """Return when a consent began, which renewals keep; None if the ledger does not know it."""
    row = consent_events.c
    query = select(row.event_at).where(
        row.tenant == tenant, row.account == account, row.consent_id == consent_id, row.state == "given"
    )
    at: datetime | None = conn.scalar(query)
    return at


def newer_material_notice(
    conn: Connection, tenant: str, scenario: str, consent: LiveConsent, now: datetime
) -> int | None:
    """Return the material version that this consent was not given for, if there is one."""
    return NoticeStore().superseded_by(conn, tenant, scenario, consent.notice_version, now)
