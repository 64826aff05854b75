"""Scenarios: one purpose each, and each asked for on its own (R31)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from faceauth.consent.builtin import LOGIN, LOGIN_TITLES, login_notices
from faceauth.consent.names import check_locale, check_scenario, is_scenario
from faceauth.consent.notices import Notice, NoticeStore
from faceauth.consent.substance import Substance
from faceauth.db.rows import insert_if_absent
from faceauth.db.schema import scenarios as table
from faceauth.db.schema import tenants
from faceauth.errors import AlreadyExists, InvalidRequest, UnknownScenario
from faceauth.sections import ConsentSettings
from faceauth.types import DeviceKeyPolicy

Mode = Literal["verify", "identify"]

RETENTION_LIMIT = 1095
"""Days: three years, the longest that R39's sources allow (BIPA, 740 ILCS 14/15(a))."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One purpose that a face may be used for; a retired one allows nothing any more.

    With `stream_only` its sessions are answered over the stream, where steps are told one at a time. `device_key`
    says what its logins ask of the device. With `flash_choice` a person may answer without flashing colours, at
    the level below.
    """

    tenant: str
    scenario: str
    mode: Mode
    titles: Mapping[str, str]
    retention_days: int
    liveness_profile: str
    state: Literal["active", "retired"]
    created_at: datetime
    stream_only: bool = False
    device_key: DeviceKeyPolicy = "preferred"
    flash_choice: bool = False


class ScenarioStore:
    """Scenarios, by tenant. `consent` fills the built-in notice's blanks when it is installed."""

    def __init__(self, consent: ConsentSettings | None = None) -> None:
        self._consent = consent or ConsentSettings()
        self._notices = NoticeStore()

    def install_builtin(self, conn: Connection, *, tenant: str, now: datetime) -> Scenario:
        """Make the tenant and its scenario `login` with notice 1; what is there already stays as it is."""
        insert_if_absent(conn, tenants, {"tenant": tenant, "created_at": now})
        days = min(self._consent.validity_days, RETENTION_LIMIT)
        try:
            return self.get(conn, tenant, LOGIN)
        except UnknownScenario:
            return self.create(
                conn,
                tenant=tenant,
                scenario=LOGIN,
                mode="verify",
                titles=LOGIN_TITLES,
                retention_days=days,
                liveness_profile="motion+flash",
                notices=login_notices(self._consent, days=days),
                now=now,
            )

    def get(self, conn: Connection, tenant: str, scenario: str) -> Scenario:
        """Return the scenario, retired or not.

        Raises:
            UnknownScenario: This tenant has none of that name.
        """
        query = select(table).where(table.c.tenant == tenant, table.c.scenario == scenario)
        row = conn.execute(query).mappings().one_or_none() if is_scenario(scenario) else None
        if row is None:
            raise UnknownScenario(f"There is no scenario {scenario[:64]!r}. GET /v1/scenarios lists them.")
        return Scenario(**row)

    def list(self, conn: Connection, tenant: str) -> tuple[Scenario, ...]:
        """Return all of this tenant's scenarios, retired ones too, by name."""
        query = select(table).where(table.c.tenant == tenant).order_by(table.c.scenario)
        return tuple(Scenario(**row) for row in conn.execute(query).mappings())

    def create(
        self,
        conn: Connection,
        *,
        tenant: str,
        scenario: str,
        mode: Mode,
        titles: Mapping[str, str],
        retention_days: int,
        liveness_profile: str,
        notices: Mapping[str, str],
        now: datetime,
        stream_only: bool = False,
        device_key: DeviceKeyPolicy = "preferred",
        flash_choice: bool = True,
        recipients: tuple[str, ...] = (),
    ) -> Scenario:
        """Make a scenario with its first notice; it starts with nobody's consent (R34).

        `recipients` are whoever else gets the data, as the notice names them.

        Raises:
            AlreadyExists: There is one of that name, perhaps a retired one.
            InvalidRequest: A name, title, text or number is malformed.
        """
        check_scenario(scenario)
        if mode not in {"verify", "identify"}:
            raise InvalidRequest("A scenario's mode is verify or identify.")
        _check_retention(retention_days)
        row: dict[str, Any] = {
            "device_key": _policy(device_key),
            "tenant": tenant,
            "scenario": scenario,
            "mode": mode,
            "titles": _titles(titles),
            "retention_days": retention_days,
            "liveness_profile": liveness_profile,
            "state": "active",
            "created_at": now,
            "stream_only": stream_only,
            "flash_choice": flash_choice,
        }
        try:
            with conn.begin_nested():
                conn.execute(insert(table).values(**row))
        except IntegrityError as error:
            raise AlreadyExists(f"There is a scenario {scenario!r} already. Choose another name.") from error
        substance = Substance.of(
            self._consent,
            mode=mode,
            purpose=row["titles"],
            retention_days=retention_days,
            recipients=recipients,
        )
        self._notices.publish(
            conn,
            tenant=tenant,
            scenario=scenario,
            notices=notices,
            material=True,
            now=now,
            substance=substance,
        )
        return self.get(conn, tenant, scenario)

    def publish_notice(
        self,
        conn: Connection,
        *,
        tenant: str,
        scenario: str,
        notices: Mapping[str, str],
        material: bool,
        effective_at: datetime | None = None,
        recipients: tuple[str, ...] | None = None,
        titles: Mapping[str, str] | None = None,
        retention_days: int | None = None,
        now: datetime,
    ) -> Notice:
        """Publish the next notice; what is left out stays as the notice before has it.

        Material by rule is a change of the controller or the storage place in the settings, of the recipients, of
        the purpose (`titles`), of the method or of the retention. Consents keep the term they were given under; a
        new one counts from the notice's own.

        Raises:
            UnknownScenario: There is none of that name, or it is retired.
            InvalidRequest: A text, a title, a recipient or the retention is malformed.
        """
        found = self.get(conn, tenant, scenario)
        if retention_days is not None:
            _check_retention(retention_days)
            # The scenario's own term is only the longest that any of its notices names.
            longest = max(found.retention_days, retention_days)
            here = (table.c.tenant == tenant, table.c.scenario == scenario)
            conn.execute(update(table).where(*here).values(retention_days=longest))
        every = self._notices.every(conn, tenant, scenario)
        before = every[-1].substance if every else None
        substance = Substance.of(
            self._consent,
            mode=found.mode,
            purpose=_titles(titles) if titles else (before.purpose if before else found.titles),
            retention_days=retention_days or (before.retention_days if before else found.retention_days),
            recipients=recipients if recipients is not None else (before.recipients if before else ()),
        )
        return self._notices.publish(
            conn,
            tenant=tenant,
            scenario=scenario,
            notices=notices,
            material=material,
            effective_at=effective_at,
            now=now,
            substance=substance,
        )

    def ask_device_key(self, conn: Connection, *, tenant: str, scenario: str, policy: DeviceKeyPolicy) -> Scenario:
        """Set what the scenario's logins ask of the device; it holds from this commit on.

        Raises:
            UnknownScenario: This tenant has none of that name.
            InvalidRequest: There is no such policy.
        """
        here = (table.c.tenant == tenant, table.c.scenario == scenario)
        conn.execute(update(table).where(*here).values(device_key=_policy(policy)))
        return self.get(conn, tenant, scenario)

    def let_choose_flash(self, conn: Connection, *, tenant: str, scenario: str, choice: bool) -> Scenario:
        """Set whether people may answer without flashing colours; it holds from this commit on.

        Raises:
            UnknownScenario: This tenant has none of that name.
        """
        here = (table.c.tenant == tenant, table.c.scenario == scenario)
        conn.execute(update(table).where(*here).values(flash_choice=choice))
        return self.get(conn, tenant, scenario)

    def retire(self, conn: Connection, *, tenant: str, scenario: str) -> Scenario:
        """Close the scenario for good: the gate stays shut from this commit on; retiring twice changes nothing.

        Raises:
            UnknownScenario: This tenant has none of that name.
        """
        here = (table.c.tenant == tenant, table.c.scenario == scenario)
        # A login that is being accepted commits before, or sees it (see ConsentGate.confirm).
        conn.execute(select(table.c.scenario).where(*here).with_for_update())
        conn.execute(update(table).where(*here).values(state="retired"))
        return self.get(conn, tenant, scenario)


def _policy(policy: str) -> str:
    if policy not in get_args(DeviceKeyPolicy):
        raise InvalidRequest(f"device_key must be one of: {', '.join(get_args(DeviceKeyPolicy))}.")
    return policy


def _check_retention(days: int) -> None:
    if not 1 <= days <= RETENTION_LIMIT:
        raise InvalidRequest(f"retention_days must be 1 to {RETENTION_LIMIT} (R39).")


def _titles(titles: Mapping[str, str]) -> dict[str, str]:
    if not titles or any(
        not title.strip() or len(title) > 200 or not title.isprintable() for title in titles.values()
    ):
        raise InvalidRequest("A scenario needs a title of 1 to 200 characters in at least one language.")
    return {check_locale(locale): title for locale, title in titles.items()}
