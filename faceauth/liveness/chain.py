"""The hash chain over a session's frames (G0).

h0 = SHA-256(nonce ‖ challenge), hi = SHA-256(h(i-1) ‖ i ‖ ti ‖ jpegi).

`challenge` is canonical JSON (keys in order, no spaces, UTF-8) of ``{"profile", "steps"}``, each step being
``{"colours", "id", "kind", "min_ms"}`` and each colour ``{"ms", "rgb"}``; over the stream `steps` has the first
step alone, for no other is told by then. A session for a transaction has ``"transaction"`` beside these: the
SHA-256 of its text, in hex. `i` counts from 1 and `ti` are the ms as sent, both 4 bytes, big-endian;
`jpegi` are the bytes of the frame as sent. A device that signs, or attests itself, does so over the last of these
hashes; whoever changes, drops, adds or reorders a frame changes it.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Sequence
from typing import Final

from faceauth.errors import LivenessDenied
from faceauth.types import Challenge, Step, Transaction

GATE: Final = "chain"

_HEX: Final = re.compile("[0-9a-f]{64}", re.ASCII)


def told_challenge(profile: str, steps: Sequence[Step], transaction: Transaction | None = None) -> bytes:
    """Return the bytes of the challenge that the chain begins with."""
    told = [
        {
            "id": step.id,
            "kind": step.kind,
            "min_ms": step.min_ms,
            "colours": [{"rgb": colour.rgb, "ms": colour.ms} for colour in step.colours],
        }
        for step in steps
    ]
    whole: dict[str, object] = {"profile": profile, "steps": told}
    if transaction is not None:
        whole["transaction"] = transaction.sha256.hex()
    return json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()


class Chain:
    """The chain so far."""

    def __init__(self, challenge: Challenge, *, told: int | None = None) -> None:
        """Begin with a challenge of which the first `told` steps, or all of them, were told."""
        start = told_challenge(challenge.profile, challenge.steps[:told], challenge.transaction)
        self._digest = hashlib.sha256(challenge.nonce + start).digest()
        self._count = 0

    @property
    def count(self) -> int:
        """How many frames are in it."""
        return self._count

    @property
    def digest(self) -> bytes:
        """The last hash, 32 bytes."""
        return self._digest

    def add(self, t_ms: int, jpeg: bytes) -> bytes:
        """Take the next frame and return the hash with it."""
        self._count += 1
        step = hashlib.sha256(self._digest + self._count.to_bytes(4, "big") + t_ms.to_bytes(4, "big"))
        step.update(jpeg)
        self._digest = step.digest()
        return self._digest

    def check(self, unverified_digest: object) -> None:
        """Compare with what the device says, in lower-case hex; nothing said is nothing to compare.

        Raises:
            LivenessDenied: gate `chain`, an injection: the frames are not those the device hashed.
        """
        if unverified_digest is None:
            return
        well = isinstance(unverified_digest, str) and _HEX.fullmatch(unverified_digest)
        if not well or not hmac.compare_digest(bytes.fromhex(str(unverified_digest)), self._digest):
            raise LivenessDenied(GATE, "The device's hash chain is another.", reason="injection")


def chain_of(challenge: Challenge, frames: Iterable[tuple[int, bytes]]) -> Chain:
    """Return the chain over a whole post: pairs of `t_ms` and the bytes as received."""
    chain = Chain(challenge)
    for t_ms, jpeg in frames:
        chain.add(t_ms, jpeg)
    return chain
