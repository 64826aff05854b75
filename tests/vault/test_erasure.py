"""Erasure in R40's order, and what it leaves."""

from typing import Any

import pytest
from sqlalchemy import insert, select, update

from faceauth.db.audit_tables import audit_log
from faceauth.db.schema import (
    accounts,
    attempts,
    biometric_references,
    data_keys,
    live_consents,
    sessions,
    tombstones,
)
from faceauth.errors import AuditUnavailable, InvalidRequest, SealBroken
from tests.vault.story import Crash, Story, gone, keeps, refuses
from tests.vault.world import MODEL, START, World, vectors


def test_a_withdrawn_scenario_goes_and_the_rest_stays(story: Story) -> None:
    """R40, R44."""
    tombstone = story.world.request("anna", scenario="login")
    refuses(story)
    keeps(story)
    receipt = story.world.erasure().run(tombstone)
    refuses(story)
    keeps(story)
    gone(story, receipt.token)
    assert set(receipt.references) == set(story.doomed)
    assert (receipt.reason, receipt.scope.scenario) == ("withdrawn", "login")
    assert story.world.erasure().run(tombstone) == receipt


def test_one_reference_goes_and_its_siblings_stay(story: Story) -> None:
    world, (first, *others) = story.world, story.doomed
    stay = {reference.vector.tobytes() for reference in world.open(story.anna) if reference.reference_id != first}
    receipt = world.erasure().run(world.request("anna", reference_id=first, reason="reference_deleted"))
    assert receipt.references == (first,)
    assert vectors(world.open(story.anna)) == stay
    assert first not in world.index
    assert all(name in world.index for name in others)
    keeps(story)
    assert len(world.keys.ids("shop", "anna")) == 1
    assert world.enrol(story.anna)


def test_closing_an_account_leaves_proof_and_nothing_else(story: Story) -> None:
    """R37, R40."""
    world = story.world
    with world.data.begin() as conn:
        conn.execute(insert(attempts).values(tenant="shop", account="anna", consecutive=1, total=2))
        for account in ("anna", "ben"):
            conn.execute(
                insert(sessions).values(
                    session_id=f"session of {account}",
                    tenant="shop",
                    purpose="verify",
                    scenario="login",
                    account=account,
                    matched_account=account,
                    challenge={},
                    token_digest=account.encode().ljust(32),
                    state="accepted",
                    reference_id=story.doomed[0] if account == "anna" else "another",
                    posts=1,
                    judging=False,
                    created_at=START,
                    expires_at=START,
                )
            )
    receipt = world.erasure().run(world.request("anna", reason="account_closed"))
    assert len(receipt.references) == 6
    assert vectors(world.open(story.ben)) == story.kept["ben"]
    with world.data.read() as conn:
        for table in (accounts, attempts, biometric_references, live_consents):
            assert "anna" not in conn.scalars(select(table.c.account)).all()
        linked = conn.execute(
            select(sessions.c.account, sessions.c.matched_account, sessions.c.reference_id).order_by(
                sessions.c.session_id
            )
        ).all()
        assert linked == [(None, None, None), ("ben", "ben", "another")]
    assert world.keys.ids("shop", "anna") == ()
    assert len(world.keys.ids("shop", "ben")) == 1


def test_the_account_can_be_opened_again(story: Story) -> None:
    world = story.world
    world.erasure().run(world.request("anna", reason="account_closed"))
    again = world.agree("anna")
    world.enrol(again)
    assert len(world.open(again)) == 3


def test_withdrawing_with_nothing_enrolled_still_gives_a_receipt(world: World) -> None:
    """R32: and old backups may hold a reference that was replaced, so its key goes too."""
    world.agree("anna")
    old = world.keys.current("shop", "anna")
    receipt = world.erasure().run(world.request("anna", scenario="login"))
    assert receipt.references == ()
    assert receipt.data_keys == (old.data_key_id,)
    assert world.rows(live_consents) == 0


