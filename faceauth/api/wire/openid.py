"""The OpenID provider's bodies, and those of its clients and of linked accounts."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, StringConstraints

from faceauth.api.wire.base import Answer, Request, ScenarioName, with_example
from faceauth.oidc.clients import Client
from faceauth.oidc.links import Link

Address = Annotated[str, StringConstraints(min_length=1, max_length=1000)]

Provider = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]

Subject = Annotated[str, StringConstraints(pattern=r"^[ -~]{1,255}$")]


def _config(example: dict[str, Any], *, extra: Literal["forbid", "allow"] = "forbid") -> ConfigDict:
    return ConfigDict(extra=extra, frozen=True, json_schema_extra=with_example(example))


_CLIENT: Final[dict[str, Any]] = {
    "client_id": "oc_5f0c2d8a9b1e4f37",
    "client_secret": "fcs_(64 hexadecimal digits)",
    "name": "The shop",
    "scenario": "login",
    "redirect_uris": ["https://shop.example/callback"],
    "post_logout_redirect_uris": ["https://shop.example/bye"],
    "public": False,
    "native": False,
    "offline": False,
    "created_at": "2026-03-01T10:00:00Z",
    "revoked_at": None,
}


class ClientRequest(Request):
    """A relying party to be registered. A public or native one has no secret; `offline` lets it refresh."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    scenario: ScenarioName = "login"
    redirect_uris: Annotated[list[Address], Field(min_length=1, max_length=20)]
    post_logout_redirect_uris: Annotated[tuple[Address, ...], Field(max_length=20)] = ()
    public: bool = False
    native: bool = False
    offline: bool = False

    model_config = _config(
        {
            "name": "The shop",
            "scenario": "login",
            "redirect_uris": ["https://shop.example/callback"],
            "post_logout_redirect_uris": ["https://shop.example/bye"],
        }
    )


class ClientAnswer(Answer):
    """A relying party as it is registered; `client_secret` is there once, when it was made."""

    client_id: str
    client_secret: str | None = None
    name: str
    scenario: str
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    public: bool
    native: bool
    offline: bool
    created_at: datetime
    revoked_at: datetime | None

    model_config = _config(_CLIENT)

    @classmethod
    def of(cls, client: Client, secret: str | None = None) -> "ClientAnswer":
        """Return what may be told of a client."""
        return cls(
            client_id=client.client_id,
            client_secret=secret,
            name=client.name,
            scenario=client.scenario,
            redirect_uris=list(client.redirect_uris),
            post_logout_redirect_uris=list(client.post_logout_redirect_uris),
            public=client.public,
            native=client.native,
            offline=client.offline,
            created_at=client.created_at,
            revoked_at=client.revoked_at,
        )


class ClientsAnswer(Answer):
    """A tenant's relying parties, the revoked ones too."""

    clients: list[ClientAnswer]

    model_config = _config({"clients": [_CLIENT | {"client_secret": None}]})


class LinkRequest(Request):
    """Who the person is at the provider."""

    subject: Subject

    model_config = _config({"subject": "248289761001"})


class LinkAnswer(Answer):
    """One account elsewhere that belongs to an account here."""

    provider: str
    subject: str
    linked_at: datetime

    model_config = _config({"provider": "wallet", "subject": "248289761001", "linked_at": "2026-03-01T10:00:00Z"})

    @classmethod
    def of(cls, link: Link) -> "LinkAnswer":
        """Return what the application told."""
        return cls(provider=link.provider, subject=link.subject, linked_at=link.linked_at)


class LinksAnswer(Answer):
    """An account's links."""

    links: list[LinkAnswer]

    model_config = _config(
        {"links": [{"provider": "wallet", "subject": "248289761001", "linked_at": "2026-03-01T10:00:00Z"}]}
    )


class TokenAnswer(Answer):
    """What a code or a refresh token brings."""

    token_type: Literal["Bearer"]
    access_token: str
    expires_in: int
    scope: str
    id_token: str | None = None
    refresh_token: str | None = None

    model_config = _config(
        {
            "token_type": "Bearer",
            "access_token": "foa_(64 hexadecimal digits)",
            "expires_in": 300,
            "scope": "openid",
            "id_token": "eyJhbGciOiJFUzI1NiIs….eyJpc3MiOiJodHRwczov….MEUCIQ…",
        }
    )


class OAuthError(Answer):
    """An error as OAuth words it (RFC 6749, 5.2)."""

    error: str
    error_description: str | None = None

    model_config = _config({"error": "invalid_grant", "error_description": "Invalid 'code' in request."})


class UserinfoAnswer(Answer):
    """Who the person is: the account."""

    sub: str

    model_config = _config({"sub": "anna"})


class DiscoveryAnswer(Answer):
    """The provider's metadata (OpenID Connect Discovery, 3)."""

    issuer: str

    model_config = _config(
        {"issuer": "https://face.example", "token_endpoint": "https://face.example/oauth2/token"}, extra="allow"
    )
