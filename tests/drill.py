"""An installation that is backed up, loses everything, and is restored: what the tests of restoring share."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from faceauth.cli.restore import restore_of
from faceauth.db.engine import Database
from faceauth.db.schema import biometric_references, data_keys, live_consents
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import ConsentRequired, UnknownAccount
from faceauth.installation import create_installation, databases
from faceauth.restoring import Restore, Restored
from faceauth.sections import KeySettings
from faceauth.settings import Settings
from faceauth.vault.backup import Backups, Copy
from faceauth.vault.journal import journal_of
from faceauth.vault.keyring import load_keyring
from faceauth.vault.replay import take_up
from tests.clocks import HandClock
from tests.databases import Databases, dispose
from tests.service import BLUE, RED, Service, make_service

COLOURS = {"anna": RED, "ben": BLUE, "carla": (80, 190, 80)}


@dataclass
class Drill:
    """One installation: its keyring and journal stay, its databases come and go."""

    folder: Path
    new_address: Callable[[], str | None]
    clock: HandClock = field(default_factory=HandClock)
    service: Service = field(init=False)
    settings: Settings = field(init=False)
    _places: int = 0
    _starts: int = 0

    def __post_init__(self) -> None:
        self.move()
        create_installation(self.settings, clock=self.clock)
        self.start()

    def move(self) -> None:
        """Give the installation another, empty place."""
        self._places += 1
        address = self.new_address()
        self.settings = Settings(
            data_dir=self.folder / f"data{self._places}",
            database_url=None if address is None else SecretStr(address),
            models_dir=self.folder,
            keys=KeySettings(file=self.folder / "keyring"),
        )

    @property
    def journal_file(self) -> Path:
        return self.settings.journal_file

    def databases(self) -> tuple[Database, Database]:
        return databases(self.settings)

    def start(self) -> None:
        """Serve, after the look that every start has."""
        keyring = load_keyring(self.settings.keyring_file)
        pair = Databases(*self.databases())
        try:
            take_up(pair.data, journal_of(self.settings, pair.keys, keyring, self.clock))
        except BaseException:
            dispose(pair)
            raise
        self.service = make_service(pair, keyring, self.settings.data_dir, self.clock, settings=self.settings)
        # No picture twice, whoever serves: the same bytes again would be a replay (R16).
        self._starts += 1
        self.service._seeds = 1000 * self._starts

    def stop(self) -> None:
        """Close the databases."""
        self.service.installation.data.dispose()
        self.service.installation.key_database.dispose()

    def enrol(self, *accounts: str) -> None:
        """Agree and enrol, each with a face of one colour."""
        for account in accounts:
            self.service.agree(account)
            assert self.service.post(self.service.open("enrol", account), COLOURS[account]).state == "accepted"

    def logs_in(self, account: str) -> bool:
        """Try to log in with the right face."""
        opened = self.service.open("verify", account)
        return self.service.post(opened, COLOURS[account]).state == "accepted"

    def close_account(self, account: str) -> str:
        """Close as the person."""
        lifecycle = self.service.installation.lifecycle
        return lifecycle.close_account(tenant=DEFAULT_TENANT, account=account, actor="test")

    def backups(self, folder: Path | None = None) -> Backups:
        """Name the backups in a folder."""
        into = self.service.installation
        return Backups(
            folder or self.folder / "backups", installation=into.keyring.installation_id, signer=into.signer
        )

    def backup(self, folder: Path | None = None) -> tuple[Copy, Copy]:
        """Make one."""
        into = self.service.installation
        self.clock.forward(1)
        return self.backups(folder).write(
            into.data,
            into.key_database,
            audit=into.audit,
            tenant=DEFAULT_TENANT,
            actor="test",
            clock=self.clock,
            progress=lambda *_: None,
        )

    def restore(self, folder: Path | None = None, *, in_place: bool = False, **options: Any) -> Restored:
        """Restore into where the settings point now."""
        said: dict[str, Any] = {
            "name": None,
            "without_journal": False,
            "keep_api_keys": False,
            "keep_device_keys": False,
            **options,
        }
        with self.restoring() as restore:
            return restore.run(
                None if in_place else self.backups(folder),
                tenant=DEFAULT_TENANT,
                actor="test",
                progress=lambda *_: None,
                **said,
            )

    @contextmanager
    def restoring(self) -> Iterator[Restore]:
        """Give what restores."""
        with restore_of(self.settings, self.clock) as (restore, _):
            yield restore

    def keep(self, copy: Path, name: str) -> Path:
        """Keep a copy of a folder, as somebody does who was told not to."""
        kept = self.folder / name
        shutil.copytree(copy, kept)
        return kept


def destroy(drill: Drill) -> None:
    """Lose data and keys; keyring, journal and backups are elsewhere."""
    drill.stop()
    drill.move()


def only_ben_is_left(drill: Drill) -> None:
    """Nothing of Anna, who withdrew, and Carla, who closed her account; Ben logs in."""
    service = drill.service
    with pytest.raises(ConsentRequired):
        service.open("verify", "anna")
    with pytest.raises(UnknownAccount):
        service.open("verify", "carla")
    with service.installation.data.read() as conn:
        assert set(conn.scalars(select(biometric_references.c.account))) == {"ben"}
        assert set(conn.scalars(select(live_consents.c.account))) == {"ben"}
        assert service.installation.audit.verify(conn).intact
        state = service.installation.ledger.state(conn, DEFAULT_TENANT, "anna", "login")
    assert state is not None
    assert state.state == "withdrawn"
    with service.installation.key_database.read() as conn:
        assert "carla" not in set(conn.scalars(select(data_keys.c.account)))
    assert service.installation.erasure.unfinished() == ()
    drill.clock.forward(31)
    assert drill.logs_in("ben")
