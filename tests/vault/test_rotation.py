"""Rotating the key-encryption key: online, resumable, and without one template in the clear (R45)."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, text, update

from faceauth.db.audit_tables import audit_log
from faceauth.db.schema import biometric_references, data_keys
from faceauth.errors import AuditUnavailable, KeyringForeign, KeyUnavailable
from faceauth.types import ConsentGrant
from faceauth.vault import keyring_place, references, rotation, wrapped
from faceauth.vault.keyring import create_keyring, load_keyring, replace_keyring
from faceauth.vault.keyring_place import KeyringPlace
from faceauth.vault.keys import KeyringProvider
from faceauth.vault.keystore import DataKeys
from faceauth.vault.rotation import Rotated, Rotation
from faceauth.vault.watched import WatchedKeyring
from tests.databases import Databases
from tests.vault.story import Crash
from tests.vault.world import START, World, vectors

PEOPLE = ("anna", "ben", "cleo", "dora", "emil")


class Rotating:
    """Five people enrolled in a world whose keys come from a keyring file, as in a running service."""

    def __init__(self, databases: Databases, folder: Path) -> None:
        self.file = folder / "keyring"
        self.world = World(databases, self.file.parent, ring=create_keyring(self.file, now=START))
        self.restart()
        self.grants: dict[str, ConsentGrant] = {name: self.world.agree(name) for name in PEOPLE}
        for grant in self.grants.values():
            self.world.enrol(grant)
        self.faces = self.opened()

    def restart(self) -> None:
        """Open keys as a fresh process would."""
        watched = WatchedKeyring(KeyringPlace(self.file), expected_installation=self.world.ring.installation_id)
        self.world.keys = DataKeys(self.world.databases.keys, KeyringProvider(watched), self.world.clock)
        self.world.store._keys = self.world.keys

    def opened(self) -> dict[str, set[bytes]]:
        return {name: vectors(self.world.open(grant)) for name, grant in self.grants.items()}

    def rotate(self, **more: Any) -> Rotated:
        world = self.world
        rotating = Rotation(
            place=KeyringPlace(self.file), data=world.data, keys=world.databases.keys, audit=world.audit
        )
        return rotating.rotate(tenant="shop", actor="test", **more)

    def versions(self) -> dict[int, int]:
        with self.world.databases.keys.read() as conn:
            return wrapped.count_versions(conn)

    def sealed(self) -> dict[str, bytes]:
        with self.world.data.read() as conn:
            rows = conn.execute(select(biometric_references.c.reference_id, biometric_references.c.sealed))
            return {row.reference_id: row.sealed for row in rows}

    def wrapped(self) -> dict[str, bytes]:
        with self.world.databases.keys.read() as conn:
            rows = conn.execute(select(data_keys.c.data_key_id, data_keys.c.wrapped))
            return {row.data_key_id: row.wrapped for row in rows}

    def put(self, data_key_id: str, record: bytes) -> None:
        with self.world.databases.keys.begin() as conn:
            conn.execute(update(data_keys).where(data_keys.c.data_key_id == data_key_id).values(wrapped=record))

    def audited(self) -> list[str]:
        with self.world.data.read() as conn:
            return list(conn.scalars(select(audit_log.c.event).where(audit_log.c.event == "operator:key:rotated")))


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)


@pytest.fixture
def here(database: Databases, tmp_path: Path) -> Rotating:
    return Rotating(database, tmp_path)


def test_every_data_key_is_wrapped_anew_and_no_template_is_opened(
    here: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R45: not one call of what opens or seals a template, and not one byte of a sealed record changes."""
    sealed, calls, told = here.sealed(), [], []
    with monkeypatch.context() as watched:
        for name in ("open_sealed", "seal"):
            watched.setattr(references, name, lambda *_, **__: calls.append(1))
        done = here.rotate(progress=lambda wrapped, total: told.append((wrapped, total)))
    assert done == Rotated(version=2, minimum=1, rewrapped=5, resumed=False, unreadable=())
    assert here.versions() == {2: 5}
    assert calls == []
    assert here.sealed() == sealed
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert here.opened() == here.faces
    ring = load_keyring(here.file)
    assert (ring.active, ring.minimum, ring.rotating, sorted(ring.kek)) == (2, 1, False, [1, 2])
    assert here.audited() == ["operator:key:rotated"] * 2


def test_a_running_service_follows_without_a_restart(here: Rotating) -> None:
    """R45: what it wraps during and after a rotation is under the new version."""
    frida: list[ConsentGrant] = []

    def enrol_meanwhile(_: int, __: int) -> None:
        if not frida:
            frida.append(here.world.agree("frida"))
            here.world.enrol(frida[0])

    done = here.rotate(progress=enrol_meanwhile)
    assert (done.rewrapped, here.versions()) == (5, {2: 6})
    assert len(here.world.open(frida[0])) == 3
    here.world.keys.replace("shop", "anna")
    assert here.versions() == {2: 7}


def test_retired_versions_are_refused(here: Rotating) -> None:
    """R45: with the minimum raised, a key store from before the rotation opens nothing."""
    old = here.wrapped()
    assert here.rotate(retire=True).minimum == 2
    assert here.opened() == here.faces
    for name, record in old.items():
        here.put(name, record)
        with pytest.raises(KeyUnavailable, match="below 2"):
            here.world.keys.open(name)


def test_rotating_again_makes_the_next_version(here: Rotating) -> None:
    for version in (2, 3, 4):
        assert here.rotate(retire=version == 4).version == version
    assert here.versions() == {4: 5}
    assert here.opened() == here.faces


