"""The relying parties: who they are, where their people may be sent back to, and what proves them.

A secret is 256 random bits, so its SHA-256 is enough to keep, as with API keys. A public client has none: an app
or a page cannot keep one, and proves by PKCE that it is the one who asked.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, delete, insert, select, update

from faceauth.bearer import digest_of
from faceauth.clock import Clock
from faceauth.db.openid_tables import openid_clients, openid_grants, openid_requests
from faceauth.db.schema import scenarios
from faceauth.errors import InvalidRequest, UnknownClient, UnknownScenario
from faceauth.oidc.redirects import check_addresses, fits

OPENID: Final = "openid"
OFFLINE: Final = "offline_access"
SCOPES: Final = (OPENID, OFFLINE)
"""What can be asked for. Others are left out of what is granted (OpenID Connect Core, 3.1.2.1)."""

NAME_LENGTH: Final = 100


@dataclass(frozen=True, slots=True)
class Client:
    """One relying party of a tenant. Its methods are what Authlib asks of a client."""

    client_id: str
    tenant: str
    name: str
    scenario: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    native: bool
    offline: bool
    created_at: datetime
    revoked_at: datetime | None
    secret_digest: bytes | None = field(repr=False)

    @property
    def public(self) -> bool:
        """Whether it has no secret."""
        return self.secret_digest is None

    def get_client_id(self) -> str:
        """Return its id."""
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        """Return None: every request names its address (OpenID Connect Core, 3.1.2.1)."""

    def check_redirect_uri(self, uri: str) -> bool:
        """Say whether a browser may be sent there with a code or an error."""
        return fits(uri, self.redirect_uris, native=self.native)

    def check_post_logout_uri(self, uri: str) -> bool:
        """Say whether a browser may be sent there after a logout."""
        return fits(uri, self.post_logout_redirect_uris, native=self.native)

    def check_client_secret(self, secret: str) -> bool:
        """Say whether this is its secret, in constant time."""
        return self.secret_digest is not None and hmac.compare_digest(digest_of(secret), self.secret_digest)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002  Authlib's signature
        """Say whether it may prove itself so: a public client not at all, every other by its secret."""
        return (method == "none") == self.public

    def check_response_type(self, response_type: str) -> bool:
        """Say whether it may ask for this: a code and nothing else."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Say whether it may get tokens so."""
        return grant_type == "authorization_code" or (self.offline and grant_type == "refresh_token")

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """Return what it gets of the scopes it asked for; None without `openid`, which every request has."""
        asked = (scope or "").split()
        granted = [one for one in SCOPES if one in asked and (one != OFFLINE or self.offline)]
        return " ".join(granted) if OPENID in granted else None


@dataclass(frozen=True, slots=True)
class CreatedClient:
    """A new client, or one with a new secret; `secret` is shown this once, and None for a public client."""

    client: Client
    secret: str | None = field(repr=False)


class ClientStore:
    """The clients' rows. Every method works in the caller's transaction.

    Args:
        clock: Returns the time now.
        random: Returns that many random bytes, fit for secrets.
    """

    def __init__(self, clock: Clock, random: Callable[[int], bytes]) -> None:
        self._clock = clock
        self._random = random

    def create(
        self,
        conn: Connection,
        *,
        tenant: str,
        name: str,
        scenario: str,
        redirect_uris: Sequence[str],
        post_logout_redirect_uris: Sequence[str] = (),
        public: bool = False,
        native: bool = False,
        offline: bool = False,
    ) -> CreatedClient:
        """Register a client. A native one is public: what is shipped to everybody is no secret (RFC 8252, 8.5).

        Raises:
            InvalidRequest: the name or an address is not acceptable, or there is no address.
            UnknownScenario: this tenant has no such scenario.
        """
        if not name.strip() or len(name) > NAME_LENGTH or not name.isprintable():
            raise InvalidRequest(f"A client's name is one line of at most {NAME_LENGTH} characters.")
        if not redirect_uris:
            raise InvalidRequest("A client needs at least one redirect address.")
        here = (scenarios.c.tenant == tenant, scenarios.c.scenario == scenario)
        if conn.execute(select(scenarios.c.scenario).where(*here)).first() is None:
            raise UnknownScenario(f"There is no scenario {scenario[:64]!r}. GET /v1/scenarios lists them.")
        secret = None if public or native else self._secret()
        client = Client(
            client_id=f"oc_{self._random(8).hex()}",
            tenant=tenant,
            name=name,
            scenario=scenario,
            redirect_uris=check_addresses(redirect_uris, native=native),
            post_logout_redirect_uris=check_addresses(post_logout_redirect_uris, native=native),
            native=native,
            offline=offline,
            created_at=self._clock(),
            revoked_at=None,
            secret_digest=None if secret is None else digest_of(secret),
        )
        values = {column.name: getattr(client, column.name) for column in openid_clients.c}
        lists = {name: list(values[name]) for name in ("redirect_uris", "post_logout_redirect_uris")}
        conn.execute(insert(openid_clients).values(**values | lists))
        return CreatedClient(client, secret)

    def get(self, conn: Connection, client_id: str) -> Client | None:
        """Return a client that is not revoked, or None."""
        row = conn.execute(_one(client_id)).mappings().one_or_none()
        return None if row is None or row["revoked_at"] is not None else _client(row)

    def list(self, conn: Connection, tenant: str) -> tuple[Client, ...]:
        """Return a tenant's clients, the oldest first, the revoked ones too."""
        order = (openid_clients.c.created_at, openid_clients.c.client_id)
        query = select(openid_clients).where(openid_clients.c.tenant == tenant).order_by(*order)
        return tuple(_client(row) for row in conn.execute(query).mappings())

    def rotate(self, conn: Connection, tenant: str, client_id: str) -> CreatedClient:
        """Give a client a new secret; the old one is worthless from now on.

        Raises:
            UnknownClient: this tenant has none of that id, or it is revoked.
            InvalidRequest: it is public.
        """
        client = self._own(conn, tenant, client_id)
        if client.public:
            raise InvalidRequest("A public client has no secret that could be rotated.")
        secret = self._secret()
        conn.execute(
            update(openid_clients)
            .where(openid_clients.c.client_id == client_id)
            .values(secret_digest=digest_of(secret))
        )
        return CreatedClient(client, secret)

    def revoke(self, conn: Connection, tenant: str, client_id: str) -> Client:
        """End a client, the logins it has under way and every token it was given.

        Raises:
            UnknownClient: this tenant has none of that id, or it is revoked already.
        """
        client, now = self._own(conn, tenant, client_id), self._clock()
        for table in (openid_requests, openid_grants):
            conn.execute(delete(table).where(table.c.client_id == client_id))
        conn.execute(
            update(openid_clients)
            .where(openid_clients.c.client_id == client_id)
            .values(revoked_at=now, secret_digest=None)
        )
        return replace(client, revoked_at=now)

    def _own(self, conn: Connection, tenant: str, client_id: str) -> Client:
        client = self.get(conn, client_id)
        if client is None or client.tenant != tenant:
            raise UnknownClient(f"There is no client {client_id[:64]!r}. See: faceauth client list")
        return client

    def _secret(self) -> str:
        return f"fcs_{self._random(32).hex()}"


def _client(row: RowMapping) -> Client:
    values: dict[str, Any] = dict(row)
    lists = {name: tuple(values[name]) for name in ("redirect_uris", "post_logout_redirect_uris")}
    return Client(**values | lists)


def _one(client_id: str) -> Select[Any]:
    return select(openid_clients).where(openid_clients.c.client_id == client_id)
