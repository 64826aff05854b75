"""Accounts elsewhere, linked and unlinked at the application's word, each act audited in its transaction."""

from dataclasses import dataclass

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.consent.accounts import AccountStore
from faceauth.db.engine import Database
from faceauth.installation import Installation
from faceauth.oidc.links import Link, LinkStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking:
    """Links and unlinks. Who the person is there, the application has found out; this only keeps it."""

    data: Database
    accounts: AccountStore
    links: LinkStore
    audit: AuditLog

    @classmethod
    def of(cls, installation: Installation) -> "Linking":
        """Return it for an opened installation."""
        return cls(
            data=installation.data,
            accounts=installation.accounts,
            links=LinkStore(installation.clock),
            audit=installation.audit,
        )

    def link(self, *, tenant: str, account: str, provider: str, subject: str, actor: str) -> Link:
        """Link an account elsewhere to one here; doing it again changes nothing.

        Raises:
            UnknownAccount: there is none of that name.
            InvalidRequest: the provider or the subject is malformed.
            AlreadyExists: that account is linked to somebody here, or this one to another account there.
        """
        with self.data.begin() as conn:
            self.accounts.get(conn, tenant, account)
            found, new = self.links.link(conn, tenant=tenant, account=account, provider=provider, subject=subject)
            if new:
                self.audit.append(
                    conn,
                    Event.LINK_ADDED,
                    tenant=tenant,
                    account=account,
                    actor=actor,
                    details={"kind": provider},
                )
        return found

    def list(self, *, tenant: str, account: str) -> tuple[Link, ...]:
        """Return an account's links.

        Raises:
            UnknownAccount: there is none of that name.
        """
        with self.data.read() as conn:
            self.accounts.get(conn, tenant, account)
            return self.links.list(conn, tenant, account)

    def unlink(self, *, tenant: str, account: str, provider: str, actor: str) -> None:
        """Take a link away.

        Raises:
            UnknownAccount, UnknownLink: there is nothing of that name.
        """
        with self.data.begin() as conn:
            self.accounts.get(conn, tenant, account)
            self.links.unlink(conn, tenant=tenant, account=account, provider=provider)
            self.audit.append(
                conn,
                Event.LINK_REMOVED,
                tenant=tenant,
                account=account,
                actor=actor,
                details={"kind": provider},
            )
