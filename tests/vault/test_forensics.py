"""After an erasure the bytes are gone, not only the rows (R9, R41, R42, R43)."""

import shutil
import sqlite3
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from faceauth.db.schema import biometric_references, data_keys
from faceauth.errors import SealBroken
from faceauth.signing import DELETION_RECEIPT
from faceauth.vault.backup import Backups
from tests.databases import Databases, copied_sqlite, sqlite
from tests.forensics import Canaries, logging_to, places, scan, temporary_files
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


def enrolled(world: World, accounts: int) -> Canaries:
    """Enrol accounts `a0`, `a1` and so on, each with one template."""
    found = Canaries()
    for number in range(accounts):
        probe = world.face(parts=1)
        world.enrol(world.agree(f"a{number}"), probe)
        found.add(world.databases, f"a{number}", list(probe.parts))
    return found


def backed_up(world: World, folder: Path) -> None:
    """Make a backup, as an operator would between two erasures."""
    Backups(folder, installation=world.ring.installation_id, signer=world.signer).write(
        world.data,
        world.databases.keys,
        audit=world.audit,
        tenant="shop",
        actor="test",
        clock=world.clock,
        progress=lambda *_: None,
    )


def erase_and_scan(world: World, folder: Path, accounts: int, keep: int) -> None:
    """Erase all accounts but the last `keep`, and look everywhere for what was erased, and for any face."""
    log, backups = folder / "service.log", folder / "backups"
    with logging_to(log):
        canaries = enrolled(world, accounts)
        backed_up(world, backups)
        look = [*places(world.databases, log, backups), *temporary_files(canaries.began)]
        # The scan can find: what is stored is there, and what is in the clear never was.
        assert {hit.needle for hit in scan(look, canaries.stored())} == set(range(2 * accounts))
        assert scan(look, canaries.clear) == []
        receipts = [
            world.erasure().run(world.request(f"a{number}", reason="account_closed")).token
            for number in range(accounts - keep)
        ]
        (folder / "receipts").write_text("\n".join(receipts))
        backed_up(world, backups)
    erased = [f"a{number}" for number in range(accounts - keep)]
    kept = [f"a{number}" for number in range(accounts - keep, accounts)]
    look = [*places(world.databases, log, folder / "receipts"), *temporary_files(canaries.began)]
    older, newest = sorted((backups / "data").iterdir())
    assert scan([*look, newest], canaries.stored(*erased)) == []
    # The older backup has the sealed records, as it must; no key of theirs is anywhere.
    assert scan([*look, backups], [key for name in erased for key in canaries.wrapped[name]]) == []
    assert scan([older], canaries.sealed[erased[0]])
    assert scan([*look, backups], canaries.clear) == []
    assert {hit.needle for hit in scan(look, canaries.stored(*kept))} == set(range(2 * keep))


def test_nothing_of_an_erased_account_is_in_any_byte(sqlite_world: World, tmp_path: Path) -> None:
    """R41, R42: 110 templates, 100 erased; databases, their logs, journal, log lines, receipts, backups."""
    erase_and_scan(sqlite_world, tmp_path, 110, keep=10)


@pytest.mark.soak
def test_nothing_of_a_thousand_erased_accounts_is_in_any_byte(sqlite_world: World, tmp_path: Path) -> None:
    """R42: the same with 1,000 canaries."""
    erase_and_scan(sqlite_world, tmp_path, 1_010, keep=10)


def planted(world: World) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield what a mistake might leave: its name, the needle to look with, and the bytes that lie there."""
    world.enrol(world.agree("anna"))
    vector = world.face().vector
    single, half = vector.astype("<f4").tobytes(), vector.astype("<f2").tobytes()
    key = wrapped(world, "anna")[0]
    yield "single precision", single, single
    yield "half precision", half, half
    yield "hexadecimal", single, single.hex().encode()
    yield "base64", single, b64encode(b"x" + single)
    yield "base64 for addresses", single, urlsafe_b64encode(b"xy" + single)
    yield "a wrapped key", key, key
    yield "a part of it", key, key[:40]


def test_a_planted_canary_is_found(sqlite_world: World, tmp_path: Path) -> None:
    """R42: in each form, between other bytes, at an odd place; so zero hits mean something."""
    folder = tmp_path / "planted"
    for name, needle, lies in planted(sqlite_world):
        folder.mkdir()
        noise = np.random.default_rng(3).bytes(100_003)
        (folder / "a.db-wal").write_bytes(noise)
        assert not scan([folder], [needle]), name
        (folder / "a.db-wal").write_bytes(noise + lies + noise)
        assert [hit.offset for hit in scan([folder], [needle])][:1] >= [100_003], name
        shutil.rmtree(folder)


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
    canaries = enrolled(world, 4)
    postgresql_cluster.run("CHECKPOINT")
    look = places(postgresql_database, tmp_path, cluster=postgresql_cluster)
    assert scan(look, canaries.sealed["a0"])
    assert scan(look, canaries.clear) == []
    for name in canaries.sealed:
        receipt = world.erasure().run(world.request(name, reason="account_closed"))
        claims = world.signer.check(receipt.token, expected_typ=DELETION_RECEIPT)
        assert (claims["storage"], claims["overwritten"]) == ("postgresql", False)
    postgresql_cluster.run("CHECKPOINT")
    assert scan(look, canaries.clear) == []
    assert world.rows(biometric_references) == world.rows(data_keys) == 0
