"""Destroying an old version of the key-encryption key: two people, nothing left under it, really gone (R52)."""

import os
from base64 import urlsafe_b64encode
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from faceauth.db.audit_tables import audit_log
from faceauth.db.schema import data_keys
from faceauth.db.tenants import ensure_tenant
from faceauth.errors import ApprovalRequired, InvalidRequest, KeyUnavailable
from faceauth.identity.approvals import Approvals
from faceauth.two_people import Outcome, destroy_key
from faceauth.vault.destruction import Destruction
from faceauth.vault.keyring import create_keyring
from faceauth.vault.keyring_place import KeyringPlace
from faceauth.vault.keystore import DataKeys
from faceauth.vault.rotation import Rotated, Rotation
from tests.databases import Databases
from tests.vault.story import Crash
from tests.vault.world import START, World


class Destroying:
    """Anna and Ben have data keys in an installation with a keyring file."""

    def __init__(self, databases: Databases, folder: Path) -> None:
        self.place = KeyringPlace(folder / "keyring")
        self.world = World(databases, folder, ring=create_keyring(self.place.path, now=START))
        with databases.data.begin() as conn:
            ensure_tenant(conn, tenant="default", now=START)
        self.approvals = Approvals(self.world.audit, self.world.clock)
        self.destruction = Destruction(
            place=self.place, data=databases.data, keys=databases.keys, audit=self.world.audit
        )
        self.databases = databases
        for account in ("anna", "ben"):
            self.keys().current("shop", account)

    def keys(self) -> DataKeys:
        """The key store as a process sees it that starts now."""
        return DataKeys(self.databases.keys, self.place.provider(self.place.load()), self.world.clock)

    def rotate(self) -> Rotated:
        rotation = Rotation(
            place=self.place, data=self.databases.data, keys=self.databases.keys, audit=self.world.audit
        )
        return rotation.rotate(tenant="default", actor="cli")

    def destroy(self, version: int, actor: str = "cli:anna") -> Outcome:
        return destroy_key(
            version,
            data=self.databases.data,
            approvals=self.approvals,
            destruction=self.destruction,
            tenant="default",
            actor=actor,
        )

    def approve(self, outcome: Outcome, actor: str = "cli:ben") -> None:
        with self.databases.data.begin() as conn:
            self.approvals.approve(conn, outcome.approval.approval_id, tenant="default", actor=actor)

    def wrapped(self) -> list[bytes]:
        with self.databases.keys.read() as conn:
            return list(conn.scalars(select(data_keys.c.wrapped).order_by(data_keys.c.data_key_id)))


@pytest.fixture
def here(database: Databases, tmp_path: Path) -> Destroying:
    return Destroying(database, tmp_path)


def test_asked_approved_and_gone(here: Destroying) -> None:
    """R52: the old copy of the key database opens no more, and what is there still does."""
    before = {account: bytes(here.keys().current("shop", account).secret) for account in ("anna", "ben")}
    old, kek = here.wrapped(), bytes(here.place.load().kek[1])
    here.rotate()
    asked = here.destroy(1)
    assert asked.told is None
    assert here.destroy(1).told is None, "asking again does not do it"
    here.approve(asked)
    assert here.destroy(1).told is not None
    keyring = here.place.load()
    assert (keyring.destroyed, keyring.minimum, sorted(keyring.kek)) == ((1,), 2, [2])
    assert urlsafe_b64encode(kek).decode() not in here.place.path.read_text()
    for record in old:
        with pytest.raises(KeyUnavailable):
            here.place.provider(keyring).unwrap(record, context=b"any")
    assert {account: bytes(here.keys().current("shop", account).secret) for account in before} == before
    with here.databases.data.read() as conn:
        found = [(row.event, row.details.get("state")) for row in conn.execute(select(audit_log).order_by("seq"))]
    assert found[-5:] == [
        ("operator:approval:requested", None),
        ("operator:approval:given", None),
        ("operator:key:destroyed", "begun"),
        ("operator:approval:used", None),
        ("operator:key:destroyed", "finished"),
    ]


