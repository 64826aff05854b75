"""Signs tokens and receipts with ES256, and checks them.

Everything that leaves the service signed goes through here: a compact JWS (RFC 7515) whose header holds exactly
`alg`, `kid` and `typ`. One algorithm, keys only from the keyring, and a `typ` per kind of statement (RFC 8725,
3.11), so that a receipt is never taken for a token.
"""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from faceauth.errors import ConfigurationError, SignatureInvalid

CONSENT_RECEIPT: Final = "consent-receipt+jwt"
DELETION_RECEIPT: Final = "deletion-receipt+jwt"
TOKEN: Final = "JWT"  # noqa: S105  the kind of a token, no secret

_ALGORITHM: Final = "ES256"
_HEADER: Final = frozenset({"alg", "kid", "typ"})
_SEGMENTS: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_LONGEST: Final = 1_000_000
"""Characters of a token that are looked at; far above the longest receipt, far below what hurts."""


class Signer:
    """Signs with the first key; the others are older ones whose signatures must stay checkable.

    Args:
        keys: P-256 keys (RFC 7518, 3.4), each with a `kid`; the first one private. Or what returns those that hold
            now, asked anew for each use, so that a rotation is followed.

    Raises:
        ConfigurationError: If there is no key, or one that cannot be used.
    """

    def __init__(self, keys: Sequence[ECKey] | Callable[[], Sequence[ECKey]]) -> None:
        self._now = keys if callable(keys) else None
        self._take(keys() if callable(keys) else keys)

    def _take(self, keys: Sequence[ECKey]) -> None:
        if not keys:
            raise ConfigurationError("There is no signing key. Run: faceauth init")
        if len({_kid(key) for key in keys}) != len(keys):
            raise ConfigurationError("Two signing keys have the same id; ids must differ.")
        if not keys[0].is_private:
            raise ConfigurationError("The first signing key has no private part; restore the keyring.")
        # One assignment, so that no thread sees the keys of two times.
        self._held = (tuple(keys), tuple(public_key(key) for key in keys))

    def _latest(self) -> tuple[tuple[ECKey, ...], tuple[ECKey, ...]]:
        """Return the keys and their public parts as they are now."""
        if self._now is not None:
            found = tuple(self._now())
            if found != self._held[0]:
                self._take(found)
        return self._held

    @property
    def public_keys(self) -> tuple[ECKey, ...]:
        """The keys that check what was signed here, without their private parts."""
        return self._latest()[1]

    def public_jwks(self) -> dict[str, object]:
        """Return the JWK set (RFC 7517, 5) to publish."""
        return {"keys": [key.as_dict(private=False) for key in self.public_keys]}

    def sign(self, claims: Mapping[str, object], *, typ: str) -> str:
        """Return the claims as a compact JWS with `typ` in its header.

        Raises:
            ValueError: If the claims hold what JSON cannot, such as NaN.
        """
        payload = json.dumps(claims, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        active = self._latest()[0][0]
        header = {"alg": _ALGORITHM, "kid": _kid(active), "typ": typ}
        return jws.serialize_compact(header, payload, active, registry=_registry())

    def check(self, token: str, *, expected_typ: str) -> dict[str, object]:
        """Return the claims of a token signed here; see `check`."""
        return check(token, keys=self.public_keys, expected_typ=expected_typ)


def check(token: str, *, keys: Sequence[ECKey], expected_typ: str) -> dict[str, object]:
    """Return the claims of `token` if one of `keys` signed it as an `expected_typ`.

    Only the signature and the kind are checked: times, audience and the rest are the caller's.

    Raises:
        SignatureInvalid: If anything else was signed, in another way, by another key, or if it is altered.
    """
    header = _header(token)
    if header.get("alg") != _ALGORITHM:
        raise SignatureInvalid("The token is not signed with ES256.")
    if set(header) != _HEADER:
        # jwk, jku and x5u would let a token bring its own key (RFC 8725, 3.10); crit and b64 change what is
        # signed.
        raise SignatureInvalid("The token's header may hold alg, kid and typ, and nothing else.")
    if header["typ"] != expected_typ:
        raise SignatureInvalid(f"The token is no {expected_typ}.")
    key = next((key for key in keys if key.kid == header["kid"]), None)
    if key is None:
        raise SignatureInvalid("The token was signed by a key that this installation does not know.")
    try:
        signed = jws.deserialize_compact(token, public_key(key), registry=_registry())
        claims = json.loads(signed.payload)
    except (JoseError, ValueError) as error:
        raise SignatureInvalid("The token's signature does not fit its content.") from error
    if not isinstance(claims, dict):
        raise SignatureInvalid("The token holds no claims.")
    return claims


def keys_from_jwks(jwks: Mapping[str, object]) -> tuple[ECKey, ...]:
    """Return the keys of a published JWK set, to check receipts away from the installation.

    Raises:
        ConfigurationError: If the set is malformed or holds a key that is not P-256.
    """
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise ConfigurationError("A key set is an object with a list of keys; fetch it again.")
    try:
        return tuple(public_key(ECKey.import_key(key)) for key in keys)
    except (JoseError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError("The key set holds a key that cannot be read; fetch it again.") from error


def public_key(key: ECKey) -> ECKey:
    """Return the key without its private part, with its id and what it is for.

    Raises:
        ConfigurationError: If it is no P-256 key with an id.
    """
    kid = _kid(key)
    known = {name: value for name, value in key.as_dict(private=False).items() if name in {"kty", "crv", "x", "y"}}
    return ECKey.import_key({**known, "kid": kid, "use": "sig", "alg": _ALGORITHM})


def _kid(key: ECKey) -> str:
    if key.as_dict(private=False).get("crv") != "P-256" or not key.kid:
        raise ConfigurationError("A signing key must be an EC key on P-256 with an id; restore the keyring.")
    return key.kid


def _registry() -> jws.JWSRegistry:
    registry = jws.JWSRegistry(algorithms=[_ALGORITHM])
    registry.max_payload_length = _LONGEST
    return registry


def _header(token: str) -> dict[str, object]:
    """Return the header of a token that is spelt in the one allowed way."""
    if len(token) > _LONGEST or _SEGMENTS.fullmatch(token) is None:
        raise SignatureInvalid("This is no signed token.")
    try:
        decoded = [urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")]
        header = json.loads(decoded[0])
    except (ValueError, RecursionError) as error:
        raise SignatureInvalid("This is no signed token.") from error
    # Unused bits at the end of a base64 segment would give one signature several spellings.
    if ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in decoded) != token:
        raise SignatureInvalid("This is no signed token.")
    if not isinstance(header, dict):
        raise SignatureInvalid("This is no signed token.")
    return header
