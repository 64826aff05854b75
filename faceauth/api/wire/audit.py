"""The audit log, as an auditor reads it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, StringConstraints

from faceauth.api.wire.base import Answer, Request, with_example

_DIGEST = "9b3b6a1f0f0e4a0f5c7e3a52e5a2e0d1b7c6f5e4d3c2b1a09f8e7d6c5b4a3928"

RECORD = {
    "seq": 7,
    "at": "2026-11-22T09:30:00Z",
    "event": "service:session:accepted",
    "subject": "5f1d7a84db00d2fce00b31a7fc73224f8ae1ee0c9b1b3f4ae9a60d6c0f0e5c11",
    "actor": "system",
    "details": {"scenario": "login", "session_id": "ses_0f3c"},
    "digest": _DIGEST,
}


class RecordAnswer(Answer):
    """One record. `subject` is a keyed pseudonym of the account; `digest` is its entry in the tree, in hex."""

    seq: int
    at: datetime
    event: str
    subject: str | None
    actor: str
    details: dict[str, str | int | bool]
    digest: str

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(RECORD))


class RecordsAnswer(Answer):
    """A page of the tenant's records. Ask again with `after` set to `next` until that is null.

    Where the newest come first, `next` is for `before`.
    """

    records: list[RecordAnswer]
    next: int | None

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra=with_example({"records": [RECORD], "next": 7})
    )


class CheckpointAnswer(Answer):
    """A signed checkpoint: `note` is C2SP tlog-checkpoint, `verifier_key` what checks it. Keep both elsewhere."""

    size: int
    root: str
    note: str
    verifier_key: str

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "size": 20,
                "root": _DIGEST,
                "note": "faceauth/a1\n20\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n— faceauth/a1 …\n",
                "verifier_key": "faceauth/a1+5a2e0d1b+AWvF5…",
            }
        ),
    )


class CheckRequest(Request):
    """A walk through the log; with a checkpoint that was kept elsewhere, it is held against that too."""

    checkpoint: Annotated[str, StringConstraints(max_length=10_000)] | None = None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example({"checkpoint": "faceauth/a1\n20\nAAECAw…\n\n— faceauth/a1 …\n"}),
    )


class CheckAnswer(Answer):
    """How a walk stands: `done` of `of` records. `first_bad` is the first that does not fit.

    With `checkpoint`, the chain fits, but not what was signed when there were that many records. `code` says why a
    walk failed; nothing is known of the log then.
    """

    state: Literal["never", "running", "intact", "broken", "failed"]
    began_at: datetime | None
    ended_at: datetime | None
    done: int
    of: int
    first_bad: int | None
    checkpoint: int | None
    code: str | None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "state": "broken",
                "began_at": "2026-11-22T09:30:00Z",
                "ended_at": "2026-11-22T09:30:02Z",
                "done": 6,
                "of": 20,
                "first_bad": 7,
                "checkpoint": None,
                "code": None,
            }
        ),
    )


class ProofAnswer(Answer):
    """A proof of RFC 9162, its hashes in hex, in the order in which they are applied.

    Of one record (`seq` given): that its `digest` is entry number `seq` − 1 of the tree of `size` records. Of two
    checkpoints (`first` given): that the tree of `first` records is the beginning of that of `size`.
    """

    size: int
    root: str
    path: list[str]
    seq: int | None = None
    digest: str | None = None
    first: int | None = None
    first_root: str | None = None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "size": 8,
                "root": _DIGEST,
                "path": [_DIGEST, _DIGEST, _DIGEST],
                "seq": 7,
                "digest": _DIGEST,
                "first": None,
                "first_root": None,
            }
        ),
    )
