"""What an accepted session may be told of to a client, and for how long: as long as the consent it leans on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Error
from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.capture.session import CaptureSession
from faceauth.clock import Clock
from faceauth.consent.gate import ConsentGate
from faceauth.errors import ConsentError, SignatureInvalid, UnknownScenario
from faceauth.identity.methods import FACE, LEVELS, methods_of, reaches
from faceauth.installation import Installation
from faceauth.oidc.asking import LoginRequest
from faceauth.oidc.claims import id_token_claims, wanted_levels
from faceauth.oidc.clients import OPENID, Client, ClientStore
from faceauth.oidc.grants import Grant, Grants
from faceauth.oidc.server import Hooks, Provider
from faceauth.settings import Settings
from faceauth.signing import TOKEN, Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Granting:
    """Makes grants of accepted sessions, and holds each against the consent whenever it is used."""

    clients: ClientStore
    grants: Grants
    gate: ConsentGate
    signer: Signer
    audit: AuditLog
    settings: Settings
    clock: Clock
    random: Callable[[int], bytes]

    @classmethod
    def of(cls, installation: Installation) -> "Granting":
        """Return it for an opened installation."""
        settings, clock, random = installation.settings, installation.clock, installation.desk.random
        return cls(
            clients=ClientStore(clock, random),
            grants=Grants(clock, random, settings.openid),
            gate=installation.desk.gate,
            signer=installation.signer,
            audit=installation.audit,
            settings=settings,
            clock=clock,
            random=random,
        )

    def server(self, conn: Connection) -> Provider:
        """Return Authlib's server for one transaction."""
        return Provider(
            conn,
            self.clients,
            self.grants,
            Hooks(stands=self.stands, id_token=self._id_token, reused=self._reused, ended=self.ended),
            issuer=self.settings.issuer,
            token_s=self.settings.openid.token_s,
        )

    def start(
        self, conn: Connection, client: Client, request: LoginRequest, session: CaptureSession
    ) -> Grant | None:
        """Write down what an accepted session grants; None if it was not accepted, or the consent is gone.

        Raises:
            OAuth2Error: the client asked for levels of ours, and none was reached.
        """
        account, decided = session.matched_account, session.decided_at
        if session.state != "accepted" or session.purpose == "enrol" or account is None or decided is None:
            return None
        methods = methods_of(session.device_strength)
        wanted = wanted_levels(request.asked, LEVELS)
        if wanted and not any(reaches(methods.acr, one) for one in wanted):
            raise OAuth2Error("The level asked for was not reached.", error="unmet_authentication_requirements")
        try:
            consent = self.gate.ask(conn, tenant=client.tenant, account=account, scenario=session.scenario)
            self.gate.confirm(conn, consent)
        except (ConsentError, UnknownScenario):
            return None
        if consent.granted_at > decided:
            return None  # withdrawn and given again meanwhile: the login was under the old one
        grant = self.grants.start(
            conn,
            client=client,
            account=account,
            scenario=session.scenario,
            consent_id=consent.consent_id,
            scope=client.get_allowed_scope(request.asked.get("scope")) or OPENID,
            nonce=request.asked.get("nonce"),
            auth_time=decided,
            acr=methods.acr,
            amr=methods.amr,
        )
        self._record(conn, Event.LOGIN_TOLD, grant, actor=f"client:{client.client_id}")
        return grant

    def stands(self, conn: Connection, grant: Grant, *, hold: bool = True) -> bool:
        """Say whether the consent that a grant leans on still counts; `hold` it until the transaction ends."""
        try:
            consent = self.gate.ask(conn, tenant=grant.tenant, account=grant.account, scenario=grant.scenario)
            if hold:
                self.gate.confirm(conn, consent)
        except (ConsentError, UnknownScenario):
            return False
        return consent.consent_id == grant.consent_id

    def _id_token(self, grant: Grant, access_token: str) -> str:
        claims = id_token_claims(
            grant,
            issuer=self.settings.issuer,
            access_token=access_token,
            jti=f"ot_{self.random(16).hex()}",
            now=self.clock(),
        )
        return self.signer.sign(claims, typ=TOKEN)

    def hinted(self, token: str | None) -> dict[str, Any] | None:
        """Return the claims of an ID Token of ours, however old: it only says whom a request is about."""
        if token is None:
            return None
        try:
            claims = self.signer.check(token, expected_typ=TOKEN)
        except SignatureInvalid:
            return None
        texts = all(isinstance(claims.get(name), str) for name in ("aud", "sub"))
        return claims if claims.get("iss") == self.settings.issuer and texts else None

    def _reused(self, conn: Connection, grant: Grant) -> None:
        self._record(conn, Event.LOGIN_REUSED, grant, actor="system")

    def ended(self, conn: Connection, grant: Grant) -> None:
        """Record that a client, or the person by it, ended a login."""
        self._record(conn, Event.LOGIN_ENDED, grant, actor=f"client:{grant.client_id}")

    def _record(self, conn: Connection, event: Event, grant: Grant, *, actor: str) -> None:
        self.audit.append(
            conn,
            event,
            tenant=grant.tenant,
            account=grant.account,
            actor=actor,
            details={"scenario": grant.scenario, "client_id": grant.client_id},
        )


def needs_device(request: LoginRequest) -> bool:
    """Say whether a face alone will not do for a login: its client named levels, and each wants a device key."""
    wanted = wanted_levels(request.asked, LEVELS)
    return bool(wanted) and not any(reaches(FACE, one) for one in wanted)