def test_one_person_alone_cannot(here: Destroying) -> None:
    here.rotate()
    asked = here.destroy(1)
    with pytest.raises(Exception, match="second person"):
        here.approve(asked, "cli:anna")
    assert here.destroy(1).told is None
    assert 1 in here.place.load().kek


def test_it_is_refused_while_a_data_key_is_under_it(here: Destroying) -> None:
    """Else that account's references were lost. Also when the key comes between asking and doing."""
    with pytest.raises(InvalidRequest, match="not an old one"):
        here.destroy(1)
    ring = here.place.load()
    here.place.replace(here.place.next(ring, os.urandom))
    with pytest.raises(InvalidRequest, match="let it finish"):
        here.destroy(1)
    here.rotate()
    asked = here.destroy(1)
    here.approve(asked)
    DataKeys(here.databases.keys, here.place.provider(ring), here.world.clock).current("shop", "cleo")
    with pytest.raises(InvalidRequest, match="1 data keys are still wrapped"):
        here.destroy(1)
    assert 1 in here.place.load().kek


def test_the_oldest_goes_first_and_each_once(here: Destroying) -> None:
    here.rotate()
    assert here.rotate().version == 3
    with pytest.raises(InvalidRequest, match="Version 1 is older"):
        here.destroy(2)
    here.approve(here.destroy(1))
    here.destroy(1)
    with pytest.raises(InvalidRequest, match="destroyed already"):
        here.destroy(1)
    with pytest.raises(InvalidRequest, match="not an old one"):
        here.destroy(7)
    assert here.rotate().version == 4, "no version comes twice"


def test_an_approval_for_one_version_destroys_no_other(here: Destroying) -> None:
    here.rotate()
    here.rotate()
    here.approve(here.destroy(1))
    with pytest.raises(InvalidRequest):
        here.destroy(2)
    assert sorted(here.place.load().kek) == [1, 2, 3]


def test_cut_off_in_between_it_is_finished_by_running_it_again(
    here: Destroying, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R57: after the keyring was exchanged and before the record of it."""
    here.rotate()
    here.approve(here.destroy(1))
    with monkeypatch.context() as broken:
        broken.setattr(KeyringPlace, "destroy", lambda *_: (_ for _ in ()).throw(Crash()))
        with pytest.raises(Crash):
            here.destroy(1)
    assert here.place.load().destroyed == (1,)
    assert here.destroy(1).told is not None
    with pytest.raises(InvalidRequest, match="destroyed already"):
        here.destroy(1)


def test_the_old_file_is_overwritten(here: Destroying) -> None:
    """Not only its name is gone: the bytes that it had are zeros."""
    here.rotate()
    here.approve(here.destroy(1))
    with here.place.path.open("rb") as old:
        here.destroy(1)
        old.seek(0)
        assert old.read().strip(b"\0") == b""
    assert here.place.load().active == 2


def test_a_copy_by_link_is_left_alone(here: Destroying, tmp_path: Path) -> None:
    here.rotate()
    here.approve(here.destroy(1))
    os.link(here.place.path, tmp_path / "copy")
    kept = (tmp_path / "copy").read_bytes()
    here.destroy(1)
    assert (tmp_path / "copy").read_bytes() == kept


def test_a_refused_approval_stops_it_before_anything_changes(
    here: Destroying, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.rotate()
    asked = here.destroy(1)
    here.approve(asked)
    kept = here.place.path.read_bytes()
    with here.databases.data.begin() as conn:
        here.approvals.reject(conn, asked.approval.approval_id, tenant="default", actor="cli:ben")
    monkeypatch.setattr(type(here.approvals), "find", lambda *_, **__: asked_as_approved(asked))
    with pytest.raises(ApprovalRequired):
        here.destroy(1)
    assert here.place.path.read_bytes() == kept


def asked_as_approved(asked: Outcome) -> object:
    """What another process read a moment before the refusal."""
    return replace(asked.approval, state="approved")
