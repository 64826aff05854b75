"""What an auditor may see: records under pseudonyms, signed checkpoints, and proofs that records are in them."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from faceauth.api.access import Auditor, Here
from faceauth.api.wire.audit import CheckpointAnswer, ProofAnswer, RecordAnswer, RecordsAnswer
from faceauth.api.wire.base import Name
from faceauth.audit.events import Event
from faceauth.errors import InvalidRequest

router = APIRouter(prefix="/v1/admin/audit", tags=["admin"])

LARGEST = 2**53 - 1
"""The largest number that JSON carries everywhere."""

Number = Annotated[int, Query(ge=1, le=LARGEST)]


class Wanted(BaseModel):
    """Which records: after number `after`, of one event or about one account if asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: int = Field(default=0, ge=0, le=LARGEST)
    limit: int = Field(default=100, ge=1, le=1000)
    event: Event | None = None
    account: Name | None = None


@router.get("")
def records(here: Here, caller: Auditor, wanted: Annotated[Wanted, Query()]) -> RecordsAnswer:
    """List the tenant's records, of one event or about one account if asked."""
    with here.data.read() as conn:
        found = here.audit.records(conn, tenant=caller.tenant, **dict(wanted))
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


def _hex(path: list[bytes]) -> list[str]:
    return [one.hex() for one in path]
