"""Notices: what people are told, by scenario, version and language; every version stays readable (R38)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, RowMapping, Select, func, insert, select

from faceauth.consent.names import check_locale, is_plain_text, is_scenario
from faceauth.consent.substance import Substance
from faceauth.db.schema import notices as table
from faceauth.db.schema import scenarios
from faceauth.errors import InvalidRequest, UnknownNotice, UnknownScenario

TEXT_LIMIT = 20_000
"""Characters of one notice. Own figure: a text longer than this is not read by anybody."""


@dataclass(frozen=True, slots=True)
class NoticeText:
    """A notice in one language; `sha256` is over the exact UTF-8 text, in hex (R30)."""

    locale: str
    text: str = field(repr=False)
    sha256: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One version of a scenario's notice. A material one, once in force, makes earlier consents stale (R34).

    `because` says which parts of the substance changed, if the rule made it material; `substance` is None for a
    notice from before it was written down.
    """

    tenant: str
    scenario: str
    version: int
    material: bool
    effective_at: datetime
    created_at: datetime
    texts: Mapping[str, NoticeText]
    substance: Substance | None = None
    because: tuple[str, ...] = ()

    def text(self, locale: str) -> NoticeText:
        """Return it in one language.

        Raises:
            UnknownNotice: It was never published in that language.
        """
        found = self.texts.get(locale)
        if found is None:
            raise UnknownNotice(
                f"Notice {self.version} is not published in that language, only in: {self.locales}."
            )
        return found

    @property
    def locales(self) -> str:
        """The languages it is published in, for reading."""
        return ", ".join(sorted(self.texts))


def text_sha256(text: str) -> str:
    """Return the SHA-256 of the exact text in UTF-8, as 64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


class NoticeStore:
    """Notices, by tenant and scenario."""

    def current(self, conn: Connection, tenant: str, scenario: str, now: datetime) -> Notice:
        """Return the version that is in force now: the newest whose time has come.

        Raises:
            UnknownNotice: There is none yet.
        """
        query = select(func.max(table.c.version)).where(
            table.c.tenant == tenant, table.c.scenario == scenario, table.c.effective_at <= now
        )
        newest = conn.scalar(query) if is_scenario(scenario) else None
        if newest is None:
            raise UnknownNotice(f"The scenario {scenario!r} has no notice in force.")
        return self.version(conn, tenant, scenario, newest)

    def every(self, conn: Connection, tenant: str, scenario: str) -> tuple[Notice, ...]:
        """Return every version ever published, the oldest first."""
        query = select(func.max(table.c.version)).where(table.c.tenant == tenant, table.c.scenario == scenario)
        last = (conn.scalar(query) or 0) if is_scenario(scenario) else 0
        return tuple(self.version(conn, tenant, scenario, number) for number in range(1, last + 1))

    def version(self, conn: Connection, tenant: str, scenario: str, version: int) -> Notice:
        """Return any version ever published.

        Raises:
            UnknownNotice: There is none of that number.
        """
        # Above what the column holds, PostgreSQL would fail instead of finding nothing.
        possible = 0 < version < 2**31 and is_scenario(scenario)
        rows = conn.execute(_one(tenant, scenario, version)).mappings().all() if possible else []
        if not rows:
            raise UnknownNotice(f"The scenario has no notice of version {version}.")
        return _notice(rows)

    def superseded_by(
        self, conn: Connection, tenant: str, scenario: str, version: int, now: datetime
    ) -> int | None:
        """Return the newest material version in force after `version`, or None if `version` still counts (R34)."""
        newest: int | None = conn.scalar(
            select(func.max(table.c.version)).where(
                table.c.tenant == tenant,
                table.c.scenario == scenario,
                table.c.version > version,
                table.c.material,
                table.c.effective_at <= now,
            )
        )
        return newest

    def publish(
        self,
        conn: Connection,
        *,
        tenant: str,
        scenario: str,
        notices: Mapping[str, str],
        material: bool,
        effective_at: datetime | None = None,
        now: datetime,
        substance: Substance | None = None,
    ) -> Notice:
        """Add the next version; it comes into force at `effective_at`, but never before it was published.

        Versions come into force in their order: without `effective_at` it waits for the one before it. Otherwise
        an editorial version could carry a change of substance past those who were to be asked about it first.

        With a `substance` that differs from that of the version before it is material, whatever `material` says.

        Raises:
            UnknownScenario: There is no such scenario, or it is retired.
            InvalidRequest: No text, an empty or overlong one, a malformed language tag, or a time before that of
                the version before it.
        """
        texts = {check_locale(locale): _checked(text) for locale, text in notices.items()}
        if not texts:
            raise InvalidRequest("A notice needs a text in at least one language.")
        # Two publishers queue here, and a login that is being accepted is not overtaken (see ConsentGate.confirm).
        state = conn.scalar(
            select(scenarios.c.state)
            .where(scenarios.c.tenant == tenant, scenarios.c.scenario == scenario)
            .with_for_update()
        )
        if state != "active":
            raise UnknownScenario(f"There is no active scenario {scenario!r}.")
        last = conn.scalar(
            select(func.max(table.c.version)).where(table.c.tenant == tenant, table.c.scenario == scenario)
        )
        before = None if last is None else self.version(conn, tenant, scenario, last)
        earliest = now if before is None else max(now, before.effective_at)
        if before is not None and effective_at is not None and now < effective_at < earliest:
            raise InvalidRequest(
                f"Version {last} comes into force on {earliest:%Y-%m-%d %H:%M} UTC; this cannot come before it."
            )
        because: tuple[str, ...] = ()
        if substance is not None and before is not None:
            because = substance.changed_since(before.substance)
        row = {
            "tenant": tenant,
            "scenario": scenario,
            "version": (last or 0) + 1,
            "material": material or bool(because),
            "effective_at": max(effective_at or earliest, earliest),
            "created_at": now,
            "substance": None if substance is None else substance.as_json(),
            "because": list(because),
        }
        conn.execute(
            insert(table),
            [
                row | {"locale": locale, "text": text, "sha256": text_sha256(text)}
                for locale, text in texts.items()
            ],
        )
        return self.version(conn, tenant, scenario, (last or 0) + 1)


def _one(tenant: str, scenario: str, version: int) -> Select[tuple[object, ...]]:
    return (
        select(table)
        .where(table.c.tenant == tenant, table.c.scenario == scenario, table.c.version == version)
        .order_by(table.c.locale)
    )


def _notice(rows: Sequence[RowMapping]) -> Notice:
    names = ("tenant", "scenario", "version", "material", "effective_at", "created_at")
    texts = {row["locale"]: NoticeText(row["locale"], row["text"], row["sha256"]) for row in rows}
    return Notice(
        **{name: rows[0][name] for name in names},
        texts=texts,
        substance=Substance.from_json(rows[0]["substance"]),
        because=tuple(rows[0]["because"] or ()),
    )


def _checked(text: str) -> str:
    if not text.strip() or len(text) > TEXT_LIMIT or not is_plain_text(text):
        raise InvalidRequest(f"A notice's text has 1 to {TEXT_LIMIT} characters.")
    return text
