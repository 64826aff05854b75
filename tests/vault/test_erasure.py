"""Erasure in R40's order, interrupted everywhere, and what it leaves."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from faceauth.db.schema import (
    accounts,
    attempts,
    audit_log,
    biometric_references,
    data_keys,
    live_consents,
    sessions,
    tombstones,
)
from faceauth.errors import AuditUnavailable, InvalidRequest, SealBroken, StorageError, UnknownReference
from faceauth.types import ConsentGrant
from faceauth.vault.erasure import Erasure
from faceauth.vault.keys import DataKey
from faceauth.vault.keystore import DataKeys
from faceauth.vault.scope import ErasureState
from tests.vault.world import MODEL, START, World, vectors


class Crash(Exception):
    """The process ends here."""


class Interrupted(Erasure):
    """Ends at the given writing of a state, before its commit or after it."""

    before: int | None = None
    after: int | None = None
    count = 0

    def _advance(self, *args: Any, **kwargs: Any) -> None:
        super()._advance(*args, **kwargs)
        self.count += 1
        if self.count == self.before:
            raise Crash

    def _load(self, tombstone_id: str) -> Any:
        if self.after is not None and self.count == self.after:
            raise Crash
        return super()._load(tombstone_id)


STATES = list(ErasureState)
# Seven states are written after the first; after the last one there is nothing to go on with.
CRASHES = [*(("before", write) for write in range(1, 8)), *(("after", write) for write in range(1, 7))]


@dataclass
class Story:
    """Anna with two scenarios, and Ben; `doomed` and `kept`: what an erasure of Anna's login reaches, and not."""

    world: World
    anna: ConsentGrant
    door: ConsentGrant
    ben: ConsentGrant
    doomed: tuple[str, ...]
    kept: dict[str, set[bytes]] = field(default_factory=dict)


@pytest.fixture
def story(world: World) -> Story:
    anna, door, ben = world.agree("anna"), world.agree("anna", "door"), world.agree("ben")
    doomed = world.enrol(anna)
    world.enrol(door)
    world.enrol(ben)
    found = Story(world, anna, door, ben, doomed)
    found.kept = {"door": vectors(world.open(door)), "ben": vectors(world.open(ben))}
    return found


def refuses(story: Story) -> None:
    """Nothing of the erased scope opens, is accepted or can be stored."""
    world = story.world
    assert world.open(story.anna) == ()
    for reference_id in story.doomed:
        with world.data.read() as conn, pytest.raises(UnknownReference):
            world.store.open_one(conn, reference_id, expected_tenant="shop")
    with pytest.raises(IntegrityError), world.data.begin() as conn:
        world.store.add(conn, story.anna, world.face(), key=world.keys.current("shop", "anna"))


def keeps(story: Story) -> None:
    """What was not meant stays as it was."""
    assert vectors(story.world.open(story.door)) == story.kept["door"]
    assert vectors(story.world.open(story.ben)) == story.kept["ben"]


def gone(story: Story, token: str) -> None:
    """The erasure is complete and the receipt says so."""
    world = story.world
    claims: Any = world.signer.check(token, expected_typ="deletion-receipt+jwt")
    assert set(claims["destroyed"]["references"]) == set(story.doomed)
    assert list(claims["steps"]) == [state.value for state in STATES]
    assert list(claims["steps"].values()) == sorted(claims["steps"].values())
    with world.data.read() as conn:
        names = conn.scalars(select(biometric_references.c.reference_id)).all()
        assert not set(names) & set(story.doomed)
        assert conn.scalars(select(live_consents.c.scenario).where(live_consents.c.account == "anna")).all() == [
            "door"
        ]
        assert world.audit.verify(conn).intact
    with world.databases.keys.read() as conn:
        left = set(conn.scalars(select(data_keys.c.data_key_id)))
    assert claims["destroyed"]["data_keys"]
    assert not left & set(claims["destroyed"]["data_keys"])
    assert not any(reference_id in world.index for reference_id in story.doomed)
    assert world.erasure().unfinished() == ()


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


@pytest.mark.parametrize(("when", "write"), CRASHES)
def test_it_goes_on_after_a_crash_anywhere(story: Story, when: str, write: int) -> None:
    """R40: before and after the commit of each state, the door is shut, nothing else is lost, and it ends well."""
    world = story.world
    world.request("anna", scenario="login")
    erasure = world.interrupted(Interrupted)
    setattr(erasure, when, write)
    with pytest.raises(Crash):
        erasure.resume()
    refuses(story)
    keeps(story)
    (receipt,) = world.erasure().resume()
    keeps(story)
    gone(story, receipt.token)
    assert world.erasure().resume() == []


