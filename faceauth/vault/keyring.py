"""The keyring file: every secret of an installation that is not in a database.

One JSON file, readable by its owner alone, kept apart from the data folder and never in a backup of it: whoever
has the data without this file has sealed bytes. docs/template-format.md describes what the keys in it open.
"""

import hashlib
import json
import os
import secrets
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from sqlalchemy import Connection, insert, select

from faceauth.db.schema import installation
from faceauth.errors import AlreadyExists, KeyringForeign, KeyringMissing, StorageError

Random = Callable[[int], bytes]
"""Returns that many random bytes, as `os.urandom` does."""

KEY_BYTES: Final = 32
_FORMAT: Final = "faceauth-keyring-1"
_LARGEST: Final = 1_000_000
_INSTALLATION: Final = "installation_id"
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of P-256's base point (NIST SP 800-186, 3.2.1.3)."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """The secrets, in memory.

    `kek` maps versions to 32-byte key-encryption keys; new keys are wrapped under `active`, and nothing under
    `minimum` is opened (R45). `rotating` says that the rotation to `active` has begun and is not finished.
    `pseudonym_key` keys the audit log's pseudonyms (R50), `replay_key` the marks of frames seen before (R16). The
    first of `signing_keys` signs, the others still check.
    """

    installation_id: str
    created_at: datetime
    active: int
    minimum: int
    kek: Mapping[int, bytes] = field(repr=False)
    pseudonym_key: bytes = field(repr=False)
    replay_key: bytes = field(repr=False)
    signing_keys: tuple[ECKey, ...] = field(repr=False)
    rotating: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.minimum <= self.active or self.active not in self.kek or not self.signing_keys:
            raise ValueError("versions")
        if any(len(key) != KEY_BYTES for key in (*self.kek.values(), self.pseudonym_key, self.replay_key)):
            raise ValueError("key length")


def create_keyring(path: Path, *, now: datetime, random: Random = os.urandom) -> Keyring:
    """Make a keyring for a new installation and write it to `path`, mode 0600, never over another file.

    Raises:
        AlreadyExists: If something is at `path`.
        StorageError: If it cannot be written there.
    """
    keyring = Keyring(
        installation_id=random(16).hex(),
        created_at=now,
        active=1,
        minimum=1,
        kek={1: random(KEY_BYTES)},
        pseudonym_key=random(KEY_BYTES),
        replay_key=random(KEY_BYTES),
        signing_keys=(new_signing_key(random),),
    )
    _write_new(path, _to_json(keyring))
    return keyring


def load_keyring(path: Path) -> Keyring:
    """Read the keyring at `path`.

    Raises:
        KeyringMissing: If it is not there, readable by others than its owner, or damaged.
    """
    text = _read_private(path)
    try:
        return _from_json(text)
    except (ArithmeticError, JoseError, KeyError, RecursionError, TypeError, ValueError) as error:
        # The cause is not chained: its text could hold what was read.
        kind = type(error).__name__
    raise KeyringMissing(f"The keyring {path} is damaged ({kind}): put a good copy in its place.")


def replace_keyring(path: Path, keyring: Keyring) -> None:
    """Put `keyring` in the place of the one at `path`: after a crash there is the old file or the new one, whole.

    Owner and group stay, so that a service keeps its keyring when root changes it. Call it from one place at a
    time; a draft that a crash left is removed by the next call.

    Raises:
        StorageError: If it cannot be written; the old file is as it was.
    """
    # Behind a link, the file is exchanged and not the link.
    place = path.resolve()
    draft = place.with_name(f".{place.name}.new")
    try:
        old = place.stat()
        draft.unlink(missing_ok=True)
        try:
            _write_draft(draft, _to_json(keyring), owner=(old.st_uid, old.st_gid))
            draft.replace(place)
        finally:
            draft.unlink(missing_ok=True)
        _sync_folder(place.parent)
    except OSError as error:
        raise StorageError(
            f"The keyring {path} cannot be exchanged ({error.strerror}): its folder must be writable."
        ) from error


def bind_installation(conn: Connection, keyring: Keyring) -> None:
    """Check that the database belongs to the keyring's installation; a database without an owner gets this one.

    Raises:
        KeyringForeign: If it belongs to another.
    """
    stored = conn.scalar(select(installation.c.value).where(installation.c.key == _INSTALLATION))
    if stored is None:
        conn.execute(insert(installation).values(key=_INSTALLATION, value=keyring.installation_id))
    else:
        check_installation(keyring, expected_installation=stored)


def check_installation(keyring: Keyring, *, expected_installation: str) -> None:
    """Check that the keyring is the one of `expected_installation`.

    Raises:
        KeyringForeign: If it is not.
    """
    if keyring.installation_id != expected_installation:
        raise KeyringForeign(
            f"The keyring is of installation {keyring.installation_id[:8]}, the database of "
            f"{expected_installation[:8]}: point FACEAUTH_KEYS__FILE at the right keyring."
        )


def new_signing_key(random: Random = os.urandom) -> ECKey:
    """Return a new P-256 key; its id is its thumbprint (RFC 7638)."""
    while True:
        # FIPS 186-5, A.2.2: draw again until the number is in range, so that none is likelier than another.
        number = int.from_bytes(random(KEY_BYTES), "big")
        if 0 < number < _P256_ORDER:
            break
    private = ec.derive_private_key(number, ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key = ECKey.import_key(pem)
    key.ensure_kid()
    return key


def _to_json(keyring: Keyring) -> str:
    body: dict[str, Any] = {
        "format": _FORMAT,
        _INSTALLATION: keyring.installation_id,
        "created_at": keyring.created_at.isoformat(),
        "active": keyring.active,
        "minimum": keyring.minimum,
        "key_encryption_keys": {str(version): _text(key) for version, key in keyring.kek.items()},
        "pseudonym_key": _text(keyring.pseudonym_key),
        "replay_key": _text(keyring.replay_key),
        "signing_keys": [key.as_dict(private=True) for key in keyring.signing_keys],
        "rotating": keyring.rotating,
    }
    return json.dumps(body | {"sha256": _checksum(body)}, indent=2) + "\n"


def _from_json(text: str) -> Keyring:
    body = json.loads(text)
    # Against accidents only: who can write the file can also write this sum.
    if not isinstance(body, dict) or body.pop("sha256", None) != _checksum(body):
        raise ValueError("checksum")
    if body["format"] != _FORMAT:
        raise ValueError("format")
    return Keyring(
        installation_id=str(body[_INSTALLATION]),
        created_at=datetime.fromisoformat(body["created_at"]),
        active=int(body["active"]),
        minimum=int(body["minimum"]),
        kek={int(version): _bytes(key) for version, key in body["key_encryption_keys"].items()},
        pseudonym_key=_bytes(body["pseudonym_key"]),
        replay_key=_bytes(body["replay_key"]),
        signing_keys=tuple(ECKey.import_key(key) for key in body["signing_keys"]),
        # Keyrings made before there was rotation do not say it.
        rotating=bool(body.get("rotating", False)),
    )


def _checksum(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _text(key: bytes) -> str:
    return urlsafe_b64encode(key).decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text)


def _read_private(path: Path) -> str:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise KeyringMissing(f"The keyring {path} is no file.")
            if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise KeyringMissing(f"The keyring {path} is open to others than its owner. Run: chmod 600 {path}")
            return file.read(_LARGEST).decode()
    except FileNotFoundError:
        raise KeyringMissing(
            f"There is no keyring at {path}. A new installation makes one with: faceauth init. "
            "An old one needs its own back: without it nothing sealed opens."
        ) from None
    except OSError as error:
        raise KeyringMissing(f"The keyring {path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError:
        raise KeyringMissing(f"The keyring {path} is damaged: put a good copy in its place.") from None


def _write_new(path: Path, text: str) -> None:
    """Write a whole file or none, and never over another: losing a keyring loses every template."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"The folder {path.parent} cannot be made ({error.strerror}).") from error
    try:
        _write_draft(draft, text)
        # A link, unlike a rename, fails when the name is taken.
        os.link(draft, path)
        _sync_folder(path.parent)
    except FileExistsError:
        raise AlreadyExists(f"There is a keyring at {path} already; it was left alone.") from None
    except OSError as error:
        raise StorageError(f"The keyring cannot be written to {path} ({error.strerror}).") from error
    finally:
        draft.unlink(missing_ok=True)


def _write_draft(draft: Path, text: str, *, owner: tuple[int, int] | None = None) -> None:
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123  only open() takes a descriptor
        if owner is not None:
            os.fchown(file.fileno(), *owner)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
