"""Makes an installation's rows in bulk, for measurements: whole people with consent, key and sealed references.

The rows are those that enrolment writes, under the same constraints and triggers; what is left out are the events
that led there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, update

from faceauth.db.audit_tables import audit_head, audit_log
from faceauth.db.engine import Database
from faceauth.db.schema import accounts, biometric_references, data_keys, live_consents

VALIDITY = timedelta(days=365)


class SealedReference(NamedTuple):
    """One reference as the data database holds it."""

    reference_id: str
    sealed: bytes


class Enrolled(NamedTuple):
    """One person as both databases hold them."""

    account: str
    consent_id: str
    data_key_id: str
    wrapped: bytes
    references: tuple[SealedReference, ...]


def insert_people(
    data: Database,
    keys: Database,
    people: Iterable[Enrolled],
    *,
    tenant: str,
    scenario: str,
    model_digest: bytes,
    now: datetime,
) -> None:
    """Insert people who all agreed to one scenario, in one transaction a database.

    Raises:
        sqlalchemy.exc.IntegrityError: The scenario or the tenant is not there, or an id is taken.
    """
    everyone, here = list(people), {"tenant": tenant}
    with data.begin() as conn:
        conn.execute(insert(accounts), [{**here, "account": one.account, "created_at": now} for one in everyone])
        consent = {
            **here,
            "scenario": scenario,
            "notice_version": 1,
            "granted_at": now,
            "valid_until": now + VALIDITY,
        }
        conn.execute(
            insert(live_consents),
            [{**consent, "account": one.account, "consent_id": one.consent_id} for one in everyone],
        )
    insert_faces(data, keys, everyone, tenant=tenant, scenario=scenario, model_digest=model_digest, now=now)


def insert_faces(
    data: Database,
    keys: Database,
    people: Iterable[Enrolled],
    *,
    tenant: str,
    scenario: str,
    model_digest: bytes,
    now: datetime,
) -> None:
    """Insert the keys and references of people whose accounts and consents are there.

    Raises:
        sqlalchemy.exc.IntegrityError: Somebody's consent is not there, or an id is taken.
    """
    everyone, here = list(people), {"tenant": tenant}
    with keys.begin() as conn:
        conn.execute(
            insert(data_keys),
            [
                {
                    **here,
                    "data_key_id": one.data_key_id,
                    "account": one.account,
                    "generation": 1,
                    "wrapped": one.wrapped,
                    "created_at": now,
                }
                for one in everyone
            ],
        )
    with data.begin() as conn:
        shared = {**here, "scenario": scenario, "model_digest": model_digest, "created_at": now}
        conn.execute(insert(biometric_references), list(_reference_rows(everyone, shared)))


def insert_audit_rows(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append finished rows to the audit log, the head included: what `AuditLog.append` writes, many at once."""
    conn.execute(insert(audit_log), rows)
    conn.execute(update(audit_head).values(seq=rows[-1]["seq"], digest=rows[-1]["digest"]))


def _reference_rows(everyone: Iterable[Enrolled], shared: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for one in everyone:
        for reference in one.references:
            yield {
                **shared,
                "reference_id": reference.reference_id,
                "account": one.account,
                "consent_id": one.consent_id,
                "data_key_id": one.data_key_id,
                "sealed": reference.sealed,
            }
