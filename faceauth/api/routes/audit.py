"""What an auditor may see: records under pseudonyms, signed checkpoints, and proofs that records are in them."""

from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query
from pydantic import Field
from sqlalchemy import Connection

from faceauth.api.access import Auditor, Here
from faceauth.api.checking import Check, Checking, checking_of
from faceauth.api.wire.audit import (
    CheckAnswer,
    CheckpointAnswer,
    CheckRequest,
    ProofAnswer,
    RecordAnswer,
    RecordsAnswer,
)
from faceauth.api.wire.base import Name, Request
from faceauth.audit.events import Event
from faceauth.audit.notes import open_note
from faceauth.audit.usage import first_at
from faceauth.errors import InvalidRequest

router = APIRouter(prefix="/v1/admin/audit", tags=["admin"])

LARGEST = 2**53 - 1
"""The largest number that JSON carries everywhere."""

Number = Annotated[int, Query(ge=1, le=LARGEST)]


class Wanted(Request):
    """Which records: between two numbers or of one day (UTC), of one event or about one account if asked."""

    after: int = Field(default=0, ge=0, le=LARGEST)
    before: int | None = Field(default=None, ge=1, le=LARGEST)
    newest: bool = False
    day: date | None = Field(default=None, ge=date(2000, 1, 1), le=date(2999, 12, 30))
    limit: int = Field(default=100, ge=1, le=1000)

    def within(self, conn: Connection) -> "Wanted":
        """Return the same with the day as numbers of records, as far as their times rise."""
        if self.day is None:
            return self
        first, end = (first_at(conn, datetime.combine(self.day + timedelta(days=n), time(), UTC)) for n in (0, 1))
        before = end if self.before is None else min(end, self.before)
        return self.model_copy(update={"after": max(self.after, first - 1), "before": before, "day": None})

    event: Event | None = None
    account: Name | None = None


@router.get("")
def records(here: Here, caller: Auditor, wanted: Annotated[Wanted, Query()]) -> RecordsAnswer:
    """List the tenant's records, of one day, of one event or about one account if asked."""
    with here.data.read() as conn:
        asked = wanted.within(conn).model_dump(exclude={"day"})
        found = here.audit.records(conn, tenant=caller.tenant, **asked)
    answers = [
        RecordAnswer(
            seq=one.seq,
            at=one.at,
            event=one.event,
            subject=one.subject,
            actor=one.actor,
            details=dict(one.details),
            digest=one.digest.hex(),
        )
        for one in found
    ]
    return RecordsAnswer(records=answers, next=answers[-1].seq if len(answers) == wanted.limit else None)


@router.get("/checkpoint")
def checkpoint(here: Here, caller: Auditor) -> CheckpointAnswer:  # noqa: ARG001  the role is what counts
    """Sign a checkpoint of all records there are. Keep it elsewhere: it convicts a log that is rebuilt later."""
    tree = here.audit.tree
    with here.data.begin() as conn:
        signed = tree.sign(conn, tree.size(conn), now=here.clock())
        key = tree.key(conn).verifier_key
    return CheckpointAnswer(size=signed.size, root=signed.root.hex(), note=signed.note, verifier_key=key)


@router.post("/check", status_code=202)
def begin_check(
    here: Here,
    caller: Auditor,  # noqa: ARG001  the role is what counts
    body: Annotated[CheckRequest, Body(default_factory=CheckRequest)],
    checking: Annotated[Checking, Depends(checking_of)],
) -> CheckAnswer:
    """Walk the whole log in the background; while a walk goes on, this is that one."""
    kept = []
    if body.checkpoint is not None:
        with here.data.read() as conn:
            kept = [open_note(body.checkpoint, here.audit.tree.key(conn).verifier_key)]
    return _told(checking.begin(kept))


@router.get("/check")
def read_check(
    here: Here,  # noqa: ARG001  every route is asked for an installation's
    caller: Auditor,  # noqa: ARG001  the role is what counts
    checking: Annotated[Checking, Depends(checking_of)],
) -> CheckAnswer:
    """How the walk stands that this process began last: how far, and the first record that does not fit."""
    return _told(checking.check)


@router.get("/proof")
def proof(
    here: Here,
    caller: Auditor,
    seq: Number | None = None,
    first: Number | None = None,
    size: Number | None = None,
) -> ProofAnswer:
    """Prove that a record (`seq`) or a checkpoint (`first`) is in the log of `size` records, or of all."""
    if (seq is None) == (first is None):
        raise InvalidRequest("Ask with seq=N for a record, or with first=N for an earlier checkpoint.")
    with here.data.read() as conn:
        whole = here.audit.tree.size(conn)
        wanted = size or whole
        if wanted > whole:
            raise InvalidRequest(f"There are {whole} records.")
        root = here.audit.tree.root(conn, wanted).hex()
        if first is not None:
            path = here.audit.tree.consistency(conn, first, wanted)
            old = here.audit.tree.root(conn, first).hex()
            return ProofAnswer(size=wanted, root=root, path=_hex(path), first=first, first_root=old)
        number = seq or 0
        digest = here.audit.digest(conn, tenant=caller.tenant, seq=number)
        path = here.audit.tree.inclusion(conn, number, wanted)
    return ProofAnswer(size=wanted, root=root, path=_hex(path), seq=number, digest=digest.hex())


def _told(one: Check) -> CheckAnswer:
    return CheckAnswer(**asdict(one))


def _hex(path: list[bytes]) -> list[str]:
    return [one.hex() for one in path]
