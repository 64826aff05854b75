"""Drafts: scenarios and notices as they are written, before anybody is shown them; they allow nothing."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, delete, insert, select, update

from faceauth.db.draft_tables import drafts as table
from faceauth.errors import UnknownDraft

Kind = Literal["scenario", "notice"]


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft: `content` is what publishing would be asked for, in JSON's types."""

    draft_id: str
    tenant: str
    kind: Kind
    scenario: str
    content: Mapping[str, Any] = field(repr=False)
    created_by: str
    created_at: datetime
    changed_at: datetime


class DraftStore:
    """Drafts, by tenant. Every method works in the caller's transaction."""

    def __init__(self, random: Callable[[int], bytes] = os.urandom) -> None:
        self._random = random

    def add(
        self,
        conn: Connection,
        *,
        tenant: str,
        kind: Kind,
        scenario: str,
        content: Mapping[str, Any],
        actor: str,
        now: datetime,
    ) -> Draft:
        """Keep a draft of a scenario, or of the next notice of one."""
        draft_id = f"draft_{self._random(8).hex()}"
        row = {
            "draft_id": draft_id,
            "tenant": tenant,
            "kind": kind,
            "scenario": scenario,
            "content": dict(content),
        }
        conn.execute(insert(table).values(**row, created_by=actor, created_at=now, changed_at=now))
        return self.get(conn, tenant, draft_id)

    def change(
        self, conn: Connection, *, tenant: str, draft_id: str, content: Mapping[str, Any], now: datetime
    ) -> Draft:
        """Put other content into a draft.

        Raises:
            UnknownDraft: There is none of that id.
        """
        self.get(conn, tenant, draft_id)
        here = (table.c.tenant == tenant, table.c.draft_id == draft_id)
        conn.execute(update(table).where(*here).values(content=dict(content), changed_at=now))
        return self.get(conn, tenant, draft_id)

    def get(self, conn: Connection, tenant: str, draft_id: str) -> Draft:
        """Return one.

        Raises:
            UnknownDraft: There is none of that id.
        """
        query = select(table).where(table.c.tenant == tenant, table.c.draft_id == draft_id)
        row = conn.execute(query).mappings().one_or_none()
        if row is None:
            raise UnknownDraft(
                "There is no such draft; it may have been published. GET /v1/admin/drafts lists them."
            )
        return Draft(**row)

    def list(self, conn: Connection, tenant: str) -> tuple[Draft, ...]:
        """Return all, the one changed last first."""
        query = select(table).where(table.c.tenant == tenant).order_by(table.c.changed_at.desc(), table.c.draft_id)
        return tuple(Draft(**row) for row in conn.execute(query).mappings())

    def take(self, conn: Connection, tenant: str, draft_id: str) -> Draft:
        """Return a draft and delete it, to be published or thrown away; two at once get it only once.

        Raises:
            UnknownDraft: There is none of that id.
        """
        found = self.get(conn, tenant, draft_id)
        here = (table.c.tenant == tenant, table.c.draft_id == draft_id)
        if conn.execute(delete(table).where(*here)).rowcount != 1:
            raise UnknownDraft("The draft was published or thrown away just now.")
        return found
