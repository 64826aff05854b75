"""A person, an application and a clock, for the tests of consent."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, delete, insert, update

from faceauth.consent.accounts import AccountStore
from faceauth.consent.gate import ConsentGate
from faceauth.consent.ledger import Affirmation, ConsentLedger, ConsentRequest
from faceauth.consent.notices import NoticeStore
from faceauth.consent.scenarios import ScenarioStore
from faceauth.db.schema import biometric_references, live_consents, tombstones
from faceauth.sections import ConsentSettings

TENANT = "shop"
ANN = "ann"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class FakeSigner:
    """Remembers what it was given to sign."""

    def __init__(self) -> None:
        self.signed: list[tuple[str, Mapping[str, object]]] = []

    def sign(self, claims: Mapping[str, object], *, typ: str) -> str:
        """Return a receipt that says which one it is."""
        self.signed.append((typ, claims))
        return f"receipt-{len(self.signed)}"


@dataclass
class Story:
    """Everything of the room `consent`, at a time that the test moves."""

    now: datetime = START
    signer: FakeSigner = field(default_factory=FakeSigner)
    settings: ConsentSettings = field(default_factory=ConsentSettings)

    def __post_init__(self) -> None:
        numbers = itertools.count(1)
        self.accounts = AccountStore()
        self.scenarios = ScenarioStore(self.settings)
        self.notices = NoticeStore()
        self.gate = ConsentGate(lambda: self.now, minimum_age=self.settings.minimum_age)
        self.ledger = ConsentLedger(
            signer=self.signer,
            consent=self.settings,
            clock=lambda: self.now,
            new_id=lambda kind: f"{kind}_{next(numbers)}",
        )

    def open(self, conn: Connection) -> None:
        """Make the tenant, the scenario `login` and Ann."""
        self.scenarios.install_builtin(conn, tenant=TENANT, now=self.now)
        self.accounts.ensure(conn, tenant=TENANT, account=ANN, now=self.now)

    def request(
        self,
        conn: Connection,
        *,
        decision: Literal["given", "refused"] = "given",
        locale: str = "en",
        scenario: str = "login",
    ) -> ConsentRequest:
        """Return an honest answer to the notice in force."""
        notice = self.notices.current(conn, TENANT, scenario, self.now)
        return ConsentRequest(
            scenario=scenario,
            notice_version=notice.version,
            notice_sha256=notice.text(locale).sha256,
            locale=locale,
            decision=decision,
            affirmation=Affirmation("checkbox", checked_by_default=False, text="I agree"),
        )

    def agree(self, conn: Connection, scenario: str = "login") -> str:
        """Ann says yes; returns the consent's id."""
        request = self.request(conn, scenario=scenario)
        return self.ledger.record(conn, tenant=TENANT, account=ANN, request=request).consent_id

    def withdraw(self, conn: Connection, scenario: str = "login") -> bool:
        """Ann withdraws; returns whether there was something to end."""
        return self.ledger.withdraw(conn, tenant=TENANT, account=ANN, scenario=scenario) is not None

    def later(self, **time: float) -> None:
        """Move the clock."""
        self.now += timedelta(**time)


def doom(conn: Connection, name: str, *, scenario: str | None = None, reference: str | None = None) -> None:
    """Stand in for vault.erasure's first step: a tombstone."""
    conn.execute(
        insert(tombstones).values(
            tombstone_id=name,
            tenant=TENANT,
            account=ANN,
            scenario=scenario,
            reference_id=reference,
            reason="withdrawn",
            state="recorded",
            requested_at=START,
            doomed=[],
        )
    )


def finish(conn: Connection, name: str, *, scenario: str | None = None) -> None:
    """Stand in for its last steps: references and live rows go, the tombstone is done."""
    for table in (biometric_references, live_consents):
        condition = [table.c.tenant == TENANT, table.c.account == ANN]
        if scenario is not None:
            condition.append(table.c.scenario == scenario)
        conn.execute(delete(table).where(*condition))
    conn.execute(update(tombstones).where(tombstones.c.tombstone_id == name).values(state="done"))


def store_reference(conn: Connection, name: str, consent_id: str, *, scenario: str = "login") -> None:
    """Stand in for vault.references: a row."""
    conn.execute(
        insert(biometric_references).values(
            reference_id=name,
            tenant=TENANT,
            account=ANN,
            scenario=scenario,
            consent_id=consent_id,
            model_digest=bytes(32),
            data_key_id="key",
            sealed=b"sealed",
            created_at=START,
        )
    )