def once(act: Callable[..., Any], *, done: bool, at: int = 1) -> Callable[..., Any]:
    """Return `act` ending the process at its call number `at`, before or after its work."""
    count = 0

    def acting(*args: Any, **more: Any) -> Any:
        nonlocal count
        count += 1
        if count == at and not done:
            raise Crash
        result = act(*args, **more)
        if count == at:
            raise Crash
        return result

    return acting


@dataclasses.dataclass(frozen=True)
class Cut:
    """What is interrupted, at which of its calls and on which side of its work; what the next run then does."""

    name: str
    at: int
    done: bool
    resumed: bool = True
    version: int = 2


CUTS = [
    Cut("replace_keyring", 1, done=False, resumed=False),
    Cut("replace_keyring", 1, done=True),
    Cut("exchange", 1, done=False),
    Cut("exchange", 1, done=True),
    Cut("exchange", 2, done=True),
    Cut("exchange", 3, done=True),
    Cut("replace_keyring", 2, done=False),
    Cut("replace_keyring", 2, done=True, resumed=False, version=3),
]


@pytest.mark.parametrize("retire", [False, True])
@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_it_goes_on_after_a_crash_anywhere(
    here: Rotating, monkeypatch: pytest.MonkeyPatch, cut: Cut, retire: bool
) -> None:
    """R45, R57: everyone still opens after the crash, and the next run finishes what was begun."""
    with monkeypatch.context() as broken:
        module = keyring_place if cut.name == "replace_keyring" else rotation
        broken.setattr(module, cut.name, once(getattr(module, cut.name), done=cut.done, at=cut.at))
        with pytest.raises(Crash):
            here.rotate(retire=retire)
    here.restart()
    assert here.opened() == here.faces
    ended = here.rotate(retire=retire)
    assert (ended.version, ended.resumed) == (cut.version, cut.resumed)
    assert ended.minimum == (cut.version if retire else 1)
    assert here.versions() == {cut.version: 5}
    here.restart()
    assert here.opened() == here.faces


def test_a_key_that_was_destroyed_meanwhile_stays_destroyed(
    here: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R40, R45: rotation exchanges rows and inserts none."""
    doomed = min(here.wrapped())

    def destroyed_first(conn: Any, rows: Any, fresh: Any) -> None:
        conn.execute(delete(data_keys).where(data_keys.c.data_key_id == doomed))
        wrapped.exchange(conn, rows, fresh)

    monkeypatch.setattr(rotation, "exchange", destroyed_first)
    here.rotate()
    assert doomed not in here.wrapped()
    assert here.versions() == {2: 4}


def test_a_key_that_changed_meanwhile_is_not_written_over(here: Rotating) -> None:
    name, record = next(iter(here.wrapped().items()))
    with here.world.databases.keys.begin() as conn:
        rows = wrapped.wrapped_otherwise(conn, 2, after=None, limit=10)
    here.put(name, record[::-1])
    with here.world.databases.keys.begin() as conn:
        wrapped.exchange(conn, rows, {name: b"older"})
    assert here.wrapped()[name] == record[::-1]


@pytest.mark.parametrize("at", [0, 4, 20, -1])
def test_a_damaged_key_stops_nobody_else_and_holds_the_minimum(here: Rotating, at: int) -> None:
    """R48: it is told by its id and left as it is, and a good copy of it still opens."""
    name, good = min(here.wrapped().items())
    damaged = bytearray(good)
    damaged[at] ^= 0x02
    here.put(name, bytes(damaged))
    done = here.rotate(retire=True)
    assert here.wrapped()[name] == damaged
    assert (done.unreadable, done.minimum, done.rewrapped) == ((name,), 1, 4)
    here.put(name, good)
    assert here.opened() == here.faces
    assert here.rotate(retire=True).minimum == 3


def test_without_an_audit_record_nothing_is_done(here: Rotating, monkeypatch: pytest.MonkeyPatch) -> None:
    """R49."""
    before = here.file.read_bytes()

    def down(*_: object, **__: object) -> None:
        raise AuditUnavailable("down")

    monkeypatch.setattr(here.world.audit, "append", down)
    with pytest.raises(AuditUnavailable):
        here.rotate()
    assert (here.file.read_bytes(), here.versions()) == (before, {1: 5})


def test_another_installations_keyring_is_not_rotated(here: Rotating) -> None:
    here.rotate()
    replace_keyring(here.file, dataclasses.replace(load_keyring(here.file), installation_id="0" * 32))
    before = here.file.read_bytes()
    with pytest.raises(KeyringForeign):
        here.rotate()
    assert here.file.read_bytes() == before


@pytest.mark.postgresql
def test_whoever_makes_a_key_keeps_a_rotation_waiting(postgresql_database: Databases, tmp_path: Path) -> None:
    """R45: so that no key is wrapped under the old version after a rotation has looked for the last of them."""
    here, waited = Rotating(postgresql_database, tmp_path), []

    class Looking(KeyringProvider):
        def wrap(self, plain: bytes | bytearray, *, context: bytes) -> bytes:
            with here.world.databases.keys.begin() as conn:
                query = text("SELECT pg_try_advisory_xact_lock(:turn)")
                waited.append(not conn.scalar(query, {"turn": wrapped._TURN}))
            return super().wrap(plain, context=context)

    keys = DataKeys(here.world.databases.keys, Looking(load_keyring(here.file)), here.world.clock)
    keys.replace("shop", "anna")
    assert waited == [True]