def test_a_damaged_survivor_is_told_and_left(story: Story) -> None:
    """R48."""
    world = story.world
    name = world.open(story.door)[0].reference_id
    with world.data.begin() as conn:
        conn.execute(
            update(biometric_references)
            .where(biometric_references.c.reference_id == name)
            .values(sealed=b"x" * 99)
        )
    receipt = world.erasure().run(world.request("anna", scenario="login"))
    claims: Any = world.signer.check(receipt.token, expected_typ="deletion-receipt+jwt")
    assert (claims["unreadable"], claims["resealed"]) == ([name], 2)
    assert len(world.open(story.door)) == 2
    assert world.rows(biometric_references) == 6


def test_no_audit_no_erasure(story: Story) -> None:
    """R49: the step rolls back, the door stays shut, and it goes on when the log works again."""
    world = story.world
    erasure = world.erasure()

    class Broken:
        def append(self, *_args: object, **_kwargs: object) -> None:
            raise AuditUnavailable("disk full")

    erasure._audit = Broken()
    with pytest.raises(AuditUnavailable), world.data.begin() as conn:
        erasure.request(conn, tenant="shop", account="anna", scenario="login", reason="withdrawn")
    assert world.rows(tombstones) == 0
    tombstone = world.request("anna", scenario="login")
    with pytest.raises(AuditUnavailable):
        erasure.run(tombstone)
    assert erasure.resume() == []
    refuses(story)
    gone(story, world.erasure().run(tombstone).token)


def test_asking_twice_gives_one_erasure(world: World) -> None:
    world.agree("anna")
    first = world.request("anna", scenario="login")
    assert world.request("anna", scenario="login") == first
    assert world.request("anna") != first
    with world.data.read() as conn:
        assert world.erasure().last(conn, tenant="shop", account="anna", scenario="login") == first
        assert world.erasure().last(conn, tenant="shop", account="ben", scenario="login") is None


def test_the_request_is_the_callers_transaction(story: Story) -> None:
    world = story.world

    def fail() -> None:
        with world.data.begin() as conn:
            world.erasure().request(conn, tenant="shop", account="anna", scenario="login", reason="withdrawn")
            raise Crash

    with pytest.raises(Crash):
        fail()
    assert len(world.open(story.anna)) == 3
    assert world.erasure().unfinished() == ()


@pytest.mark.parametrize(
    "changed", [{"reason": "because"}, {"scenario": "login", "reference_id": "r"}, {"reason": ""}]
)
def test_senseless_requests_are_refused(world: World, changed: dict[str, str]) -> None:
    arguments = {"tenant": "shop", "account": "anna", "reason": "withdrawn"} | changed
    with pytest.raises(InvalidRequest), world.data.begin() as conn:
        world.erasure().request(conn, **arguments)
    with pytest.raises(InvalidRequest):
        world.erasure().run("nothing")


def test_it_is_audited_without_names(story: Story) -> None:
    """R49, R50."""
    world = story.world
    world.erasure().run(world.request("anna", scenario="login"))
    with world.data.read() as conn:
        rows = conn.execute(select(audit_log).order_by(audit_log.c.seq)).all()
    assert [row.event for row in rows] == [
        "vault:erasure:requested",
        "vault:datakey:destroyed",
        "vault:erasure:finished",
    ]
    assert "anna" not in repr(rows)


def test_the_receipt_holds_no_face(story: Story) -> None:
    """R44."""
    world = story.world
    receipt = world.erasure().run(world.request("anna", scenario="login"))
    claims: Any = world.signer.check(receipt.token, expected_typ="deletion-receipt+jwt")
    assert set(claims) == {
        "schema", "jti", "iat", "tenant", "account", "scope", "reason", "storage", "overwritten",
        "destroyed", "resealed", "unreadable", "kept", "steps",
    }  # fmt: skip
    assert claims["destroyed"]["rows"] == {"references": 3, "live_consents": 1}
    assert claims["overwritten"] == (world.data.dialect == "sqlite")
    assert MODEL.hex() not in str(claims)


def test_damage_elsewhere_does_not_stop_a_closing(story: Story) -> None:
    """R48 and R40: an account whose only key is altered can still be closed."""
    world = story.world
    with world.databases.keys.begin() as conn:
        conn.execute(update(data_keys).where(data_keys.c.account == "anna").values(wrapped=b"x" * 61))
    with pytest.raises(SealBroken):
        world.open(story.anna)
    world.erasure().run(world.request("anna", reason="account_closed"))
    assert world.keys.ids("shop", "anna") == ()
