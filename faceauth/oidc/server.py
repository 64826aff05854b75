"""Authlib's authorization server over our rows: one code flow, PKCE with S256, and nothing else.

Authlib checks requests in the order the specifications ask for and words the errors; what is kept, and for whom,
is ours. A server is made for one transaction, and everything that it writes is that transaction's.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidGrantError, InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6749.util import extract_basic_authorization
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7636.challenge import compare_s256_code_challenge
from authlib.oidc.core.grants import OpenIDCode
from sqlalchemy import Connection

from faceauth.oidc.claims import AUTH_METHODS
from faceauth.oidc.clients import Client, ClientStore
from faceauth.oidc.grants import Grant, Grants, PresentedCode, PresentedToken

NONCE_LENGTH: Final = 500
"""Characters of a nonce that is carried into the token (own figure)."""

_WORD: Final = re.compile(r"[a-z_]+( [a-z_]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """What came over HTTP: each parameter once, and the Authorization header if there was one."""

    method: str
    parameters: Mapping[str, str]
    authorization: str | None = field(default=None, repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The headers that Authlib reads; without credentials that are no text, at which it would stumble."""
        told = {} if self.authorization is None else {"Authorization": self.authorization}
        try:
            extract_basic_authorization(told)
        except ValueError:
            return {}
        return told

    @property
    def named_client(self) -> str | None:
        """The client that a request says it comes from, unproven; in the header first, as Authlib reads it."""
        in_header, _ = extract_basic_authorization(self.headers)
        return in_header or self.parameters.get("client_id")


@dataclass(frozen=True, slots=True)
class Answered:
    """What goes back: a status, a JSON object or nothing, and headers. `location` is where a browser is sent."""

    status: int
    body: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    @property
    def location(self) -> str | None:
        """Where a browser is sent, if it is."""
        return self.headers.get("Location")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What the server leaves to whoever composes it.

    `stands` says, for the rest of the transaction, whether the consent that a grant leans on still counts;
    `id_token` signs; `reused` is told of a grant whose code or refresh token was brought twice, `ended` of one
    that its client gave back.
    """

    stands: Callable[[Connection, Grant], bool]
    id_token: Callable[[Grant, str], str]
    reused: Callable[[Connection, Grant], None]
    ended: Callable[[Connection, Grant], None]


class Provider(AuthorizationServer):
    """The server for one transaction."""

    def __init__(
        self,
        conn: Connection,
        clients: ClientStore,
        grants: Grants,
        hooks: Hooks,
        *,
        issuer: str,
        token_s: int,
    ) -> None:
        super().__init__()
        self.issuer = issuer
        self.conn = conn
        self.clients = clients
        self.grants = grants
        self.hooks = hooks
        self.token_s = token_s
        self.register_grant(_Code, [_S256(), _IdToken()])
        self.register_grant(_Refresh)
        self.register_endpoint(_Revocation)

    def query_client(self, client_id: str) -> Client | None:
        """Return the client of this id, or None."""
        return self.clients.get(self.conn, client_id)

    def generate_token(self, *, user: Grant, scope: str, **_: object) -> dict[str, Any]:
        """Return the tokens of a grant, kept already: for access, and for refreshing if that was granted."""
        token = {
            "token_type": "Bearer",
            "access_token": self.grants.issue(self.conn, user, "access", scope),
            "expires_in": self.token_s,
            "scope": scope,
        }
        if user.offline:
            token["refresh_token"] = self.grants.issue(self.conn, user, "refresh", user.scope)
        return token

    def save_token(self, token: Mapping[str, Any], request: OAuth2Request) -> None:
        """Do nothing: `generate_token` kept them."""

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Do nothing: nobody listens."""

    def create_oauth2_request(self, request: Any) -> Any:
        """Return what came over HTTP as Authlib reads it."""
        return request if isinstance(request, OAuth2Request) else _Request(request)

    def handle_response(self, status: int, body: Any, headers: Any) -> Answered:
        """Return the answer, for whoever speaks HTTP; a browser that is sent away takes along who sent it.

        Only answers to authorization requests send a browser anywhere, and those carry `iss` (RFC 9207).
        """
        told = dict(headers)
        if "Location" in told:
            told["Location"] = add_params_to_uri(told["Location"], [("iss", self.issuer)])
        return Answered(status, body if isinstance(body, dict) else dict(body or ()), told)

    def reuse(self, grant: Grant) -> None:
        """End a grant of which something was brought twice: somebody has what is not theirs (RFC 9700, 4.14)."""
        self.hooks.reused(self.conn, grant)
        self.grants.end(self.conn, grant.grant_id)


