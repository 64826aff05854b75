"""Another OpenID provider, asked who an administrator is: the code flow with PKCE, and a checked ID Token.

OpenID Connect Core 1.0, 3.1; OAuth 2.0 with PKCE (RFC 7636, S256).
"""

import ipaddress
import ssl
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from faceauth.clock import Clock
from faceauth.errors import NotAuthenticated
from faceauth.sections import ConsoleOpenIdSettings

with warnings.catch_warnings():
    # Authlib announces a successor of httpx; our lock pins httpx itself. Importing this sets a filter of its own.
    from authlib.deprecate import AuthlibDeprecationWarning

    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.common.errors import AuthlibBaseError
    from authlib.integrations.httpx_client import OAuth2Client

ALGORITHMS: Final = ("RS256", "PS256", "ES256")
"""Signatures that an ID Token may have: what providers use, and no secret shared with a client."""

LEEWAY_S: Final = 60
"""Seconds that the provider's clock may differ by (own figure)."""

TIMEOUT_S: Final = 10.0
"""Seconds that one question to the provider may take (own figure)."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a provider is asked what, as its discovery document says."""

    authorization: str
    token: str
    jwks: str


class Relying:
    """A client of one provider.

    Args:
        settings: The provider, and who we are there.
        redirect_uri: Where it sends the browser back to.
        clock: Returns the time now.
    """

    def __init__(self, settings: ConsoleOpenIdSettings, *, redirect_uri: str, clock: Clock) -> None:
        self._settings = settings
        self._redirect_uri = redirect_uri
        self._clock = clock

    def address(self, *, state: str, nonce: str, verifier: str) -> str:
        """Return where a browser is sent to, to sign in there.

        Raises:
            NotAuthenticated: the provider does not answer as one.
        """
        with self._client() as client:
            url, _ = client.create_authorization_url(
                self._endpoints(client).authorization, state=state, nonce=nonce, code_verifier=verifier
            )
        return str(url)

    def claims(self, *, code: str, nonce: str, verifier: str) -> Mapping[str, Any]:
        """Exchange a code, and return what the ID Token says once it was checked.

        Raises:
            NotAuthenticated: the provider refuses, does not answer, or what it answers is not valid for us.
        """
        try:
            with self._client() as client:
                there = self._endpoints(client)
                token = client.fetch_token(
                    there.token, grant_type="authorization_code", code=code, code_verifier=verifier
                )
                keys = KeySet.import_key_set({"keys": _json(client, there.jwks)["keys"]})
            decoded = jwt.decode(str(token.get("id_token", "")), keys, algorithms=list(ALGORITHMS))
        except (AuthlibBaseError, httpx.HTTPError, JoseError, ValueError, KeyError, TypeError) as error:
            raise NotAuthenticated(f"The provider's answer is not valid: {type(error).__name__}.") from None
        self._check(decoded.claims, nonce)
        return decoded.claims

    def _check(self, claims: Mapping[str, Any], nonce: str) -> None:
        """Check what OpenID Connect Core 1.0, 3.1.3.7 asks for."""
        now, ours = self._clock().timestamp(), self._settings.client_id
        audience = claims.get("aud")
        several = audience if isinstance(audience, list) else [audience]
        wrong = {
            "iss": claims.get("iss") != self._settings.issuer,
            "aud": ours not in several,
            "azp": claims.get("azp", ours) != ours or (len(several) > 1 and "azp" not in claims),
            "exp": not _after(claims.get("exp"), now - LEEWAY_S),
            "iat": not _after(now + LEEWAY_S, claims.get("iat")),
            "nonce": claims.get("nonce") != nonce,
            "sub": not isinstance(claims.get("sub"), str) or not claims.get("sub"),
        }
        if any(wrong.values()):
            names = ", ".join(name for name, bad in wrong.items() if bad)
            raise NotAuthenticated(f"The ID Token is not valid: {names}.")

    def _client(self) -> Any:
        return OAuth2Client(
            self._settings.client_id,
            self._settings.client_secret.get_secret_value() or None,
            scope=" ".join(self._settings.scopes),
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            timeout=TIMEOUT_S,
            follow_redirects=False,
            trust_env=False,
            verify=_certificates(),
        )

    def _endpoints(self, client: Any) -> Endpoints:
        issuer = self._settings.issuer
        try:
            told = _json(client, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        except (httpx.HTTPError, ValueError) as error:
            raise NotAuthenticated(f"The provider does not answer: {type(error).__name__}.") from None
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        found = [told.get(name) for name in names]
        if told.get("issuer") != issuer or not all(isinstance(url, str) and _safe(url) for url in found):
            raise NotAuthenticated(
                "The provider's discovery document is another issuer's, or names no https address."
            )
        return Endpoints(*(str(url) for url in found))


@cache
def _certificates() -> ssl.SSLContext:
    """Return the machine's certificate authorities, read once: that takes longer than a question."""
    return ssl.create_default_context()


def _json(client: Any, url: str) -> Mapping[str, Any]:
    if not _safe(url):
        raise ValueError("no https")
    answer = client.get(url, auth=None)
    answer.raise_for_status()
    told = answer.json()
    if not isinstance(told, dict):
        raise ValueError("no object")  # noqa: TRY004  told as any other wrong answer
    return told


def _safe(url: str) -> bool:
    """Whether an address is https, or of this machine alone, for tests."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return True
    host = parts.hostname or ""
    try:
        return parts.scheme == "http" and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False


def _after(later: object, earlier: object) -> bool:
    return isinstance(later, int | float) and isinstance(earlier, int | float) and later > earlier
