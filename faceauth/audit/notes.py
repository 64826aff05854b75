"""Checkpoints of the log: C2SP tlog-checkpoint, in a C2SP signed note with Ed25519.

    https://c2sp.org/tlog-checkpoint, https://c2sp.org/signed-note

Three lines (who the log is, how many records, the tree's root), an empty one, and a line with the signature. A
checkpoint that somebody keeps elsewhere convicts whoever rebuilds the log afterwards.
"""

import hashlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from faceauth.errors import SignatureInvalid

_ED25519: Final = b"\x01"
"""The kind of the key in ids and verifier keys (C2SP signed-note)."""

_LONGEST: Final = 10_000
_NOT_OURS: Final = "This is no checkpoint that this log's key has signed."


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a note says: the log `origin` had `size` records, and its tree's root was `root` (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the lines that are signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


class NoteKey:
    """Signs checkpoints of one log, and checks them.

    The private key is derived (HKDF-SHA-256, RFC 5869) from the key of the log's pseudonyms, which is random and
    lasts as long as the log, so that there is not one more secret to keep.

    Args:
        pseudonym_key: the keyring's, 32 random bytes.
        origin: the log's name, without spaces and plus signs.
    """

    def __init__(self, pseudonym_key: bytes, origin: str) -> None:
        seed = HKDF(SHA256(), length=32, salt=None, info=b"faceauth/audit/checkpoint/v1").derive(pseudonym_key)
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.origin = origin

    @property
    def verifier_key(self) -> str:
        """The public key as C2SP writes it: ``name+id+key``."""
        public = self._key.public_key().public_bytes_raw()
        return f"{self.origin}+{_key_id(self.origin, public).hex()}+{b64encode(_ED25519 + public).decode()}"

    def sign(self, size: int, root: bytes) -> str:
        """Return the signed note of a checkpoint."""
        text = Checkpoint(self.origin, size, root).text()
        signature = _key_id(self.origin, self._key.public_key().public_bytes_raw()) + self._key.sign(text.encode())
        return f"{text}\n\N{EM DASH} {self.origin} {b64encode(signature).decode()}\n"


def open_note(note: str, verifier_key: str) -> Checkpoint:
    """Return the checkpoint of a note that the key signed; signatures of others beside it are passed over.

    Raises:
        SignatureInvalid: the note is malformed, of another log, or not signed by this key.
    """
    try:
        name, _, rest = verifier_key.partition("+")
        public = b64decode(rest.partition("+")[2], validate=True)
        text, _, signatures = note[:_LONGEST].rpartition("\n\n")
        lines = f"{text}\n".split("\n")
        origin, size, root = lines[0], lines[1], b64decode(lines[2], validate=True)
        checkpoint = Checkpoint(origin, int(size), root)
        # Lines after the third are extensions, which are signed too.
        plain = f"{text}\n".startswith(checkpoint.text()) and len(root) == 32 and checkpoint.size >= 0
        signed = public[:1] == _ED25519 and _is_signed(f"{text}\n".encode(), signatures, name, public[1:])
    except (ValueError, IndexError, InvalidSignature) as error:
        raise SignatureInvalid(_NOT_OURS) from error
    if not plain or not signed or origin != name:
        raise SignatureInvalid(_NOT_OURS)
    return checkpoint


def _is_signed(text: bytes, signatures: str, name: str, public: bytes) -> bool:
    key_id = _key_id(name, public)
    for line in signatures.splitlines():
        dash, signer, encoded = line.split(" ")
        signature = b64decode(encoded, validate=True)
        if dash == "\N{EM DASH}" and signer == name and signature[:4] == key_id:
            Ed25519PublicKey.from_public_bytes(public).verify(signature[4:], text)
            return True
    return False


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]
