"""The people an application has told us about, each under the name the application uses."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Connection, select, update

from faceauth.consent.ages import age
from faceauth.consent.names import check_account, check_locale, is_account, is_plain_text
from faceauth.consent.standing import lock_account
from faceauth.db.rows import insert_if_absent
from faceauth.db.schema import accounts, live_consents
from faceauth.errors import InvalidRequest, UnknownAccount

CONTACT_LIMIT = 320
"""Characters: the longest mail address, 64 + 1 + 255 (RFC 5321, 4.5.3.1)."""

GUARDIAN_LIMIT = 2000
"""Characters of JSON that may describe a guardian. Own figure: a name, a contact and how they agreed."""


@dataclass(frozen=True, slots=True)
class Account:
    """One person as the application knows them; `guardian` is there when somebody agreed for a child (R35)."""

    tenant: str
    account: str
    locale: str | None
    birth_date: date | None = field(repr=False)
    contact: str | None = field(repr=False)
    guardian: Mapping[str, object] | None = field(repr=False)
    created_at: datetime
    restricted_at: datetime | None = None


class AccountStore:
    """Accounts, by tenant."""

    def ensure(
        self,
        conn: Connection,
        *,
        tenant: str,
        account: str,
        locale: str | None = None,
        birth_date: date | None = None,
        contact: str | None = None,
        guardian: Mapping[str, object] | None = None,
        now: datetime,
    ) -> Account:
        """Make the account if it is not there, and set those facts that are given; None leaves a fact as it is.

        Raises:
            InvalidRequest: A name or fact is malformed.
        """
        check_account(account)
        facts = _checked(locale=locale, birth_date=birth_date, contact=contact, guardian=guardian, now=now)
        key = {"tenant": tenant, "account": account}
        if not insert_if_absent(conn, accounts, {**key, **facts, "created_at": now}) and facts:
            conn.execute(
                update(accounts).where(accounts.c.tenant == tenant, accounts.c.account == account).values(**facts)
            )
        return self.get(conn, tenant, account)

    def get(self, conn: Connection, tenant: str, account: str) -> Account:
        """Return the account.

        Raises:
            UnknownAccount: This tenant has none of that name.
        """
        query = select(accounts).where(accounts.c.tenant == tenant, accounts.c.account == account)
        row = conn.execute(query).mappings().one_or_none() if is_account(account) else None
        if row is None:
            raise UnknownAccount("There is no such account. Make it first with PUT /v1/accounts/{account_id}.")
        return Account(**row)

    def restrict(self, conn: Connection, *, tenant: str, account: str, at: datetime | None) -> Account:
        """Suspend every use of the person's face from this commit on, or with None allow it again (GDPR 18).

        Nothing is erased, and consents keep their own time. A login that is being accepted commits before, or sees
        it (R33).

        Raises:
            UnknownAccount: This tenant has none of that name.
        """
        lock_account(conn, tenant, account)
        before = self.get(conn, tenant, account)
        mine = (live_consents.c.tenant == tenant, live_consents.c.account == account)
        conn.execute(select(live_consents.c.scenario).where(*mine).with_for_update()).all()
        if at is None or before.restricted_at is None:
            here = (accounts.c.tenant == tenant, accounts.c.account == account)
            conn.execute(update(accounts).where(*here).values(restricted_at=at))
        return self.get(conn, tenant, account)

    def exists(self, conn: Connection, tenant: str, account: str) -> bool:
        """Say whether this tenant has an account of that name."""
        query = select(accounts.c.account).where(accounts.c.tenant == tenant, accounts.c.account == account)
        return is_account(account) and conn.execute(query).first() is not None


def _checked(
    *,
    locale: str | None,
    birth_date: date | None,
    contact: str | None,
    guardian: Mapping[str, object] | None,
    now: datetime,
) -> dict[str, object]:
    facts: dict[str, object] = {}
    if locale is not None:
        facts["locale"] = check_locale(locale)
    if birth_date is not None:
        if not 0 <= age(birth_date, now.date()) <= 150:  # nobody on record reached 130
            raise InvalidRequest("birth_date is not the birthday of somebody alive.")
        facts["birth_date"] = birth_date
    if contact is not None:
        if not contact.strip() or len(contact) > CONTACT_LIMIT or not contact.isprintable():
            raise InvalidRequest(f"contact must be one line of at most {CONTACT_LIMIT} characters.")
        facts["contact"] = contact
    if guardian is not None:
        facts["guardian"] = _checked_guardian(guardian)
    return facts


def _checked_guardian(guardian: Mapping[str, object]) -> dict[str, object]:
    try:
        written = json.dumps(dict(guardian), allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise InvalidRequest("guardian must be plain JSON.") from error
    named = any(isinstance(value, str) and value.strip() for value in guardian.values())
    if not named or len(written) > GUARDIAN_LIMIT or not is_plain_text(written):
        raise InvalidRequest(f"guardian must say who it is, in at most {GUARDIAN_LIMIT} characters of JSON.")
    return dict(guardian)
