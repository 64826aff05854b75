"""Key-encryption keys in HashiCorp Vault's transit engine: they stay there, and data keys go there to be wrapped.

Vault's API is described at https://developer.hashicorp.com/vault/api-docs/secret/transit.
"""

import binascii
import re
import struct
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from faceauth.errors import ConfigurationError, KeyUnavailable, SealBroken
from faceauth.sections import VaultSettings
from faceauth.vault.keks import Plain, Wrapped
from faceauth.vault.providers.deadline import Deadline
from faceauth.vault.secret import KeyBytes

try:
    import hvac
    import requests
except ImportError:  # the extra is not installed
    hvac = requests = None

Result = TypeVar("Result")
FORMAT: Final = 2
"""The first byte of a data key that Vault wrapped (docs/template-format.md)."""

_KIND: Final = "aes256-gcm96"
_START: Final = struct.Struct(">BI")
_AT_ONCE: Final = 200
"""Keys in one request."""

_THREADS: Final = 4
_KEY_BYTES: Final = 32
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class TransitKeks:
    """Uses the versions of one transit key; see `KekHolder`.

    Args:
        settings: Address, token and key.
        timeout_s: Seconds after which Vault counts as down, the whole answer included.

    Raises:
        ConfigurationError: If a setting is missing or unsafe, or the Python library is not installed.
    """

    def __init__(self, settings: VaultSettings, *, timeout_s: float) -> None:
        if hvac is None:
            raise ConfigurationError("The key provider vault needs a library: pip install 'faceauth[vault]'")
        address = urlsplit(settings.url)
        if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _LOOPBACK):
            raise ConfigurationError(
                "FACEAUTH_KEYS__VAULT__URL must be an https address; http is for this very machine only."
            )
        if not settings.token.get_secret_value() and settings.token_file is None:
            raise ConfigurationError(
                "The key provider vault needs FACEAUTH_KEYS__VAULT__TOKEN, or its file in __TOKEN_FILE."
            )
        self._settings = settings
        self._timeout_s = timeout_s
        self._deadline = Deadline("Vault", timeout_s=timeout_s, threads=_THREADS)
        self._own = threading.local()

    def wrap(self, keys: Sequence[Plain], *, version: int) -> list[bytes]:
        """Wrap in Vault; see `KekUser`."""
        found: list[bytes] = []
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            found += self._ask(partial(self._encrypt, some, version))
        return found

    def unwrap(self, records: Sequence[Wrapped]) -> list[KeyBytes | SealBroken]:
        """Unwrap in Vault; see `KekUser`."""
        found: list[KeyBytes | SealBroken] = []
        for start in range(0, len(records), _AT_ONCE):
            found += self._unwrap_some(records[start : start + _AT_ONCE])
        return found

    def make(self, *, after: int) -> int:
        """Make the key, or its next version; one that was made in Vault already is taken. See `KekHolder`."""

        def work() -> int:
            transit, place = self._transit(), self._place()
            try:
                found = self._read()
            except hvac.exceptions.InvalidPath:
                transit.create_key(
                    key_type=_KIND, exportable=False, allow_plaintext_backup=False, derived=False, **place
                )
                found = self._read()
            if found["type"] != _KIND or found.get("exportable") or found.get("allow_plaintext_backup"):
                raise KeyUnavailable(
                    f"Vault's key {self._settings.key} must be of type {_KIND} and not exportable; make another."
                )
            if after and int(found["latest_version"]) <= after:
                transit.rotate_key(**place)
                found = self._read()
            version = int(found["latest_version"])
            if version <= after:
                raise KeyUnavailable("Vault made no new version.")
            return version

        return self._ask(work)

    def destroy(self, version: int) -> str:
        """Trim the key, so that this version and all older ones are gone from Vault; see `KekHolder`."""

        def work() -> None:
            if min(self._there(), default=version + 1) > version:
                return
            floor, transit = version + 1, self._transit()
            # One after the other: the client refuses the two in one request where they are equal.
            transit.update_key_configuration(min_encryption_version=floor, **self._place())
            transit.update_key_configuration(min_decryption_version=floor, **self._place())
            transit.trim_key(min_version=floor, **self._place())

        self._ask(work)
        return "Vault has trimmed the key; snapshots of Vault's storage that are older still hold it."

    def versions(self) -> tuple[int, ...]:
        """Return the versions in Vault; see `KekHolder`."""
        return self._ask(lambda: tuple(sorted(self._there())))

    def close(self) -> None:
        """Let the threads end."""
        self._deadline.close()

    # --- one request --------------------------------------------------------------------------------------------

    def _encrypt(self, keys: Sequence[Plain], version: int) -> list[bytes]:
        items = [
            {"plaintext": _text(plain.key), "associated_data": _text(plain.context), "key_version": version}
            for plain in keys
        ]
        answer = self._transit().encrypt_data(batch_input=items, **self._place())
        return [_record(one["ciphertext"], version) for one in _results(answer, len(keys))]

    def _unwrap_some(self, records: Sequence[Wrapped]) -> list[KeyBytes | SealBroken]:
        texts = [_ciphertext(one) for one in records]
        asked = [(one, text) for one, text in zip(records, texts, strict=True) if text is not None]
        opened = iter(self._ask(partial(self._decrypt_all, asked)) if asked else ())
        found = [None if text is None else next(opened) for text in texts]
        return [
            key or SealBroken("A wrapped data key does not open: altered, or wrapped for something else.")
            for key in found
        ]

    def _decrypt_all(self, asked: Sequence[tuple[Wrapped, str]]) -> list[KeyBytes | None]:
        """Return the keys, and None in the place of those that Vault refuses."""
        opened = self._decrypt(asked)
        if None in opened:
            self._prove()
        return opened

    def _decrypt(self, asked: Sequence[tuple[Wrapped, str]]) -> list[KeyBytes | None]:
        items = [{"ciphertext": text, "associated_data": _text(one.context)} for one, text in asked]
        try:
            answer = self._transit().decrypt_data(ciphertext=None, batch_input=items, **self._place())
        except hvac.exceptions.InvalidRequest as refused:
            # So Vault answers when it refuses a part of the batch; the answer has the other part.
            answer = refused.json
        results = _results(answer, len(asked))
        if any("too old" in str(one.get("error")) for one in results):
            raise KeyUnavailable(
                "Vault refuses the version of a wrapped key: its minimum is higher, or it is gone."
            )
        return [None if one.get("error") else _plain(one["plaintext"]) for one in results]

    def _prove(self) -> None:
        """Vault answers 400 to an altered record and to much else: it has to open what it seals now."""
        known = Plain(KeyBytes(_KEY_BYTES), b"faceauth/proof/1")
        version = max(self._there(), default=0)
        (record,) = self._encrypt([known], version)
        text = _ciphertext(Wrapped(record, version, known.context)) or ""
        if self._decrypt([(Wrapped(record, version, known.context), text)]) != [known.key]:
            raise KeyUnavailable("Vault does not open what it sealed just now.")

    def _read(self) -> Any:
        return self._transit().read_key(**self._place())["data"]

    def _there(self) -> Iterator[int]:
        return (int(version) for version in self._read()["keys"])

    def _transit(self) -> Any:
        """Return this thread's client, with the token as it is now."""
        if not hasattr(self._own, "client"):
            session = requests.Session()
            # Neither a proxy nor a password file of the environment comes between.
            session.trust_env = False
            session.verify = str(self._settings.ca_file) if self._settings.ca_file else True
            self._own.client = hvac.Client(
                url=self._settings.url,
                token="",  # set below; without one hvac would look into the home folder
                verify=session.verify,
                timeout=self._timeout_s,
                allow_redirects=False,
                session=session,
                namespace=self._settings.namespace or None,
            )
        self._own.client.token = self._token()
        return self._own.client.secrets.transit

    def _token(self) -> str:
        if self._settings.token_file is None:
            return self._settings.token.get_secret_value()
        return self._settings.token_file.read_text(encoding="utf-8").strip()

    def _place(self) -> dict[str, str]:
        return {"name": self._settings.key, "mount_point": self._settings.mount}

    def _ask(self, work: Callable[[], Result]) -> Result:
        return self._deadline.run(lambda: _guarded(work))


