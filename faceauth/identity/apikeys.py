"""API keys: who calls, for which tenant, in which role.

A key is 256 random bits, so its SHA-256 is enough to keep: there is nothing to guess offline, and a slow hash
would only slow the callers.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from sqlalchemy import Connection, Row, insert, select, update

from faceauth.bearer import digest_of
from faceauth.clock import Clock
from faceauth.db.schema import api_keys, tenants
from faceauth.errors import InvalidRequest, NotAuthenticated, UnknownApiKey

Role = Literal["application", "operator", "privacy", "auditor"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

PREFIX: Final = "fa_"
"""How a key begins, so that people and secret scanners know one when they see it."""

SECRET_BYTES: Final = 32
"""Random bytes in a key: 256 bits, where 160 were asked for."""

LABEL_LENGTH: Final = 200

LONGEST_OVERLAP: Final = timedelta(days=30)
"""How long two keys may stand for one caller (own figure): longer than that nobody is changing over."""


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key; `secret` is shown this once and kept nowhere."""

    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller who was checked: the holder of a key, or who signed in to the console through an OpenID provider.

    `key_id` is then a mark of who that is there.
    """

    key_id: str
    tenant: str
    role: Role
    kind: Literal["apikey", "openid"] = "apikey"

    @property
    def actor(self) -> str:
        """How the audit log names a caller."""
        return f"{self.kind}:{self.key_id}"


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be told about a key."""

    key_id: str
    tenant: str
    role: Role
    label: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class ApiKeys:
    """The keys' rows. Every method works in the caller's transaction.

    Args:
        clock: Returns the time now.
        random: Returns that many random bytes, fit for secrets.
    """

    def __init__(self, clock: Clock, random: Callable[[int], bytes]) -> None:
        self._clock = clock
        self._random = random

    def create(
        self, conn: Connection, *, tenant: str, role: Role, label: str = "", expires_at: datetime | None = None
    ) -> CreatedKey:
        """Make a key and return it with its secret; only the secret's digest is stored.

        Raises:
            InvalidRequest: the tenant or role is unknown, the label too long, or the expiry in the past.
        """
        now = self._clock()
        if role not in ROLES:
            raise InvalidRequest(f"There is no role {role!r}. Use one of: {', '.join(ROLES)}.")
        if len(label) > LABEL_LENGTH:
            raise InvalidRequest(f"A label may have {LABEL_LENGTH} characters.")
        if expires_at is not None and expires_at <= now:
            raise InvalidRequest("The key would expire before it is made.")
        if conn.execute(select(tenants).where(tenants.c.tenant == tenant)).first() is None:
            raise InvalidRequest(f"There is no tenant {tenant!r}. Run faceauth init.")
        key_id = "key_" + self._random(8).hex()
        secret = PREFIX + urlsafe_b64encode(self._random(SECRET_BYTES)).rstrip(b"=").decode()
        conn.execute(
            insert(api_keys).values(
                key_id=key_id,
                tenant=tenant,
                role=role,
                label=label,
                digest=digest_of(secret),
                created_at=now,
                expires_at=expires_at,
            )
        )
        return CreatedKey(key_id=key_id, secret=secret)

    def authenticate(self, conn: Connection, secret: str) -> Caller:
        """Return who holds this key.

        Raises:
            NotAuthenticated: the key is unknown, expired or revoked; all three look the same.
        """
        # Looked up by its digest: nothing an attacker sends is compared byte by byte with a stored secret.
        row = conn.execute(select(api_keys).where(api_keys.c.digest == digest_of(secret))).one_or_none()
        if row is None or row.revoked_at is not None or (row.expires_at and row.expires_at <= self._clock()):
            raise NotAuthenticated("This API key is not valid. Make one with: faceauth apikey create")
        return Caller(key_id=row.key_id, tenant=row.tenant, role=row.role)

    def holder(self, conn: Connection, key_id: str) -> Caller:
        """Return the caller of a key that was shown before and still holds.

        Raises:
            NotAuthenticated: it is unknown, expired or revoked by now.
        """
        row = conn.execute(select(api_keys).where(api_keys.c.key_id == key_id)).one_or_none()
        if row is None or row.revoked_at is not None or (row.expires_at and row.expires_at <= self._clock()):
            raise NotAuthenticated("The key that signed in is not valid any more.")
        return Caller(key_id=row.key_id, tenant=row.tenant, role=row.role)

    def list(self, conn: Connection, tenant: str) -> tuple[KeyInfo, ...]:
        """Return a tenant's keys, the oldest first, the revoked ones too."""
        rows = conn.execute(
            select(api_keys).where(api_keys.c.tenant == tenant).order_by(api_keys.c.created_at, api_keys.c.key_id)
        )
        return tuple(_told(row) for row in rows)

    def rotate(self, conn: Connection, key_id: str, *, overlap: timedelta) -> tuple[CreatedKey, KeyInfo]:
        """Make a key to take another's place, and let the old one end once callers had time to change over.

        The new key has the old one's tenant, role and label, and lives as long as that was made to live.

        Args:
            conn: The transaction.
            key_id: The old key.
            overlap: How long both work; zero ends the old one now. It never lives longer than it would have.

        Returns:
            The new key with its secret, and the old one as it stands now.

        Raises:
            UnknownApiKey: there is no such key.
            InvalidRequest: it opens nothing any more, or the overlap is negative or longer than `LONGEST_OVERLAP`.
        """
        now, old = self._clock(), self._info(conn, key_id)
        if not timedelta() <= overlap <= LONGEST_OVERLAP:
            raise InvalidRequest(f"The overlap may last from nothing to {LONGEST_OVERLAP.days} days.")
        if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= now):
            raise InvalidRequest(f"{key_id} opens nothing any more. Make a new one: faceauth apikey create")
        expires_at = None if old.expires_at is None else now + (old.expires_at - old.created_at)
        made = self.create(conn, tenant=old.tenant, role=old.role, label=old.label, expires_at=expires_at)
        ends = now + overlap if old.expires_at is None else min(old.expires_at, now + overlap)
        conn.execute(update(api_keys).where(api_keys.c.key_id == key_id).values(expires_at=ends))
        return made, self._info(conn, key_id)

    def revoke(self, conn: Connection, key_id: str) -> Caller:
        """Make a key worthless from now on and return whose it was; doing it again changes nothing.

        Raises:
            UnknownApiKey: there is no such key.
        """
        found = self._info(conn, key_id)
        conn.execute(
            update(api_keys)
            .where(api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None))
            .values(revoked_at=self._clock())
        )
        return Caller(key_id=found.key_id, tenant=found.tenant, role=found.role)

    def _info(self, conn: Connection, key_id: str) -> KeyInfo:
        row = conn.execute(select(api_keys).where(api_keys.c.key_id == key_id)).one_or_none()
        if row is None:
            raise UnknownApiKey(f"There is no API key {key_id!r}. See: faceauth apikey list")
        return _told(row)


def _told(row: Row[tuple[object, ...]]) -> KeyInfo:
    return KeyInfo(
        key_id=row.key_id,
        tenant=row.tenant,
        role=row.role,
        label=row.label,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
