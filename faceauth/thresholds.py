"""Thresholds change by two people (R52): what a pack decides by is held against what was accepted.

The first start accepts what is there, and so does any while nobody is enrolled. Afterwards a pack whose thresholds
are others, and a model that nobody accepted, decide nothing: every comparison is denied until a second person has
approved it (`two_people.accept_thresholds`). The service runs on, so that people can withdraw all the same.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import structlog
from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.db.engine import Database
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.embed.manifest import PackSpec
from faceauth.embed.packs import Pack
from faceauth.errors import ApprovalRequired
from faceauth.match.accepted import Accepted, accept, accepted
from faceauth.match.operating_points import TARGET_FPIR, VERIFY_POINT
from faceauth.vault.enrolled import people_enrolled

log = structlog.get_logger(__name__)

Direction = Literal["accepted", "lower", "higher", "other", "another model"]
"""How what a pack decides by differs from what was accepted; `other`: in what is not the thresholds themselves."""


@dataclass(frozen=True, slots=True)
class Deciding:
    """What one pack decides by: its model's digest in hex, its thresholds by name, and a digest of all of it."""

    pack: str
    model: str
    points: Mapping[str, float]
    digest: str

    @classmethod
    def of(cls, pack: Pack | PackSpec) -> "Deciding":
        """Return it for a loaded pack, or for one that is only described."""
        if isinstance(pack, PackSpec):
            points = {name: one.threshold for name, one in pack.operating_points.items()}
            return cls(pack.name, pack.model_digest().hex(), points, _digest(pack.decision_digest()))
        points = {name: one.threshold for name, one in pack.embedder.operating_points.items()}
        return cls(pack.name, pack.embedder.model_digest.hex(), points, _digest(pack.decision_digest))

    def differs(self, known: Mapping[str, Accepted]) -> Direction:
        """Say how it differs from what was accepted for its model."""
        before = known.get(self.model)
        if before is None:
            return "another model"
        if before.digest == self.digest:
            return "accepted"
        if any(self.points.get(name, 0.0) < value for name, value in before.points.items()):
            return "lower"
        return "other" if before.points == self.points else "higher"


class Thresholds:
    """Lets the packs of one process decide, or not. `deciding` is what each of them decides by."""

    def __init__(self, data: Database, deciding: Sequence[Deciding]) -> None:
        self._data = data
        self._deciding = tuple(deciding)
        self._accepted = False

    def settle(self, audit: AuditLog) -> None:
        """Accept what is there if nothing was accepted yet or nobody is enrolled; else say in the log what waits.

        Raises:
            StorageError, AuditUnavailable: It could not be written.
        """
        with self._data.begin() as conn:
            known = accepted(conn)
            others = [one for one in self._deciding if one.differs(known) != "accepted"]
            if others and (not known or not people_enrolled(conn)):
                for one in others:
                    accept(conn, model=one.model, digest=one.digest, points=one.points)
                    note_accepted(audit, conn, one, actor="system")
                return
        for one in others:
            log.warning("pack.not_accepted", pack=one.pack, how=one.differs(known))

    def require(self) -> None:
        """Return if the packs may decide.

        Raises:
            ApprovalRequired: A second person has to approve what one of them decides by.
        """
        if self._accepted:
            return
        with self._data.read() as conn:
            known = accepted(conn)
        # Before `settle` nothing was accepted, which is so for no process that serves.
        if known and any(one.differs(known) != "accepted" for one in self._deciding):
            raise ApprovalRequired("The thresholds are not the accepted ones. See: faceauth models thresholds")
        self._accepted = bool(known)


def note_accepted(audit: AuditLog, conn: Connection, one: Deciding, *, actor: str) -> None:
    """Audit that what a pack decides by counts from now on, in the transaction that says so."""
    details = {"pack": one.pack, "model_digest": one.model}
    audit.append(
        conn, Event.THRESHOLDS_ACCEPTED, tenant=DEFAULT_TENANT, account=None, actor=actor, details=details
    )


def _digest(pack: bytes) -> str:
    """Return what names a pack's way to decide together with what the code adds to it, in hex."""
    return hashlib.sha256(json.dumps([pack.hex(), VERIFY_POINT, TARGET_FPIR]).encode()).hexdigest()
