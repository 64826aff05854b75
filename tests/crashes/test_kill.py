"""Processes that end by `kill -9`: what was acknowledged stays, and erasures end (R27, R40, R56)."""

import multiprocessing
import shutil
import signal
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from faceauth.db.schema import biometric_references, live_consents
from faceauth.errors import UnknownReference
from faceauth.signing import DELETION_RECEIPT
from faceauth.vault import tombstones
from faceauth.vault.keyring import create_keyring
from faceauth.vault.scan import scan
from faceauth.vault.scope import ErasureState
from tests.crashes import victim
from tests.databases import dispose
from tests.vault.world import START, World, vectors


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Processes that start in milliseconds, from one that has everything imported."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["tests.crashes.victim"])
    return found


@pytest.fixture
def folder(sqlite_template: Path, tmp_path: Path) -> Path:
    """An installation's databases, keyring and journal."""
    found = tmp_path / "installation"
    shutil.copytree(sqlite_template, found)
    create_keyring(found / "keyring", now=START)
    return found


@pytest.fixture
def world(folder: Path) -> Iterator[World]:
    """The same, opened."""
    found = victim.reopened(folder)
    yield found
    dispose(found.databases)


# --- an erasure, killed at every place --------------------------------------------------------------------------

PLACES = [
    *(("before", state) for state in range(1, len(ErasureState))),
    *(("after", state) for state in range(1, len(ErasureState) - 1)),
    *(("note", 1), ("note", 2), ("replace", 1), ("destroy", 1), ("destroy", 2), ("truncate_wal", 1)),
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place[0]}-{place[1]}")
def test_a_killed_erasure_is_shut_at_once_and_ends_at_the_next_start(
    folder: Path, world: World, processes: ForkServerContext, place: tuple[str, int]
) -> None:
    """R40: killed before and after each state is written, and between: nothing opens, the others stay, it ends."""
    anna = world.agree("anna")
    doomed = world.enrol(anna)
    world.keys.replace("shop", "anna")  # so that two keys are to be destroyed
    door = world.agree("anna", "door")
    world.enrol(door)
    stays = vectors(world.open(door))
    with world.databases.keys.read() as conn:
        old = [bytes(row.wrapped) for row in conn.exec_driver_sql("SELECT wrapped FROM data_keys")]
    tombstone = world.request("anna", scenario="login")
    dispose(world.databases)

    killed = processes.Process(target=victim.erase, args=(folder, 10_000, place))
    killed.start()
    killed.join(30)
    assert killed.exitcode == -signal.SIGKILL

    again = victim.reopened(folder, 20_000)
    try:
        assert again.open(anna) == ()
        with again.data.read() as conn:
            for reference_id in doomed:
                with pytest.raises(UnknownReference):
                    again.store.open_one(conn, reference_id, expected_tenant="shop")
        assert vectors(again.open(door)) == stays
        (receipt,) = again.erasure().resume() or [again.erasure().run(tombstone)]
        claims = again.signer.check(receipt.token, expected_typ=DELETION_RECEIPT)
        assert claims["jti"] == tombstone
        assert vectors(again.open(door)) == stays
        assert not scan([folder], old)
        assert set(again.journal.known()) == {tombstone}
        with again.data.read() as conn:
            assert again.audit.verify(conn).intact
    finally:
        dispose(again.databases)


# --- a campaign -------------------------------------------------------------------------------------------------


def campaign(folder: Path, processes: ForkServerContext, kills: int, *, seed: int) -> dict[str, int]:
    """Kill a writing process so many times; after each, compare what it told with what is there.

    Returns:
        How many acknowledged acts there were, how many were lost, and how many references lacked a consent.
    """
    choose = np.random.default_rng(seed)
    found = {"acknowledged": 0, "lost": 0, "without_consent": 0}
    for kill in range(kills):
        ids = (kill + 1) * 100_000
        here, there = processes.Pipe(duplex=False)
        writer = processes.Process(target=victim.write, args=(folder, ids, seed + kill, there))
        writer.start()
        there.close()
        told = []
        # At least one act, then a moment that falls anywhere in the next ones.
        told.append(here.recv())
        writer.join(choose.uniform(0, 0.08))
        writer.kill()
        writer.join()
        while True:
            try:
                told.append(here.recv())
            except EOFError:
                break
        here.close()
        again = victim.reopened(folder, ids + 90_000)
        try:
            found["acknowledged"] += len(told)
            found["lost"] += lost(again, told)
            found["without_consent"] += without_consent(again)
            again.erasure().resume()
        finally:
            dispose(again.databases)
    return found


def lost(world: World, told: list[tuple[str, str, object]]) -> int:
    """Count the acknowledged acts that are not there."""
    missing = 0
    asked = {account for kind, account, _ in told if kind == "asked"}
    with world.data.read() as conn:
        consents = set(conn.scalars(select(live_consents.c.consent_id)))
        references = set(conn.scalars(select(biometric_references.c.reference_id)))
        for kind, account, value in told:
            if kind == "agreed" and account not in asked:
                # The process may have withdrawn it, and died before it said so.
                missing += value not in consents and not _being_erased(world, account)
            elif kind == "enrolled" and account not in asked:
                assert isinstance(value, tuple)
                missing += not references.issuperset(value) and not _being_erased(world, account)
            elif kind == "asked":
                missing += tombstones.load(conn, str(value)) is None
            elif kind == "erased":
                claims = world.signer.check(str(value), expected_typ=DELETION_RECEIPT)
                stone = tombstones.load(conn, str(claims["jti"]))
                missing += stone is None or stone.token != value
    return missing


def _being_erased(world: World, account: str) -> bool:
    with world.data.read() as conn:
        return any(stone.scope.account == account for stone in tombstones.every(conn))


def without_consent(world: World) -> int:
    """Count references that no live consent stands behind."""
    here, row = live_consents.c, biometric_references.c
    with world.data.read() as conn:
        live = {tuple(found) for found in conn.execute(select(here.account, here.scenario, here.consent_id))}
        stored = [tuple(found) for found in conn.execute(select(row.account, row.scenario, row.consent_id))]
    return sum(one not in live for one in stored)


def test_a_loss_would_be_found(world: World) -> None:
    """The other side of the campaign's zeros."""
    grant = world.agree("anna")
    ids = world.enrol(grant)
    told: list[tuple[str, str, object]] = [("agreed", "anna", grant.consent_id), ("enrolled", "anna", ids)]
    assert lost(world, told) == 0
    gone: list[tuple[str, str, object]] = [("agreed", "ben", "consent_0"), ("enrolled", "ben", ("reference_0",))]
    gone.append(("asked", "carla", "tombstone_0"))
    assert lost(world, told + gone) == 3


def test_nothing_acknowledged_is_lost_to_a_kill(folder: Path, processes: ForkServerContext) -> None:
    """R56, R27: 20 kills in the middle of consents, enrolments and withdrawals."""
    found = campaign(folder, processes, 20, seed=1)
    assert found["acknowledged"] >= 20
    assert (found["lost"], found["without_consent"]) == (0, 0)


KILLS = 10_000


@pytest.mark.soak
def test_ten_thousand_kills_lose_nothing(folder: Path, processes: ForkServerContext) -> None:
    """R56: in lots of 500, each on a fresh installation, so that what is looked through stays small."""
    for lot in range(KILLS // 500):
        place = folder.with_name(f"lot{lot}")
        shutil.copytree(folder, place)
        found = campaign(place, processes, 500, seed=1000 * lot)
        assert (found["lost"], found["without_consent"]) == (0, 0)
        shutil.rmtree(place)
