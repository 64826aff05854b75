"""After an erasure the bytes are gone, not only the rows (R9, R41, R42, R43)."""

import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
from sqlalchemy import select

from faceauth.db.schema import biometric_references, data_keys
from faceauth.errors import SealBroken
from tests.databases import Databases, copied_sqlite, sqlite
from tests.forensics import places, scan, temporary_files, vector_needles
from tests.postgresql import Cluster
from tests.vault.world import World


def sealed(world: World, account: str) -> list[bytes]:
    """The sealed records of an account as they lie in the database."""
    table = biometric_references
    with world.data.read() as conn:
        return list(conn.scalars(select(table.c.sealed).where(table.c.account == account)))


def wrapped(world: World, account: str) -> list[bytes]:
    with world.databases.keys.read() as conn:
        return list(conn.scalars(select(data_keys.c.wrapped).where(data_keys.c.account == account)))


def canaries(world: World, accounts: int = 20) -> tuple[list[bytes], dict[str, tuple[list[bytes], list[bytes]]]]:
    """Enrol accounts; return every face in the clear, and what is stored of each account."""
    clear, stored = [], {}
    for number in range(accounts):
        name = f"a{number}"
        probe = world.face()
        world.enrol(world.agree(name), probe)
        clear += [needle for part in probe.parts for needle in vector_needles(part)]
        stored[name] = sealed(world, name), wrapped(world, name)
    return clear, stored


def test_nothing_of_an_erased_account_is_in_any_byte(sqlite_world: World, tmp_path: Path) -> None:
    """R41, R42: 20 accounts, 10 of them erased; database, write-ahead log, log file, temporary files."""
    world, began = sqlite_world, time.time()
    log = tmp_path / "service.log"
    with log.open("w") as lines:
        structlog.configure(logger_factory=structlog.WriteLoggerFactory(lines))
        try:
            clear, stored = canaries(world)
            look = [*places(world.databases, log), *temporary_files(began)]
            records = [record for records, _ in stored.values() for record in records]
            keys = [key for _, keys in stored.values() for key in keys]
            # The scan can find: what is stored is there, and what is in the clear never was.
            assert {hit.needle for hit in scan(look, records + keys)} == set(range(80))
            assert scan(look, clear) == []
            for number in range(0, 20, 2):
                world.erasure().run(world.request(f"a{number}", reason="account_closed"))
        finally:
            structlog.reset_defaults()
    erased = [needle for n in range(0, 20, 2) for part in stored[f"a{n}"] for needle in part]
    stays = [needle for n in range(1, 20, 2) for part in stored[f"a{n}"] for needle in part]
    look = [*places(world.databases, log), *temporary_files(began)]
    assert scan(look, erased) == []
    assert scan(look, clear) == []
    assert {hit.needle for hit in scan(look, stays)} == set(range(40))


def test_a_withdrawn_scenario_leaves_no_old_ciphertext_of_the_survivors(sqlite_world: World) -> None:
    """R42: re-sealed records and the key they were under are gone as well; the survivors still open."""
    world = sqlite_world
    door = world.agree("a0", "door")
    world.enrol(world.agree("a0"))
    world.enrol(door)
    old = sealed(world, "a0") + wrapped(world, "a0")
    assert {hit.needle for hit in scan(places(world.databases), old)} == set(range(7))
    world.erasure().run(world.request("a0", scenario="login"))
    assert scan(places(world.databases), old) == []
    assert len(world.open(door)) == 3


def test_a_backup_from_before_opens_nothing(sqlite_world: World, tmp_path: Path) -> None:
    """R43: the data comes back from a copy, but the key store is only kept in its newest copy."""
    world = sqlite_world
    grant = world.agree("anna")
    world.enrol(grant)
    world.data.truncate_wal()
    backup, restored = tmp_path / "backup", tmp_path / "restored"
    backup.mkdir()
    shutil.copy(world.data.path or "", backup / "faceauth.db")
    world.erasure().run(world.request("anna", scenario="login"))
    world.databases.keys.truncate_wal()
    shutil.copy(world.databases.keys.path or "", backup / "keys.db")
    with copied_sqlite(backup, restored) as pair:
        old = World(pair, tmp_path, ring=world.ring)
        assert old.rows(biometric_references) == 3
        with pytest.raises(SealBroken):
            old.open(grant)


def test_the_index_keeps_no_copy(sqlite_world: World) -> None:
    """R42: its buffers after an erasure."""
    world = sqlite_world
    grant = world.agree("anna")
    probe = world.face()
    world.enrol(grant, probe)

    def memory() -> bytes:
        blocks: list[Any] = [block for part in world.index._partitions.values() for block in part.blocks]
        return b"".join(block.engine._rows.tobytes() for block in blocks)

    assert all(part.tobytes() in memory() for part in probe.parts)
    world.erasure().run(world.request("anna", scenario="login"))
    assert not any(part.tobytes()[at : at + 16] in memory() for part in probe.parts for at in range(0, 512, 16))


def test_without_overwriting_the_scan_finds_what_is_deleted(tmp_path: Path) -> None:
    """R41: the other side of the claim, on a plain connection with `secure_delete` off."""
    folder = tmp_path / "plain"
    folder.mkdir()
    needle = np.random.default_rng(5).bytes(600)
    connection = sqlite3.connect(folder / "plain.db")
    connection.execute("PRAGMA secure_delete=OFF")
    connection.execute("CREATE TABLE t (data BLOB)")
    connection.execute("INSERT INTO t VALUES (?)", (needle,))
    connection.commit()
    connection.execute("DELETE FROM t")
    connection.commit()
    connection.close()
    assert scan([folder], [needle])
    assert places(sqlite(folder)) == [folder]


@pytest.mark.postgresql
def test_postgresql_never_holds_a_face_in_the_clear(
    postgresql_cluster: Cluster, postgresql_database: Databases, tmp_path: Path
) -> None:
    """R42: tables, write-ahead log and temporary files of the server; no row is left, and no key opens it."""
    if postgresql_cluster.folder is None:
        pytest.skip("the server is not the tests' own, so its files cannot be read")
    world = World(postgresql_database, tmp_path)
    clear, stored = canaries(world, 4)
    postgresql_cluster.run("CHECKPOINT")
    look = places(postgresql_database, cluster=postgresql_cluster)
    assert scan(look, stored["a0"][0])
    assert scan(look, clear) == []
    for name in stored:
        world.erasure().run(world.request(name, reason="account_closed"))
    postgresql_cluster.run("CHECKPOINT")
    assert scan(look, clear) == []
    assert world.rows(biometric_references) == world.rows(data_keys) == 0
