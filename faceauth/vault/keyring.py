"""The keyring file: every secret of an installation that is not in a database.

One JSON file, readable by its owner alone, kept apart from the data folder and never in a backup of it: whoever
has the data without this file has sealed bytes. Where another provider holds the key-encryption keys, the file's
other secrets are sealed under one of them. docs/template-format.md describes the file and what its keys open.
"""

import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from sqlalchemy import Connection, insert, select

from faceauth.db.schema import installation
from faceauth.errors import AlreadyExists, KeyringForeign, KeyringMissing, SealBroken, StorageError
from faceauth.vault.keks import KekHolder, Plain, Wrapped
from faceauth.vault.private_file import read_private, sync_folder, write_draft, write_new
from faceauth.vault.records import open_record, seal_record
from faceauth.vault.secret import KeyBytes

Random = Callable[[int], bytes]
"""Returns that many random bytes, as `os.urandom` does."""

KEY_BYTES: Final = 32
FILE: Final = "file"
"""The provider whose key-encryption keys are in the keyring file itself."""

_FORMAT: Final = "faceauth-keyring-1"
_FORMAT_SEALED: Final = "faceauth-keyring-2"
_LABEL: Final = b"faceauth/keyring/1"
_INSTALLATION: Final = "installation_id"
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of P-256's base point (NIST SP 800-186, 3.2.1.3)."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """The secrets, in memory.

    `kek` maps versions to 32-byte key-encryption keys, and is empty where another `provider` than the file holds
    them; new keys are wrapped under `active`, and nothing under `minimum` is opened (R45). `rotating` says that
    the rotation to `active` has begun and is not finished; `destroyed` names the versions that are gone for good.
    `pseudonym_key` keys the audit log's pseudonyms (R50), `replay_key` the marks of frames seen before (R16). The
    first of `signing_keys` signs, the others still check: of those only the public parts are here.
    """

    installation_id: str
    created_at: datetime
    active: int
    minimum: int
    kek: Mapping[int, bytes | bytearray] = field(repr=False)
    pseudonym_key: bytes = field(repr=False)
    replay_key: bytes = field(repr=False)
    signing_keys: tuple[ECKey, ...] = field(repr=False)
    rotating: bool = False
    provider: str = FILE
    destroyed: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.minimum <= self.active or self.active in self.destroyed or not self.signing_keys:
            raise ValueError("versions")
        if (self.active in self.kek) != (self.provider == FILE) or set(self.kek) & set(self.destroyed):
            raise ValueError("versions")
        if any(len(key) != KEY_BYTES for key in (*self.kek.values(), self.pseudonym_key, self.replay_key)):
            raise ValueError("key length")


def create_keyring(
    path: Path,
    *,
    now: datetime,
    random: Random = os.urandom,
    provider: str = FILE,
    holder: KekHolder | None = None,
) -> Keyring:
    """Make a keyring for a new installation and write it to `path`, mode 0600, never over another file.

    Args:
        path: Where it is made.
        now: The time now.
        random: The source of keys.
        provider: Who holds the key-encryption keys, as the settings name it.
        holder: The holder itself, if that is not the file.

    Raises:
        AlreadyExists: If something is at `path`.
        KeyUnavailable: If the holder cannot make a key.
        StorageError: If it cannot be written there.
    """
    if path.exists():
        raise AlreadyExists(f"There is a keyring at {path} already; it was left alone.")
    version = 1 if holder is None else holder.make(after=0)
    keyring = Keyring(
        installation_id=random(16).hex(),
        created_at=now,
        active=version,
        minimum=version,
        kek={version: KeyBytes(random(KEY_BYTES))} if holder is None else {},
        pseudonym_key=random(KEY_BYTES),
        replay_key=random(KEY_BYTES),
        signing_keys=(new_signing_key(random),),
        provider=provider,
    )
    write_new(path, _to_json(keyring, holder, random))
    return keyring


def load_keyring(path: Path, holder: KekHolder | None = None, *, provider: str = FILE) -> Keyring:
    """Read the keyring at `path`, made for this provider.

    Raises:
        KeyringMissing: If it is not there, readable by others than its owner, or damaged.
        KeyringForeign: If it was made for another provider: none is used in the place of another.
        KeyUnavailable: If the holder cannot open what is sealed in it.
    """
    found = _read(read_private(path), holder, provider)
    if isinstance(found, Keyring):
        return found
    raise KeyringMissing(f"The keyring {path} is damaged ({found}): put a good copy in its place.")


def _read(text: str, holder: KekHolder | None, provider: str) -> Keyring | str:
    """Return the keyring or what is wrong with it; an error's cause or place could show what was read."""
    try:
        return _from_json(text, holder, provider)
    except (ArithmeticError, JoseError, KeyError, RecursionError, SealBroken, TypeError, ValueError) as error:
        return type(error).__name__


