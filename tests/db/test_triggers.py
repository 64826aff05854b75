"""What the database refuses whoever asks (R27, R38, R40)."""

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError

from faceauth.db.schema import biometric_references, notices, tombstones
from tests.consent.story import ANN, TENANT, Story, doom, store_reference
from tests.databases import Databases


@pytest.fixture
def consent_id(database: Databases) -> str:
    """Ann agreed to `login`."""
    story = Story()
    with database.data.begin() as conn:
        story.open(conn)
        return story.agree(conn)


@pytest.mark.parametrize(
    "scope", [{}, {"scenario": "login"}, {"reference": "r1"}, {"scenario": "login", "reference": "r1"}]
)
def test_no_reference_enters_a_scope_that_is_being_erased(
    database: Databases, consent_id: str, scope: dict[str, str]
) -> None:
    """R27, R40: from the tombstone on until it is done, the row cannot come back."""
    with database.data.begin() as conn:
        doom(conn, "t", **scope)
    with pytest.raises(IntegrityError, match="under way"), database.data.begin() as conn:
        store_reference(conn, "r1", consent_id)
    with database.data.begin() as conn:
        conn.execute(update(tombstones).values(state="done"))
        store_reference(conn, "r1", consent_id)


@pytest.mark.parametrize("scope", [{"scenario": "door"}, {"reference": "r2"}])
def test_other_scopes_are_left_alone(database: Databases, consent_id: str, scope: dict[str, str]) -> None:
    """R40: erasing one thing does not stop another; the account of another tenant neither."""
    with database.data.begin() as conn:
        doom(conn, "t", **scope)
        conn.execute(update(tombstones).values(account=ANN))
        store_reference(conn, "r1", consent_id)
        doom(conn, "t2")
        conn.execute(update(tombstones).where(tombstones.c.tombstone_id == "t2").values(tenant="other"))
        store_reference(conn, "r3", consent_id)


def test_a_survivor_may_be_resealed_but_not_moved(database: Databases, consent_id: str) -> None:
    """R40: an erasure reseals what stays under a new data key; nothing moves to another consent meanwhile."""
    story = Story()
    with database.data.begin() as conn:
        story.scenarios.create(
            conn,
            tenant=TENANT,
            scenario="door",
            mode="verify",
            titles={"en": "Door"},
            retention_days=30,
            liveness_profile="motion",
            notices={"en": "May we?"},
            now=story.now,
        )
        story.ledger._new_id = lambda kind: f"{kind}_other"
        other = story.agree(conn, "door")
        store_reference(conn, "r1", consent_id)
        doom(conn, "t")
        conn.execute(update(biometric_references).values(sealed=b"resealed", data_key_id="next"))
    with pytest.raises(IntegrityError), database.data.begin() as conn:
        conn.execute(update(biometric_references).values(scenario="door", consent_id=other))


def test_notices_cannot_be_changed(database: Databases, consent_id: str) -> None:
    """R38: what people were shown stays readable at its hash."""
    for statement in (update(notices).values(text="other"), delete(notices)):
        with pytest.raises(IntegrityError, match="append-only"), database.data.begin() as conn:
            conn.execute(statement)
    if database.data.dialect == "postgresql":
        with pytest.raises(IntegrityError, match="append-only"), database.data.begin() as conn:
            conn.exec_driver_sql("TRUNCATE notices")
