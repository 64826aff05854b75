"""Key-encryption keys in a PKCS#11 token: made there, used there, and never taken out.

The token seals data keys itself, with CKM_AES_GCM in C_Encrypt and C_Decrypt (PKCS #11 Specification 3.1, AES-GCM
mechanisms). Unlike those for C_WrapKey it binds a key to its row, and the record is the same as everywhere else
(docs/template-format.md).
"""

import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, TypeVar

from faceauth.errors import ConfigurationError, KeyUnavailable, SealBroken
from faceauth.sections import TokenSettings
from faceauth.vault.keks import Plain, Wrapped
from faceauth.vault.providers.deadline import Deadline
from faceauth.vault.records import NONCE_BYTES, TAG_BYTES, record_header, split_record
from faceauth.vault.secret import KeyBytes

pkcs11: Any = import_module("pkcs11") if find_spec("pkcs11") else None
"""The library, or None where the extra is not installed."""

Result = TypeVar("Result")
_AT_ONCE: Final = 20
"""Records in one turn of the token's thread, so that the time-out is one of few operations."""

_PIN_ERRORS: Final = frozenset({"PinIncorrect", "PinInvalid", "PinLenRange", "PinLocked", "PinExpired"})


class TokenKeks:
    """Holds the versions as AES-256 keys named ``<label>-<version>``; see `KekHolder`.

    A thread of its own talks to the token, one call after the other. After any failure the session is dropped, and
    the next call starts afresh; a PIN that the token refused is not tried again, because tokens count.

    Args:
        settings: Library, token, PIN and label.
        timeout_s: Seconds after which the token counts as down.
        random: The source of nonces.

    Raises:
        ConfigurationError: If a setting is missing, or the Python library is not installed.
    """

    def __init__(
        self, settings: TokenSettings, *, timeout_s: float, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        if pkcs11 is None:
            raise ConfigurationError("The key provider pkcs11 needs a library: pip install 'faceauth[pkcs11]'")
        if settings.module is None or not settings.token or not settings.pin.get_secret_value():
            raise ConfigurationError(
                "The key provider pkcs11 needs FACEAUTH_KEYS__PKCS11__MODULE, __TOKEN and __PIN."
            )
        self._settings = settings
        self._module = str(settings.module)
        self._random = random
        self._deadline = Deadline(f"The token {settings.token}", timeout_s=timeout_s, threads=1)
        self._session: Any = None
        self._writes = False
        self._lost = False
        self._keys: dict[int, Any] = {}
        self._refused = ""

    def wrap(self, keys: Sequence[Plain], *, version: int) -> list[bytes]:
        """Wrap in the token; see `KekUser`."""
        return self._in_turns(keys, lambda plain: self._seal(plain, version))

    def unwrap(self, records: Sequence[Wrapped]) -> list[KeyBytes | SealBroken]:
        """Unwrap in the token; see `KekUser`."""
        return self._in_turns(records, self._open)

    def make(self, *, after: int) -> int:
        """Make a key of 256 bits in the token; see `KekHolder`."""

        def work() -> int:
            session = self._opened(writes=True)
            version = max([after, *self._found(session)]) + 1
            session.generate_key(
                pkcs11.KeyType.AES,
                256,
                id=version.to_bytes(4, "big"),
                label=self._label(version),
                store=True,
                capabilities=pkcs11.MechanismFlag.ENCRYPT | pkcs11.MechanismFlag.DECRYPT,
                template={pkcs11.Attribute.SENSITIVE: True, pkcs11.Attribute.EXTRACTABLE: False},
            )
            self._keys.clear()
            return version

        return self._ask(work)

    def destroy(self, version: int) -> str:
        """Delete the key from the token; see `KekHolder`."""

        def work() -> None:
            session = self._opened(writes=True)
            self._keys.clear()
            for key in list(session.get_objects(self._named(version))):
                key.destroy()

        self._ask(work)
        return f"{self._label(version)} is gone from the token; copies that your token's backup holds are not."

    def versions(self) -> tuple[int, ...]:
        """Return the versions in the token; see `KekHolder`."""
        return self._ask(lambda: tuple(sorted(self._found(self._opened()))))

    def close(self) -> None:
        """Close the session."""
        with suppress(KeyUnavailable):
            self._deadline.run(self._drop)
        self._deadline.close()

    # --- on the token's thread ----------------------------------------------------------------------------------

    def _seal(self, plain: Plain, version: int) -> bytes:
        nonce, header = self._random(NONCE_BYTES), record_header(version)
        sealed: bytes = self._key(version).encrypt(bytes(plain.key), **_gcm(nonce, header + plain.context))
        if len(sealed) != len(plain.key) + TAG_BYTES:
            raise KeyUnavailable(f"The token {self._settings.token} answered with what is no sealed key.")
        return header + nonce + sealed

    def _open(self, one: Wrapped) -> KeyBytes | SealBroken:
        try:
            header, nonce, sealed = split_record(one.record)
        except SealBroken as error:
            return error
        key = self._key(one.version)
        try:
            return KeyBytes(key.decrypt(sealed, **_gcm(nonce, header + one.context)))
        except pkcs11.PKCS11Error:
            # Tokens say the same of an altered record and of a failure of theirs: this one has to prove itself.
            self._prove(key)
        return SealBroken("A wrapped data key does not open: altered, or wrapped for something else.")

    def _prove(self, key: Any) -> None:
        known, gcm = bytes(32), _gcm(self._random(NONCE_BYTES), b"faceauth/proof/1")
        if key.decrypt(key.encrypt(known, **gcm), **gcm) != known:
            raise KeyUnavailable(f"The token {self._settings.token} does not open what it sealed just now.")

    def _key(self, version: int) -> Any:
        if version not in self._keys:
            found = list(self._opened().get_objects(self._named(version)))
            if len(found) != 1:
                raise KeyUnavailable(
                    f"The token {self._settings.token} has {len(found) or 'no'} keys named {self._label(version)}."
                )
            attribute = pkcs11.Attribute
            if found[0][attribute.EXTRACTABLE] or not found[0][attribute.SENSITIVE]:
                raise KeyUnavailable(
                    f"{self._label(version)} could be taken out of the token; such a key is not used."
                )
            self._keys[version] = found[0]
        return self._keys[version]

    def _found(self, session: Any) -> set[int]:
        own = re.compile(re.escape(self._settings.label) + r"-([1-9]\d{0,8})", re.ASCII)
        labels = [
            key[pkcs11.Attribute.LABEL]
            for key in list(session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY}))
        ]
        return {int(match[1]) for label in labels if (match := own.fullmatch(str(label)))}

    def _opened(self, *, writes: bool = False) -> Any:
        if self._session is not None and (self._writes or not writes):
            return self._session
        self._drop()
        library = pkcs11.lib(self._module)
        if self._lost:
            # What was plugged out and in again is seen only by a library that starts afresh.
            library.reinitialize()
            self._lost = False
        try:
            self._session = self._signed_in(library, writes=writes)
        except RuntimeError as error:
            if type(error).__name__ in _PIN_ERRORS:
                raise
            library.reinitialize()
            self._session = self._signed_in(library, writes=writes)
        self._writes = writes
        return self._session

    def _signed_in(self, library: Any, *, writes: bool) -> Any:
        token = library.get_token(token_label=self._settings.token)
        return token.open(rw=writes, user_pin=self._settings.pin.get_secret_value())

    def _drop(self) -> None:
        session, self._session = self._session, None
        self._keys.clear()
        if session is not None:
            with suppress(RuntimeError):
                session.close()

    # --- from any thread ----------------------------------------------------------------------------------------

    def _in_turns(self, items: Sequence[Any], each: Callable[[Any], Result]) -> list[Result]:
        found: list[Result] = []
        for start in range(0, len(items), _AT_ONCE):
            some = items[start : start + _AT_ONCE]
            found += self._ask(partial(_each, each, some))
        return found

    def _ask(self, work: Callable[[], Result]) -> Result:
        if self._refused:
            raise KeyUnavailable(self._refused)
        return self._deadline.run(lambda: self._guarded(work))

    def _guarded(self, work: Callable[[], Result]) -> Result:
        """Turn every failure into a `KeyUnavailable` without its cause, and forget the session."""
        try:
            return work()
        except KeyUnavailable as error:
            told = str(error)
        except (RuntimeError, OSError) as error:  # what the library raises; a missing file is the second
            kind = type(error).__name__
            told = f"The token {self._settings.token} cannot be used ({kind}): see {self._module}."
            if kind in _PIN_ERRORS:
                told = f"The token {self._settings.token} refuses the PIN ({kind}). Set it right and start again."
                self._refused = told
        self._drop()
        self._lost = True
        raise KeyUnavailable(told)

    def _label(self, version: int) -> str:
        return f"{self._settings.label}-{version}"

    def _named(self, version: int) -> dict[Any, Any]:
        return {
            pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY,
            pkcs11.Attribute.LABEL: self._label(version),
        }


def _each(work: Callable[[Any], Result], items: Sequence[Any]) -> list[Result]:
    return [work(item) for item in items]


def _gcm(nonce: bytes, associated: bytes) -> dict[str, Any]:
    return {
        "mechanism": pkcs11.Mechanism.AES_GCM,
        "mechanism_param": pkcs11.GCMParams(nonce, associated, TAG_BYTES * 8),
    }
