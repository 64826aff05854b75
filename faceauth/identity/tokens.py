"""The token an application gets for an accepted login: an OpenID Connect ID Token, ES256, short-lived.

`amr` says ``face`` (RFC 8176) because only an accepted session is minted for, and a session is accepted only after
liveness and match; no score is told beside it (R17, R24). A face alone is one factor: ``mfa`` is there only with
a device key that was proven in the same session (`faceauth.identity.methods`), and `acr` claims no assurance level
of NIST's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from faceauth.clock import Clock
from faceauth.errors import SignatureInvalid
from faceauth.identity.methods import Methods, methods_of
from faceauth.signing import TOKEN, Signer

LIFETIME: Final = timedelta(minutes=5)
"""How long after the decision a token may be presented (own figure: a backend redeems it at once)."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a checked token says; only `Tokens.check` makes it."""

    account: str
    tenant: str
    session_id: str
    scenario: str
    auth_time: datetime
    expires_at: datetime
    amr: tuple[str, ...]
    acr: str
    nonce: str | None
    transaction_sha256: str | None = None


class Tokens:
    """Mints and checks tokens.

    Args:
        signer: The installation's signing keys.
        issuer: The service's own address, as in its settings.
        clock: Returns the time now.
    """

    def __init__(self, signer: Signer, issuer: str, clock: Clock) -> None:
        self._signer = signer
        self._issuer = issuer
        self._clock = clock

    def mint(
        self,
        *,
        account: str,
        tenant: str,
        session_id: str,
        auth_time: datetime,
        scenario: str,
        nonce: str | None = None,
        methods: Methods | None = None,
        transaction_sha256: str | None = None,
    ) -> str:
        """Return the token of an accepted session that was decided at `auth_time`.

        `jti` is the session's id, so that one decision is one token however often it is asked for, and an
        application that keeps the ids it has seen accepts each once. Without `methods` it was the face alone; with
        `transaction_sha256`, lower-case hex, the session was for that text and nothing else.
        """
        proven = methods or methods_of(None)
        decided = int(auth_time.timestamp())
        claims: dict[str, object] = {
            "iss": self._issuer,
            "sub": account,
            "aud": tenant,
            "iat": decided,
            "nbf": decided,
            "exp": decided + int(LIFETIME.total_seconds()),
            "auth_time": decided,
            "jti": session_id,
            "amr": list(proven.amr),
            "acr": proven.acr,
            "scenario": scenario,
        }
        if nonce is not None:
            claims["nonce"] = nonce
        if transaction_sha256 is not None:
            claims["transaction_sha256"] = transaction_sha256
        return self._signer.sign(claims, typ=TOKEN)

    def too_late(self, auth_time: datetime) -> bool:
        """Say whether a token of a decision made at `auth_time` would have expired by now."""
        return self._clock() >= auth_time + LIFETIME

    def check(self, token: str, *, expected_audience: str, expected_nonce: str | None = None) -> Claims:
        """Return what `token` says if it is ours, for this audience, and in its time.

        Raises:
            SignatureInvalid: it is anything else (R18).
        """
        claims = self._signer.check(token, expected_typ=TOKEN)
        now = self._clock()
        if claims.get("iss") != self._issuer:
            raise SignatureInvalid("The token is from another issuer.")
        if claims.get("aud") != expected_audience:
            raise SignatureInvalid("The token is for another audience.")
        if expected_nonce is not None and claims.get("nonce") != expected_nonce:
            raise SignatureInvalid("The token answers another request.")
        expires_at = _time(claims, "exp")
        if now < _time(claims, "nbf") or now >= expires_at:
            raise SignatureInvalid("The token's time is over or has not begun.")
        nonce, transaction = claims.get("nonce"), claims.get("transaction_sha256")
        return Claims(
            account=_text(claims, "sub"),
            tenant=expected_audience,
            session_id=_text(claims, "jti"),
            scenario=_text(claims, "scenario"),
            auth_time=_time(claims, "auth_time"),
            expires_at=expires_at,
            amr=_methods(claims),
            acr=_text(claims, "acr"),
            nonce=None if nonce is None else _text(claims, "nonce"),
            transaction_sha256=None if transaction is None else _text(claims, "transaction_sha256"),
        )


def _text(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise SignatureInvalid(f"The token has no {name}.")
    return value


def _time(claims: Mapping[str, object], name: str) -> datetime:
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise SignatureInvalid(f"The token has no {name}.")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise SignatureInvalid(f"The token's {name} is no time.") from error


def _methods(claims: Mapping[str, object]) -> tuple[str, ...]:
    value = claims.get("amr")
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise SignatureInvalid("The token has no amr.")
    return tuple(value)