class FailingKeys(DataKeys):
    """Ends inside the key store, before or after the work of one call."""

    def __init__(self, keys: DataKeys, name: str, *, done: bool) -> None:
        self.__dict__.update(keys.__dict__)
        self._name, self._done = name, done

    def replace(self, tenant: str, account: str) -> DataKey:
        with self._crash("replace"):
            return super().replace(tenant, account)

    def destroy(self, data_key_id: str) -> None:
        with self._crash("destroy"):
            super().destroy(data_key_id)

    @contextmanager
    def _crash(self, name: str) -> Iterator[None]:
        if name == self._name and not self._done:
            raise Crash
        yield
        if name == self._name:
            raise Crash


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("name", ["replace", "destroy"])
def test_it_goes_on_after_a_crash_in_the_key_store(story: Story, name: str, done: bool) -> None:
    """R40: the receipt names every key, also those that went before the crash."""
    world = story.world
    world.keys.replace("shop", "anna")  # so that two keys are to be destroyed
    world.request("anna", scenario="login")
    for _ in range(2):
        with pytest.raises(Crash):
            world.erasure(keys=FailingKeys(world.keys, name, done=done)).resume()
        refuses(story)
        keeps(story)
    (receipt,) = world.erasure().resume()
    keeps(story)
    gone(story, receipt.token)
    assert len(receipt.data_keys) >= 2


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


def test_two_erasures_of_one_account_do_not_hurt_what_stays(story: Story) -> None:
    """R48: one stops after re-sealing, the other runs through, then the first goes on."""
    world = story.world
    attic = world.agree("anna", "attic")
    world.enrol(attic)
    stay = vectors(world.open(attic))
    first, second = world.request("anna", scenario="login"), world.request("anna", scenario="door")
    stopped = world.interrupted(Interrupted)
    stopped.after = 1
    with pytest.raises(Crash):
        stopped.run(first)
    world.erasure().run(second)
    assert vectors(world.open(attic)) == stay
    world.erasure().run(first)
    assert vectors(world.open(attic)) == stay
    assert world.open(story.anna) == world.open(story.door) == ()


def test_the_same_erasure_in_two_places_gives_one_receipt(story: Story) -> None:
    world = story.world
    tombstone = world.request("anna", scenario="login")
    barrier, tokens = threading.Barrier(2), []

    def run() -> None:
        erasure = world.erasure()
        barrier.wait()
        tokens.append(erasure.run(tombstone).token)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 2
    assert tokens[0] == tokens[1]
    gone(story, tokens[0])
    keeps(story)


def test_enrolling_while_an_erasure_rekeys_loses_nothing(story: Story) -> None:
    """R40, R48: whatever the interleaving, what was stored opens, or nothing was stored."""
    world = story.world
    tombstone = world.request("anna", scenario="login")
    barrier, refused = threading.Barrier(2), []

    def enrol() -> None:
        barrier.wait()
        for _ in range(8):
            try:
                with world.data.begin() as conn:
                    world.store.add(conn, story.door, world.face(), key=world.keys.current("shop", "anna"))
            except Exception as error:  # noqa: BLE001  which ones is what the test looks at
                refused.append(type(error).__name__)

    thread = threading.Thread(target=enrol)
    thread.start()
    barrier.wait()
    world.erasure().run(tombstone)
    thread.join()
    assert set(refused) <= {"KeyUnavailable", "KeyDestroyed"}
    assert len(world.open(story.door)) == 3
    assert world.broken == []


def test_a_late_erasure_spares_the_keys_of_an_account_opened_again(story: Story) -> None:
    """R48: one erasure is cut short, the account is closed and opened again, and only then the first goes on."""
    world = story.world
    first = world.request("anna", scenario="login")
    stopped = world.interrupted(Interrupted)
    stopped.after = 1
    with pytest.raises(Crash):
        stopped.run(first)
    world.erasure().run(world.request("anna", reason="account_closed"))
    attic = world.agree("anna", "attic")
    world.enrol(attic)
    world.erasure().run(first)
    assert len(world.open(attic)) == 3


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


def test_a_receipt_is_never_written_over_what_is_left(story: Story) -> None:
    """R40's verification: a row that comes back is erased again."""
    world = story.world
    tombstone = world.request("anna", scenario="login")
    stopped = world.interrupted(Interrupted)
    stopped.after = 5
    with pytest.raises(Crash):
        stopped.run(tombstone)
    with world.data.begin() as conn:
        conn.execute(
            insert(live_consents).values(
                tenant="shop",
                account="anna",
                scenario="login",
                consent_id="restored",
                notice_version=1,
                valid_until=START,
                granted_at=START,
            )
        )
    with pytest.raises(StorageError, match="1 things left"):
        world.erasure().run(tombstone)
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