def replace_keyring(
    path: Path, keyring: Keyring, holder: KekHolder | None = None, *, random: Random = os.urandom
) -> None:
    """Put `keyring` in the place of the one at `path`: after a crash there is the old file or the new one, whole.

    Owner and group stay, so that a service keeps its keyring when root changes it. Call it from one place at a
    time; a draft that a crash left is removed by the next call.

    Raises:
        KeyUnavailable: If the holder cannot seal its secrets; the old file is as it was.
        StorageError: If it cannot be written; the same.
    """
    text = _to_json(keyring, holder, random)
    # Behind a link, the file is exchanged and not the link.
    place = path.resolve()
    draft = place.with_name(f".{place.name}.new")
    try:
        old = place.stat()
        draft.unlink(missing_ok=True)
        try:
            write_draft(draft, text, owner=(old.st_uid, old.st_gid))
            draft.replace(place)
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(place.parent)
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


def next_keyring(keyring: Keyring, holder: KekHolder | None, random: Random) -> Keyring:
    """Return the keyring with a new active version, whose rotation begins."""
    if holder is None:
        version = max(keyring.active, *keyring.kek) + 1
        kek: Mapping[int, bytes | bytearray] = {**keyring.kek, version: KeyBytes(random(KEY_BYTES))}
    else:
        version, kek = holder.make(after=keyring.active), keyring.kek
    return replace(keyring, kek=kek, active=version, rotating=True)


def _to_json(keyring: Keyring, holder: KekHolder | None, random: Random) -> str:
    body: dict[str, Any] = {
        "format": _FORMAT if holder is None else _FORMAT_SEALED,
        _INSTALLATION: keyring.installation_id,
        "created_at": keyring.created_at.isoformat(),
        "active": keyring.active,
        "minimum": keyring.minimum,
        "rotating": keyring.rotating,
        "destroyed": list(keyring.destroyed),
    }
    if holder is None:
        body |= _secrets(keyring)
    else:
        body["provider"] = keyring.provider
        body |= _sealed(KeyBytes(json.dumps(_secrets(keyring)).encode()), body, holder, random)
    return json.dumps(body | {"sha256": _checksum(body)}, indent=2) + "\n"


def _secrets(keyring: Keyring) -> dict[str, Any]:
    return {
        "key_encryption_keys": {str(version): _text(key) for version, key in keyring.kek.items()},
        "pseudonym_key": _text(keyring.pseudonym_key),
        "replay_key": _text(keyring.replay_key),
        "signing_keys": [key.as_dict(private=key.is_private) for key in keyring.signing_keys],
    }


def _from_json(text: str, holder: KekHolder | None, provider: str) -> Keyring:
    body = json.loads(text)
    # Against accidents only: who can write the file can also write this sum.
    if not isinstance(body, dict) or body.pop("sha256", None) != _checksum(body):
        raise ValueError("checksum")
    if body["format"] not in {_FORMAT, _FORMAT_SEALED}:
        raise ValueError("format")
    made_for = body["provider"] if body["format"] == _FORMAT_SEALED else FILE
    if made_for != provider:
        raise KeyringForeign(
            f"The keyring was made for the key provider {made_for}, and FACEAUTH_KEYS__PROVIDER is {provider}: "
            "set it right; none is used in the place of another."
        )
    secret = body if holder is None else _opened(body, holder)
    return Keyring(
        installation_id=str(body[_INSTALLATION]),
        created_at=datetime.fromisoformat(body["created_at"]),
        active=int(body["active"]),
        minimum=int(body["minimum"]),
        kek={int(version): _bytes(key) for version, key in secret["key_encryption_keys"].items()},
        pseudonym_key=bytes(_bytes(secret["pseudonym_key"])),
        replay_key=bytes(_bytes(secret["replay_key"])),
        signing_keys=tuple(ECKey.import_key(key) for key in secret["signing_keys"]),
        # Keyrings made before there was rotation, or destruction, do not say these.
        rotating=bool(body.get("rotating", False)),
        provider=made_for,
        destroyed=tuple(int(version) for version in body.get("destroyed", ())),
    )


def _sealed(plain: KeyBytes, body: Mapping[str, Any], holder: KekHolder, random: Random) -> dict[str, str]:
    """Return the secrets sealed under a key of their own, and that key wrapped by the holder.

    What the file says in the clear is bound to both, so that nobody lowers the minimum without the holder.
    """
    key, version, context = KeyBytes(random(KEY_BYTES)), int(body["active"]), _context(body)
    sealed = seal_record(plain, key, key_version=version, context=context, random=random)
    (wrapped,) = holder.wrap([Plain(key, context)], version=version)
    key.wipe()
    plain.wipe()
    return {"key": _text(wrapped), "secrets": _text(sealed)}


def _opened(body: Mapping[str, Any], holder: KekHolder) -> dict[str, Any]:
    version, context = int(body["active"]), _context(body)
    (key,) = holder.unwrap([Wrapped(bytes(_bytes(body["key"])), version, context)])
    if isinstance(key, SealBroken):
        raise key
    sealed = bytes(_bytes(body["secrets"]))
    found = json.loads(open_record(sealed, key, expected_key_version=version, context=context))
    key.wipe()
    return dict(found)


def _context(body: Mapping[str, Any]) -> bytes:
    told = {name: value for name, value in body.items() if name not in {"key", "secrets"}}
    return _LABEL + json.dumps(told, sort_keys=True).encode()


def _checksum(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _text(key: bytes | bytearray) -> str:
    return urlsafe_b64encode(key).decode()


def _bytes(text: str) -> KeyBytes:
    return KeyBytes(urlsafe_b64decode(text))
