"""R27 is the database's own: every statement that would leave a reference without its consent is refused."""

import pytest
from sqlalchemy.exc import IntegrityError

from tests.consent.story import ANN, TENANT, Story, store_reference
from tests.databases import Databases


@pytest.fixture
def story(database: Databases) -> Story:
    """Ann agreed to `login` and to nothing else, and has one reference; Bob agreed to nothing."""
    story = Story()
    with database.data.begin() as conn:
        story.open(conn)
        story.accounts.ensure(conn, tenant=TENANT, account="bob", now=story.now)
        story.scenarios.create(
            conn,
            tenant=TENANT,
            scenario="door",
            mode="verify",
            titles={"en": "The door"},
            retention_days=30,
            liveness_profile="motion",
            notices={"en": "May we?"},
            now=story.now,
        )
        store_reference(conn, "r1", story.agree(conn))
    return story


BREAKS = {
    "delete the consent": "DELETE FROM live_consents",
    "rename it": "UPDATE live_consents SET consent_id = 'other'",
    "give it to another person": "UPDATE live_consents SET account = 'bob'",
    "turn it to another purpose": "UPDATE live_consents SET scenario = 'door'",
    "delete the person": "DELETE FROM accounts WHERE account = 'ann'",
    "rename the person": "UPDATE accounts SET account = 'eve' WHERE account = 'ann'",
    "delete the purpose": "DELETE FROM scenarios WHERE scenario = 'login'",
    "delete the tenant": "DELETE FROM tenants WHERE tenant = 'shop'",
    "give the face to another person": "UPDATE biometric_references SET account = 'bob'",
    "turn the face to another purpose": "UPDATE biometric_references SET scenario = 'door'",
    "lean the face on another consent": "UPDATE biometric_references SET consent_id = 'other'",
    "lean the face on none": "UPDATE biometric_references SET consent_id = NULL",
    "copy the face to another person": "INSERT INTO biometric_references (reference_id, tenant, account, "
    "scenario, consent_id, model_digest, data_key_id, sealed, created_at) SELECT 'r2', tenant, 'bob', scenario, "
    "consent_id, model_digest, data_key_id, sealed, created_at FROM biometric_references",
    "copy the face to another purpose": "INSERT INTO biometric_references (reference_id, tenant, account, "
    "scenario, consent_id, model_digest, data_key_id, sealed, created_at) SELECT 'r2', tenant, account, 'door', "
    "consent_id, model_digest, data_key_id, sealed, created_at FROM biometric_references",
    "forget what was agreed": "DELETE FROM consent_events",
    "agree in the person's stead afterwards": "UPDATE consent_events SET state = 'given'",
}


@pytest.mark.parametrize("name", BREAKS)
def test_the_database_refuses_to(database: Databases, story: Story, name: str) -> None:
    """R27: whoever writes, on either kind of database; and nothing of it stays."""
    with pytest.raises(IntegrityError):
        _run(database, [BREAKS[name]])
    _unchanged(database, story)


ONE_KIND = {
    "sqlite": [
        "PRAGMA defer_foreign_keys = ON; DELETE FROM live_consents",
        "PRAGMA foreign_keys = OFF; DELETE FROM live_consents",
        "UPDATE OR REPLACE live_consents SET consent_id = 'other'",
    ],
    "postgresql": [
        "SET CONSTRAINTS ALL DEFERRED; DELETE FROM live_consents",
        "TRUNCATE live_consents CASCADE; TRUNCATE consent_events",
        "TRUNCATE consent_events",
    ],
}


@pytest.mark.parametrize("number", range(3))
def test_nor_by_a_way_of_its_own(database: Databases, story: Story, number: int) -> None:
    """R27: checks put off to the commit, switched off in a transaction, rows replaced, tables emptied."""
    statements = ONE_KIND[database.data.dialect][number].split("; ")
    with pytest.raises(IntegrityError):
        _run(database, statements)
    _unchanged(database, story)


def _run(database: Databases, statements: list[str]) -> None:
    with database.data.begin() as conn:
        for statement in statements:
            conn.exec_driver_sql(statement)


def _unchanged(database: Databases, story: Story) -> None:
    with database.data.read() as conn:
        rows = conn.exec_driver_sql(
            "SELECT reference_id, account, scenario FROM biometric_references ORDER BY reference_id"
        ).all()
        assert [tuple(row) for row in rows] == [("r1", ANN, "login")]
        story.gate.ask(conn, tenant=TENANT, account=ANN, scenario="login")
        assert [event.state for event in story.ledger.history(conn, TENANT, ANN)] == ["given"]
