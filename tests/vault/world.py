"""A small installation for the vault's tests: one tenant, some accounts with live consents, made-up faces."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Table, func, insert, select

from faceauth.audit.log import AuditLog
from faceauth.db.schema import accounts, live_consents, scenarios, tenants
from faceauth.errors import FaceauthError
from faceauth.signing import Signer
from faceauth.types import ConsentGrant, Probe, Reference
from faceauth.vault.erasure import Erasure
from faceauth.vault.index import ReferenceIndex
from faceauth.vault.journal import Journal, JournalFile
from faceauth.vault.keyring import Keyring, new_signing_key
from faceauth.vault.keys import KeyringProvider
from faceauth.vault.keystore import DataKeys
from faceauth.vault.references import ReferenceStore
from tests.databases import Databases

SomeErasure = TypeVar("SomeErasure", bound=Erasure)

MODEL = b"m" * 32
START = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)
DIMENSION = 128


def keyring() -> Keyring:
    """Keys that are made up but for the signing key."""
    return Keyring("0" * 32, START, 1, 1, {1: b"k" * 32}, b"p" * 32, b"r" * 32, (new_signing_key(),))


@dataclass
class World:
    """Everything the vault needs, on a pair of databases; the journal of erasures lies in `folder`."""

    databases: Databases
    folder: Path
    ring: Keyring = field(default_factory=keyring)
    broken: list[tuple[str, FaceauthError]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.data = self.databases.data
        self._ticks = itertools.count()
        self._names = itertools.count(1)
        self.random = np.random.default_rng(7)
        self.signer = Signer(self.ring.signing_keys)
        self.audit = AuditLog(pseudonym_key=self.ring.pseudonym_key, clock=self.clock)
        self.keys = DataKeys(self.databases.keys, KeyringProvider(self.ring), self.clock)
        self.store = ReferenceStore(
            self.keys, self.clock, self.new_id, report=lambda name, error: self.broken.append((name, error))
        )
        self.index = ReferenceIndex()
        file = JournalFile(
            self.folder / "keyring.erasures", installation=self.ring.installation_id, clock=self.clock
        )
        self.journal = Journal(file, self.databases.keys)
        with self.data.begin() as conn:
            if not conn.scalar(select(func.count()).select_from(tenants)):
                conn.execute(insert(tenants).values(tenant="shop", created_at=START))

    def clock(self) -> datetime:
        """One second later each time."""
        return START + timedelta(seconds=next(self._ticks))

    def new_id(self, prefix: str) -> str:
        """Count up."""
        return f"{prefix}_{next(self._names)}"

    def count_from(self, first: int) -> None:
        """Let ids go on where another process may have stopped."""
        self._names = itertools.count(first)

    def agree(self, account: str, scenario: str = "login") -> ConsentGrant:
        """Make account and scenario if need be, and a live consent."""
        consent = self.new_id("consent")
        with self.data.begin() as conn:
            known = conn.execute(select(accounts).where(accounts.c.account == account)).first()
            if known is None:
                conn.execute(insert(accounts).values(tenant="shop", account=account, created_at=START))
            if conn.execute(select(scenarios).where(scenarios.c.scenario == scenario)).first() is None:
                conn.execute(
                    insert(scenarios).values(
                        tenant="shop",
                        scenario=scenario,
                        mode="identify",
                        titles={},
                        retention_days=30,
                        liveness_profile="standard",
                        state="active",
                        created_at=START,
                    )
                )
            conn.execute(
                insert(live_consents).values(
                    tenant="shop",
                    account=account,
                    scenario=scenario,
                    consent_id=consent,
                    notice_version=1,
                    valid_until=START + timedelta(days=365),
                    granted_at=START,
                )
            )
        return ConsentGrant("shop", account, scenario, consent, 1, START)

    def face(self, parts: int = 3) -> Probe:
        """A probe with random parts of unit length."""
        rows = self.random.normal(size=(parts, DIMENSION))
        unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        return Probe(unit[0], unit, MODEL, "standard")

    def enrol(self, grant: ConsentGrant, probe: Probe | None = None) -> tuple[str, ...]:
        """Store and index."""
        key = self.keys.current(grant.tenant, grant.account)
        with self.data.begin() as conn:
            ids = self.store.add(conn, grant, probe or self.face(), key=key)
        with self.index.adding() as adding:
            adding.fill(self.open(grant))
        return ids

    def open(self, grant: ConsentGrant) -> tuple[Reference, ...]:
        """Open what is there."""
        with self.data.read() as conn:
            return self.store.open_account(
                conn, tenant=grant.tenant, account=grant.account, scenario=grant.scenario, model_digest=MODEL
            )

    def erasure(self, keys: DataKeys | None = None) -> Erasure:
        """An erasure as a fresh process would make it, on the same databases and index."""
        return self.interrupted(Erasure, keys)

    def interrupted(self, kind: type[SomeErasure], keys: DataKeys | None = None) -> SomeErasure:
        """One of another class, which a test lets fail."""
        return kind(
            data=self.data,
            keys=keys or self.keys,
            index=self.index,
            journal=self.journal,
            signer=self.signer,
            audit=self.audit,
            clock=self.clock,
            new_id=self.new_id,
        )

    def request(
        self,
        account: str,
        *,
        scenario: str | None = None,
        reference_id: str | None = None,
        reason: str = "withdrawn",
    ) -> str:
        """Record an erasure."""
        with self.data.begin() as conn:
            return self.erasure().request(
                conn, tenant="shop", account=account, scenario=scenario, reference_id=reference_id, reason=reason
            )

    def rows(self, table: Table) -> int:
        """Count a table's rows."""
        with (self.databases.keys if table.name == "data_keys" else self.data).read() as conn:
            return conn.scalar(select(func.count()).select_from(table)) or 0


def vectors(references: Sequence[Reference]) -> set[bytes]:
    """What the references hold, to compare."""
    return {reference.vector.tobytes() for reference in references}