class _Request(OAuth2Request):
    """One request. How it came, by TLS or not, is the matter of whoever serves; Authlib is told https."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked.method, "https://here/", headers=asked.headers)
        told = dict(asked.parameters)
        for name in ("response_type", "grant_type"):
            # Authlib quotes these in an error's description, which may hold few characters.
            if name in told and not _WORD.fullmatch(told[name]):
                told[name] = "unsupported"
        self.payload = BasicOAuth2Payload(told)

    @property
    def form(self) -> dict[str, str]:
        """The parameters; the endpoints that ask for them take no others than those of a form."""
        parameters: dict[str, str] = self.payload.data
        return parameters


class _Code(AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS: Final = list(AUTH_METHODS)

    @staticmethod
    def validate_authorization_redirect_uri(request: OAuth2Request, client: Client) -> str:
        """Return the address if it is the client's; errors do not repeat it."""
        uri = request.payload.redirect_uri
        if not uri or not client.check_redirect_uri(uri):
            raise InvalidRequestError("The redirect_uri is not one of this client.")
        return str(uri)

    def generate_authorization_code(self) -> str:
        """Return a code that is kept already."""
        server, asked = self.server, self.request.payload
        code: str = server.grants.add_code(
            server.conn,
            self.request.user,
            redirect_uri=asked.redirect_uri,
            code_challenge=asked.data["code_challenge"],
        )
        return code

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        """Do nothing: `generate_authorization_code` kept it."""

    def query_authorization_code(self, code: str, client: Client) -> PresentedCode | None:
        """Use the code up; None if it is worthless, and then so is what an earlier use of it brought."""
        server = self.server
        presented: PresentedCode | None = server.grants.use_code(server.conn, code, client)
        if presented is None:
            return None
        if presented.reused:
            server.reuse(presented.grant)
            return None
        if presented.late or not server.hooks.stands(server.conn, presented.grant):
            return None
        return presented

    def delete_authorization_code(self, authorization_code: PresentedCode) -> None:
        """Do nothing: a used code stays, so that its second use is noticed."""

    def authenticate_user(self, authorization_code: PresentedCode) -> Grant:
        """Return what the code stands for."""
        return authorization_code.grant


class _S256(CodeChallenge):
    """PKCE for every client, with S256 (RFC 9700, 2.1.1)."""

    DEFAULT_CODE_CHALLENGE_METHOD: Final = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD: Final = ["S256"]
    CODE_CHALLENGE_METHODS: Final = {"S256": compare_s256_code_challenge}

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Refuse a request without a challenge, or with another method: what is left out means plain."""
        asked = grant.request.payload.data
        if not asked.get("code_challenge") or asked.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE is required: a code_challenge, with code_challenge_method=S256.")
        super().validate_code_challenge(grant, redirect_uri)


class _IdToken(OpenIDCode):
    """The ID Token beside the access token, signed by the installation's own signer."""

    def validate_openid_authorization_request(self, grant: Any, redirect_uri: str) -> None:  # noqa: ARG002  Authlib's
        """A public client needs a nonce: it alone ties the token to the request that its page began."""
        nonce = grant.request.payload.data.get("nonce")
        if not nonce and grant.request.client.public:
            raise InvalidRequestError("A public client sends a nonce.")
        if nonce and len(nonce) > NONCE_LENGTH:
            raise InvalidRequestError("The nonce is too long.")

    def process_token(self, grant: Any, response: Any) -> None:
        """Put the ID Token beside the access token."""
        token = response[1]
        token["id_token"] = grant.server.hooks.id_token(grant.request.user, token["access_token"])


class _Refresh(RefreshTokenGrant):
    """A refresh token is good once, and brings the next one. No ID Token: a refresh shows no face."""

    TOKEN_ENDPOINT_AUTH_METHODS: Final = list(AUTH_METHODS)
    INCLUDE_NEW_REFRESH_TOKEN: Final = True

    def authenticate_refresh_token(self, refresh_token: str) -> PresentedToken | None:
        """Return what the token stands for; None if it is worthless."""
        server = self.server
        held: PresentedToken | None = server.grants.find(server.conn, refresh_token)
        if held is None or held.kind != "refresh" or not held.check_client(self.request.client):
            return None
        if held.spent:
            server.reuse(held.grant)
            return None
        return held if server.hooks.stands(server.conn, held.grant) else None

    def issue_token(self, user: Grant, refresh_token: PresentedToken) -> Any:
        """Use the token up before there is another: of two that bring it at once, one brings it twice."""
        if not self.server.grants.spend(self.server.conn, refresh_token):
            self.server.reuse(refresh_token.grant)
            raise InvalidGrantError
        return super().issue_token(user, refresh_token)

    def authenticate_user(self, refresh_token: PresentedToken) -> Grant:
        """Return what the token stands for."""
        return refresh_token.grant

    def revoke_old_credential(self, refresh_token: PresentedToken) -> None:
        """Do nothing: `issue_token` used it up."""


class _Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS: Final = list(AUTH_METHODS)

    def query_token(self, token_string: str, token_type_hint: str | None) -> PresentedToken | None:  # noqa: ARG002  Authlib's
        """Return what the token stands for, or None; the hint would only save a look."""
        held: PresentedToken | None = self.server.grants.find(self.server.conn, token_string)
        return held

    def revoke_token(self, token: PresentedToken, request: OAuth2Request) -> None:  # noqa: ARG002  Authlib's
        """Make it worthless."""
        if token.kind == "refresh":
            self.server.hooks.ended(self.server.conn, token.grant)
        self.server.grants.revoke(self.server.conn, token)
