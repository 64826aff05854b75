"""Change of model without asking everyone again: the pack before serves beside the new one until nobody needs it.

A person with references of the pack before is compared by that pack, on the frames that just passed liveness.
Once accepted, the new pack's embeddings of the same frames are stored under the same consent, and the old ones are
erased.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import structlog
from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.capture.align import align
from faceauth.consent.standing import scenario_state
from faceauth.db.engine import Database
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.embed.probe import make_probe
from faceauth.errors import FaceauthError, Mismatch
from faceauth.match import decide as match
from faceauth.types import (
    AlignedFace,
    ConsentGrant,
    Detector,
    Embedder,
    Image,
    LiveCapture,
    OperatingPoint,
    Probe,
    Reference,
)
from faceauth.vault.destruction import Approved
from faceauth.vault.enrolled import accounts_of_model, count_enrolled
from faceauth.vault.erasure import Erasure
from faceauth.vault.keys import DataKey
from faceauth.vault.references import ReferenceStore
from faceauth.vault.scope import ErasureReason, Scope
from faceauth.vault.tombstones import lock_account

log = structlog.get_logger(__name__)

Progress = Callable[[int, int], None]
"""Told how many accounts are done, and of how many."""

SAME_FACE = 0.5
"""How far apart two detectors may see one face's middle, in distances between its eyes; see docs/models.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """The pack before, and what replacing its references takes."""

    detector: Detector
    embedder: Embedder
    references: ReferenceStore
    erasure: Erasure
    audit: AuditLog

    @property
    def model_digest(self) -> bytes:
        """Names the model of the references that are to be replaced (R23)."""
        return self.embedder.model_digest

    @property
    def points(self) -> Mapping[str, OperatingPoint]:
        """The pack's own thresholds; the new pack's say nothing about its scores."""
        return self.embedder.operating_points

    def probe(self, live: LiveCapture) -> Probe | None:
        """Embed the live capture with the pack before; nothing if its own detector sees the face in no frame.

        Its detector looks again at the same frames, because its thresholds were measured on faces cut by its
        landmarks.

        Raises:
            ModelError: The embedder failed.
        """
        chips = [self._chip(face) for face in live.faces]
        if all(chip is None for chip in chips):
            return None
        return make_probe(live, self.embedder, chips=chips)

    def _chip(self, face: AlignedFace) -> Image | None:
        middle = face.face.landmarks.mean(axis=0)
        eyes = float(np.hypot(*(face.face.landmarks[1] - face.face.landmarks[0])))
        found = [
            (float(np.hypot(*(one.landmarks.mean(axis=0) - middle))), one)
            for one in self.detector.detect(face.frame.pixels)
        ]
        apart, nearest = min(found, key=lambda pair: pair[0], default=(np.inf, None))
        # Written so that a NaN leaves the frame out.
        if nearest is None or not apart <= SAME_FACE * eyes:
            return None
        return align(face.frame.pixels, nearest.landmarks, self.embedder.template)

    def is_sure(self, probe: Probe, references: Sequence[Reference], grant: ConsentGrant) -> bool:
        """Return whether the match holds at the pack's strictest point, as a lasting change of references needs.

        An impostor who passes once is in once; one who is then enrolled stays. So a login that only just matched
        is accepted and renews nothing.
        """
        strictest = min(self.points.values(), key=lambda point: point.fmr)
        try:
            match.verify(probe, references, grant=grant, point=strictest)
        except Mismatch:
            return False
        return True

    def lock(self, conn: Connection, grant: ConsentGrant) -> None:
        """Take the locks of an erasure before those of the acceptance.

        The house's order is scenario, account, consent, audit head; two that lock in opposite orders would wait
        for each other.
        """
        scenario_state(conn, grant.tenant, grant.scenario, lock=True)
        lock_account(conn, Scope(grant.tenant, grant.account))

    def renew(self, conn: Connection, grant: ConsentGrant, probe: Probe, *, key: DataKey) -> tuple[str, ...]:
        """Store the new pack's embeddings in the transaction that accepts the login, and return their ids.

        Raises:
            KeyUnavailable, IntegrityError: as `ReferenceStore.add`; nothing is accepted then.
        """
        stored = self.references.add(conn, grant, probe, key=key)
        self.audit.append(
            conn,
            Event.REFERENCE_RENEWED,
            tenant=grant.tenant,
            account=grant.account,
            actor="device",
            details={
                "scenario": grant.scenario,
                "count": len(stored),
                "model_digest": probe.model_digest.hex(),
            },
        )
        return stored

    def retire(self, conn: Connection, grant: ConsentGrant) -> tuple[str, ...]:
        """Record the erasure of the old references in the same transaction; return the tombstones, to be run.

        From its commit on nothing opens them. A crash before `run` is made good at the next start (R40).
        """
        old = self.references.ids(
            conn,
            tenant=grant.tenant,
            account=grant.account,
            scenario=grant.scenario,
            model_digest=self.model_digest,
        )
        return _doom(conn, self.erasure, grant.tenant, grant.account, old)

    def run(self, tombstones: Sequence[str]) -> None:
        """Erase after the commit. What fails stays shut, is logged, and is finished at the next start."""
        for tombstone_id in tombstones:
            try:
                self.erasure.run(tombstone_id)
            except FaceauthError as error:
                log.warning("erasure_unfinished", tombstone_id=tombstone_id, code=error.code)


def erase_model(
    data: Database,
    erasure: Erasure,
    audit: AuditLog,
    *,
    model_digest: bytes,
    pack: str,
    actor: str,
    approved: Approved,
    progress: Progress | None = None,
) -> int:
    """Erase every reference that a model made, account by account, and return how many references went.

    Consents stay: who had not logged in since the change is not enrolled any more and may enrol again. It may be
    interrupted and run again, as long as the second person's approval holds.

    Raises:
        ApprovalRequired: no second person has approved it (R52); nothing was erased.
        StorageError, KeyUnavailable, AuditUnavailable: an erasure failed; it is finished at the next start.
    """
    with data.begin() as conn:
        approved.check(conn)
        people = accounts_of_model(conn, model_digest=model_digest)
        total = sum(one.references for one in count_enrolled(conn, model_digest=model_digest))
        details: dict[str, str | int] = {"pack": pack, "model_digest": model_digest.hex(), "count": total}
        # No record, no operation (R49): it is written before anything goes.
        audit.append(conn, Event.MODEL_RETIRED, tenant=DEFAULT_TENANT, account=None, actor=actor, details=details)
    gone = 0
    for number, ((tenant, account), references) in enumerate(people.items(), start=1):
        with data.begin() as conn:
            lock_account(conn, Scope(tenant, account))
            tombstones = _doom(conn, erasure, tenant, account, references)
        for tombstone_id in tombstones:
            gone += len(erasure.run(tombstone_id).references)
        if progress is not None:
            progress(number, len(people))
    with data.begin() as conn:
        approved.use(conn)
    return gone


def _doom(
    conn: Connection, erasure: Erasure, tenant: str, account: str, references: Sequence[str]
) -> tuple[str, ...]:
    return tuple(
        erasure.request(
            conn,
            tenant=tenant,
            account=account,
            reference_id=reference_id,
            reason=ErasureReason.MODEL_REPLACED,
        )
        for reference_id in references
    )
