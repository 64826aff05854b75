"""What an ID Token says, and what the service says about itself to clients that ask (discovery)."""

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from faceauth.oidc.clients import SCOPES
from faceauth.oidc.grants import Grant

LIFETIME: Final = timedelta(minutes=5)
"""How long an ID Token may be presented (own figure, as for the tokens of sessions)."""

CLAIMS: Final = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid")

AUTH_METHODS: Final = ("client_secret_basic", "client_secret_post", "none")


def id_token_claims(grant: Grant, *, issuer: str, access_token: str, jti: str, now: datetime) -> dict[str, object]:
    """Return the claims of the token for a grant (OpenID Connect Core, 2).

    `sub` is the account, the same for every client. `sid` is the grant: a logout ends it.
    """
    issued = int(now.timestamp())
    claims: dict[str, object] = {
        "iss": issuer,
        "sub": grant.account,
        "aud": grant.client_id,
        "iat": issued,
        "nbf": issued,
        "exp": issued + int(LIFETIME.total_seconds()),
        "auth_time": int(grant.auth_time.timestamp()),
        "acr": grant.acr,
        "amr": list(grant.amr),
        "at_hash": half_hash(access_token),
        "sid": grant.grant_id,
        "jti": jti,
    }
    return claims if grant.nonce is None else {**claims, "nonce": grant.nonce}


def half_hash(token: str) -> str:
    """Return the left half of a token's SHA-256, in base64url (OpenID Connect Core, 3.1.3.6, for ES256)."""
    return urlsafe_b64encode(sha256(token.encode("ascii")).digest()[:16]).rstrip(b"=").decode()


def discovery(issuer: str, *, levels: Sequence[str]) -> dict[str, object]:
    """Return the provider's metadata (OpenID Connect Discovery, 3): all that is there, and that the rest is not.

    Args:
        issuer: the service's address, as in its tokens.
        levels: every `acr` there is.
    """
    root = issuer.rstrip("/")
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{root}/oauth2/authorize",
        "token_endpoint": f"{root}/oauth2/token",
        "userinfo_endpoint": f"{root}/oauth2/userinfo",
        "revocation_endpoint": f"{root}/oauth2/revoke",
        "end_session_endpoint": f"{root}/oauth2/logout",
        "jwks_uri": f"{root}/oauth2/jwks",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "acr_values_supported": list(levels),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "claims_supported": list(CLAIMS),
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }


def wanted_levels(asked: Mapping[str, str], levels: Sequence[str]) -> tuple[str, ...]:
    """Return those of our levels that a request's `acr_values` name; empty if it names none of ours.

    A value that is not ours asks for nothing: `acr_values` is a wish (OpenID Connect Core, 3.1.2.1).
    """
    named = asked.get("acr_values", "").split()
    return tuple(one for one in named if one in levels)
