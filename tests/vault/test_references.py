"""Sealed references: stored under a consent, opened in their place, not lost to a damaged neighbour."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from faceauth.db.schema import biometric_references, data_keys, live_consents
from faceauth.errors import (
    KeyDestroyed,
    KeyringForeign,
    KeyUnavailable,
    Mismatch,
    SealBroken,
    UnknownReference,
)
from faceauth.vault.keyring import bind_installation
from faceauth.vault.keys import KeyringProvider
from faceauth.vault.keystore import DataKeys
from tests.vault.world import MODEL, World, keyring, vectors


def test_what_is_enrolled_opens_again(world: World) -> None:
    grant, probe = world.agree("anna"), world.face()
    ids = world.enrol(grant, probe)
    opened = world.open(grant)
    assert {reference.reference_id for reference in opened} == set(ids)
    assert vectors(opened) == {part.tobytes() for part in probe.parts}
    assert all(reference.consent_id == grant.consent_id for reference in opened)
    with world.data.read() as conn:
        described = world.store.describe(conn, tenant="shop", account="anna")
        one = world.store.open_one(conn, ids[0], expected_tenant="shop")
    assert [(info.scenario, info.model_digest) for info in described] == [("login", MODEL.hex())] * 3
    assert np.array_equal(one.vector, probe.parts[0])


def test_no_reference_without_a_live_consent(world: World) -> None:
    """R27: the database itself refuses it."""
    grant = world.agree("anna")
    key = world.keys.current("shop", "anna")
    others = [replace(grant, consent_id="another"), replace(grant, scenario="door"), replace(grant, tenant="bank")]
    for other in others[:2]:
        with pytest.raises(IntegrityError), world.data.begin() as conn:
            world.store.add(conn, other, world.face(), key=key)
    with pytest.raises(ValueError, match="another account"), world.data.begin() as conn:
        world.store.add(conn, others[2], world.face(), key=key)
    world.enrol(grant)
    with pytest.raises(IntegrityError), world.data.begin() as conn:
        conn.execute(delete(live_consents))
    assert world.rows(biometric_references) == 3


def test_enrolling_again_replaces_the_same_scenario_and_model_only(world: World) -> None:
    login, door = world.agree("anna"), world.agree("anna", "door")
    old = world.enrol(login)
    kept = {*world.enrol(login, replace(world.face(), model_digest=b"o" * 32)), *world.enrol(door)}
    new = world.enrol(login)
    with world.data.read() as conn:
        left = {info.reference_id for info in world.store.describe(conn, tenant="shop", account="anna")}
        by_model = world.store.ids(conn, tenant="shop", account="anna", scenario="login", model_digest=MODEL)
        every = world.store.ids(conn, tenant="shop", account="anna", scenario="login")
    assert left == {*kept, *new}
    assert not left & set(old)
    assert set(by_model) == set(new)
    assert len(every) == 6


def test_at_most_the_asked_number_is_stored(world: World) -> None:
    grant = world.agree("anna")
    probe = world.face(parts=6)
    assert len(world.enrol(grant, probe)) == 3
    assert vectors(world.open(grant)) == {part.tobytes() for part in probe.parts[:3]}


def test_only_unit_vectors_are_stored(world: World) -> None:
    grant, probe = world.agree("anna"), world.face()
    for parts in (probe.parts * 2, probe.parts * np.float32("nan"), probe.parts[:0], probe.parts[0]):
        with pytest.raises(ValueError, match=r"unit length|nothing to store"):
            world.enrol(grant, replace(probe, parts=parts))
    assert world.rows(biometric_references) == 0


def test_a_damaged_reference_is_reported_kept_and_does_not_match(world: World) -> None:
    """R48: the others still open, and nothing is deleted."""
    grant = world.agree("anna")
    ids = world.enrol(grant)
    with world.data.begin() as conn:
        row = biometric_references.c.reference_id == ids[1]
        sealed = bytearray(conn.scalar(select(biometric_references.c.sealed).where(row)) or b"")
        sealed[40] ^= 1
        conn.execute(update(biometric_references).where(row).values(sealed=bytes(sealed)))
    assert {reference.reference_id for reference in world.open(grant)} == {ids[0], ids[2]}
    assert [(name, error.code) for name, error in world.broken] == [(ids[1], "seal_broken")]
    with world.data.read() as conn, pytest.raises(SealBroken):
        world.store.open_one(conn, ids[1], expected_tenant="shop")
    assert world.rows(biometric_references) == 3


def test_a_swapped_row_does_not_open(world: World) -> None:
    """R46: one person's sealed face put into another's row, with the key that goes with it."""
    anna, ben = world.agree("anna"), world.agree("ben")
    (from_anna,), (into_ben,) = world.enrol(anna, world.face(1)), world.enrol(ben, world.face(1))
    with world.data.begin() as conn:
        stolen = conn.execute(
            select(biometric_references).where(biometric_references.c.reference_id == from_anna)
        ).one()
        conn.execute(
            update(biometric_references)
            .where(biometric_references.c.reference_id == into_ben)
            .values(sealed=stolen.sealed, data_key_id=stolen.data_key_id)
        )
    with pytest.raises(SealBroken):
        world.open(ben)
    assert len(world.open(anna)) == 1


def test_when_none_opens_it_is_not_taken_for_not_enrolled(world: World) -> None:
    """R48."""
    grant = world.agree("anna")
    world.enrol(grant)
    world.keys.destroy(world.keys.current("shop", "anna").data_key_id)
    with pytest.raises(SealBroken):
        world.open(grant)
    assert len(world.broken) == 3
    assert isinstance(world.broken[0][1], KeyDestroyed)
    assert world.rows(biometric_references) == 3


def test_a_missing_key_encryption_key_is_not_taken_for_damage(world: World) -> None:
    """R48: the keyring is wrong, the data is not."""
    grant = world.agree("anna")
    world.enrol(grant)
    other = replace(world.ring, kek={2: b"2" * 32}, active=2, minimum=1)
    world.store._keys = DataKeys(world.databases.keys, KeyringProvider(other), world.clock)
    with pytest.raises(KeyUnavailable):
        world.open(grant)
    assert world.broken == []


def test_other_tenants_and_missing_references_look_the_same(world: World) -> None:
    (reference_id,) = world.enrol(world.agree("anna"), world.face(1))
    with world.data.read() as conn:
        for name, tenant in ((reference_id, "bank"), ("nothing", "shop")):
            with pytest.raises(UnknownReference):
                world.store.open_one(conn, name, expected_tenant=tenant)


def test_an_accepting_transaction_notices_that_the_reference_went(world: World) -> None:
    """R33."""
    (reference_id,) = world.enrol(world.agree("anna"), world.face(1))
    with world.data.begin() as conn:
        world.store.still_there(conn, reference_id)
    world.request("anna", reference_id=reference_id)
    with pytest.raises(Mismatch), world.data.begin() as conn:
        world.store.still_there(conn, reference_id)


def test_a_scenario_is_opened_for_the_index(world: World) -> None:
    expected = set[bytes]()
    for number in range(4):
        grant, probe = world.agree(f"a{number}"), world.face()
        world.enrol(grant, probe)
        expected |= {part.tobytes() for part in probe.parts}
    world.enrol(world.agree("a0", "door"))
    world.request("a3")
    with world.data.read() as conn:
        opened = list(world.store.open_scenario(conn, tenant="shop", scenario="login"))
        assert world.store.count(conn, tenant="shop", scenario="login") == len(opened) == 9
    assert vectors(opened) < expected
    assert {reference.account for reference in opened} == {"a0", "a1", "a2"}


# --- data keys ------------------------------------------------------------------------------------------------


def test_an_account_has_one_key_until_it_is_replaced(world: World) -> None:
    """R45."""
    first = world.keys.current("shop", "anna")
    assert world.keys.current("shop", "anna") == first
    assert world.keys.current("shop", "ben").secret != first.secret
    second = world.keys.replace("shop", "anna")
    assert (second.generation, world.keys.current("shop", "anna")) == (2, second)
    assert world.keys.is_current(second)
    assert not world.keys.is_current(first)
    assert world.keys.open(first.data_key_id) == first
    assert world.keys.ids("shop", "anna") == (first.data_key_id, second.data_key_id)
    assert world.keys.ids("shop", "anna", before=2) == (first.data_key_id,)


def test_a_destroyed_key_opens_no_more(world: World) -> None:
    """R40."""
    key = world.keys.current("shop", "anna")
    for _ in range(2):
        world.keys.destroy(key.data_key_id)
    with pytest.raises(KeyDestroyed):
        world.keys.open(key.data_key_id)
    assert world.rows(data_keys) == 0


def test_makers_at_the_same_time_get_the_same_key(world: World) -> None:
    barrier, made = threading.Barrier(4), []

    def make() -> None:
        barrier.wait()
        made.append(world.keys.current("shop", "anna"))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len({key.data_key_id for key in made}) == 1


def test_a_wrapped_key_opens_in_its_own_row_only(world: World) -> None:
    """R46 for keys: rows swapped between two accounts."""
    anna, ben = (world.keys.current("shop", name) for name in ("anna", "ben"))
    with world.databases.keys.begin() as conn:
        wrapped = conn.scalar(select(data_keys.c.wrapped).where(data_keys.c.account == "anna"))
        conn.execute(update(data_keys).where(data_keys.c.account == "ben").values(wrapped=wrapped))
    with pytest.raises(SealBroken):
        world.keys.open(ben.data_key_id)
    found = world.keys.open_many([anna.data_key_id, ben.data_key_id, "gone"])
    assert found[anna.data_key_id] == anna
    assert isinstance(found[ben.data_key_id], SealBroken)
    assert isinstance(found["gone"], KeyDestroyed)


def test_a_key_that_was_replaced_seals_nothing(world: World) -> None:
    """R40: else a reference could be stored under a key that is about to be destroyed."""
    grant = world.agree("anna")
    old = world.keys.current("shop", "anna")
    world.keys.replace("shop", "anna")
    with pytest.raises(KeyUnavailable), world.data.begin() as conn:
        world.store.add(conn, grant, world.face(), key=old)
    assert world.rows(biometric_references) == 0


def test_the_database_belongs_to_one_keyring(world: World) -> None:
    with world.data.begin() as conn:
        bind_installation(conn, world.ring)
    with world.data.begin() as conn:
        bind_installation(conn, world.ring)
        with pytest.raises(KeyringForeign):
            bind_installation(conn, replace(keyring(), installation_id="1" * 32))
