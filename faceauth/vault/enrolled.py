"""Who is enrolled with which model: counts and ids only, no reference is opened."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from faceauth.db.rows import insert_if_absent
from faceauth.db.schema import biometric_references, installation


@dataclass(frozen=True, slots=True)
class Enrolled:
    """How many accounts of a tenant have references for a scenario, and how many references these are."""

    tenant: str
    scenario: str
    accounts: int
    references: int


def count_enrolled(conn: Connection, *, model_digest: bytes) -> tuple[Enrolled, ...]:
    """Count the references that a model made, by tenant and scenario, in the order of their names.

    Args:
        conn: An open connection to the data database.
        model_digest: 32 bytes; see ``faceauth.embed.manifest.PackSpec.model_digest``.
    """
    table = biometric_references
    found = conn.execute(
        select(table.c.tenant, table.c.scenario, func.count(table.c.account.distinct()), func.count())
        .where(table.c.model_digest == model_digest)
        .group_by(table.c.tenant, table.c.scenario)
        .order_by(table.c.tenant, table.c.scenario)
    )
    return tuple(Enrolled(*row) for row in found)


def models_enrolled(conn: Connection) -> tuple[bytes, ...]:
    """Return the digests of the models that there are references of, in order."""
    column = biometric_references.c.model_digest
    return tuple(conn.scalars(select(column).distinct().order_by(column)))


def accounts_of_model(conn: Connection, *, model_digest: bytes) -> dict[tuple[str, str], list[str]]:
    """Return the ids of the references that a model made, by tenant and account, in the order of their names."""
    table = biometric_references
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in conn.execute(
        select(table.c.tenant, table.c.account, table.c.reference_id)
        .where(table.c.model_digest == model_digest)
        .order_by(table.c.tenant, table.c.account, table.c.reference_id)
    ):
        found[row.tenant, row.account].append(row.reference_id)
    return dict(found)


def people_enrolled(conn: Connection) -> int:
    """Return how many accounts of all tenants have a reference (R55)."""
    table = biometric_references
    people = select(table.c.tenant, table.c.account).distinct().subquery()
    return int(conn.execute(select(func.count()).select_from(people)).scalar_one())


def people_of_scenario(conn: Connection, *, tenant: str, scenario: str) -> int:
    """Return how many accounts have a reference for a scenario."""
    table = biometric_references
    query = select(func.count(table.c.account.distinct()))
    mine = query.where(table.c.tenant == tenant, table.c.scenario == scenario)
    return int(conn.execute(mine).scalar_one())


def references_of(conn: Connection, *, tenant: str, accounts: Sequence[str]) -> dict[str, int]:
    """Return how many references each of some accounts has; who has none is left out."""
    table = biometric_references
    mine = select(table.c.account, func.count()).where(table.c.tenant == tenant, table.c.account.in_(accounts))
    return {account: int(count) for account, count in conn.execute(mine.group_by(table.c.account))}


def note_alert(conn: Connection, *, now: datetime) -> bool:
    """Write down that so many are enrolled that somebody has to be told; return whether it is new (R55)."""
    return insert_if_absent(conn, installation, {"key": "enrolment_alert", "value": now.isoformat()})


def models_of_accounts(conn: Connection, *, tenant: str) -> dict[str, set[bytes]]:
    """Return which models made the references that each account of a tenant has now."""
    table = biometric_references
    found: dict[str, set[bytes]] = defaultdict(set)
    query = select(table.c.account, table.c.model_digest).distinct().where(table.c.tenant == tenant)
    for account, digest in conn.execute(query):
        found[account].add(bytes(digest))
    return dict(found)