def _guarded(work: Callable[[], Result]) -> Result:
    """Turn every failure into a `KeyUnavailable` without its cause, which could show a request."""
    try:
        return work()
    except KeyUnavailable as error:
        told = str(error)
    except hvac.exceptions.Forbidden:
        told = "Vault refuses the token: it is not valid, or its policy does not reach the key."
    except (hvac.exceptions.VaultError, requests.RequestException, OSError) as error:
        told = f"Vault cannot be reached or is not ready ({type(error).__name__})."
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        told = f"Vault's answer makes no sense ({type(error).__name__})."
    raise KeyUnavailable(told)


def _results(answer: Any, expected: int) -> list[dict[str, Any]]:
    results = answer["data"]["batch_results"]
    if (
        not isinstance(results, list)
        or len(results) != expected
        or not all(isinstance(one, dict) for one in results)
    ):
        raise ValueError("batch_results")
    return results


def _record(ciphertext: str, version: int) -> bytes:
    if not re.fullmatch(rf"vault:v{version}:[A-Za-z0-9+/]+=*", ciphertext, re.ASCII):
        raise ValueError("ciphertext")
    return _START.pack(FORMAT, version) + ciphertext.encode()


def _ciphertext(one: Wrapped) -> str | None:
    """Return what Vault calls the record, or None if it is no record of Vault's."""
    kind, version = _START.unpack_from(one.record)
    text = one.record[_START.size :].decode("ascii", "replace")
    good = re.fullmatch(rf"vault:v{version}:[A-Za-z0-9+/]+=*", text, re.ASCII)
    if good is None or (kind, version) != (FORMAT, one.version):
        return None
    # Unused bits at the end would give one record several spellings.
    payload = text.split(":")[2]
    try:
        return text if b64encode(b64decode(payload, validate=True)).decode() == payload else None
    except binascii.Error:
        return None


def _plain(text: str) -> KeyBytes:
    key = KeyBytes(b64decode(text, validate=True))
    if len(key) != _KEY_BYTES:
        raise ValueError("plaintext")
    return key


def _text(data: bytes | bytearray) -> str:
    return b64encode(data).decode()
