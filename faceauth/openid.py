"""The OpenID provider: from a client's request over the camera to a code, and from the code to tokens.

There is no login that is remembered: every request is answered by a face, now. So `prompt=none` never works, and
`max_age` always holds. A person whose account is unknown, locked or without consent goes the same way as everybody
else and is denied at its end (R25).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error
from authlib.oidc.core.errors import (
    RegistrationNotSupportedError,
    RequestNotSupportedError,
    RequestURINotSupportedError,
)
from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.capture.session import CaptureSession
from faceauth.clock import Clock
from faceauth.consent.names import is_account
from faceauth.consent.scenarios import Scenario, ScenarioStore
from faceauth.db.engine import Database
from faceauth.errors import Locked, NotAuthenticated, UnknownScenario, UnknownSession
from faceauth.granting import Granting, needs_device
from faceauth.identity.limits import LIMITS
from faceauth.identity.methods import LEVELS
from faceauth.identity.places import Client as Place
from faceauth.identity.rates import Rates, What
from faceauth.installation import Installation
from faceauth.oidc.asking import LoginRequest, LoginRequests
from faceauth.oidc.claims import discovery
from faceauth.oidc.clients import OPENID, Client, ClientStore
from faceauth.oidc.grants import Grants
from faceauth.oidc.server import Answered, Asked
from faceauth.sessions import SessionDesk
from faceauth.settings import Settings

NOT_TAKEN: Final[Mapping[str, type[OAuth2Error]]] = {
    "request": RequestNotSupportedError,
    "request_uri": RequestURINotSupportedError,
    "registration": RegistrationNotSupportedError,
}
"""Parameters that a provider may refuse, and how (OpenID Connect Core, 3.1.2.6)."""


BUSY: Final = Answered(
    429,
    {"error": "temporarily_unavailable", "error_description": "Too many requests. Try again in a minute."},
    {"Retry-After": "60"},
)
"""RFC 6585, 4; the error's name is that of RFC 6749, 4.1.2.1."""


@dataclass(frozen=True, slots=True)
class Away:
    """Send the browser there."""

    location: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ask:
    """Show a page that names the client, and asks for the account's name if nobody told it."""

    request_id: str
    client: str
    name_needed: bool


@dataclass(frozen=True, slots=True)
class Capture:
    """Send the browser before the camera, and from there to the end of this request."""

    session_id: str
    client_token: str = field(repr=False)
    request_id: str


@dataclass(frozen=True, slots=True)
class Told:
    """Show a page; the browser is sent nowhere.

    `why` is ``client``, ``request``, ``gone`` or ``busy`` where something is wrong, else ``logged_out`` or
    ``nothing``.
    """

    why: str


Step = Away | Ask | Capture | Told


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenId:
    """The provider's endpoints, without HTTP."""

    data: Database
    clients: ClientStore
    requests: LoginRequests
    grants: Grants
    scenarios: ScenarioStore
    granting: Granting
    desk: SessionDesk
    audit: AuditLog
    rates: Rates
    settings: Settings
    clock: Clock

    @classmethod
    def of(cls, installation: Installation) -> "OpenId":
        """Return the provider of an opened installation."""
        settings, clock, random = installation.settings, installation.clock, installation.desk.random
        granting = Granting.of(installation)
        return cls(
            data=installation.data,
            clients=granting.clients,
            requests=LoginRequests(clock, random, timedelta(seconds=settings.openid.login_s)),
            grants=granting.grants,
            scenarios=installation.scenarios,
            granting=granting,
            desk=installation.desk,
            audit=installation.audit,
            rates=Rates(
                clock,
                installation.keyring.replay_key,
                LIMITS[settings.attempts.profile].requests,
                installation.desk.places,
            ),
            settings=settings,
            clock=clock,
        )

    # --- the browser's way --------------------------------------------------------------------------------------

    def authorize(self, parameters: Mapping[str, str], browser: str, address: str | None = None) -> Step:
        """Check a client's request and begin the login, bound to this browser.

        What is wrong is told to the client only at an address that it registered; else it is told here. `address`
        is where the connection comes from: too many requests from there, or in a client's name, begin nothing.
        """
        if not self._admits("authorize", parameters.get("client_id"), address):
            return Told("busy")
        with self.data.begin() as conn:
            server = self.granting.server(conn)
            asked = server.create_oauth2_request(Asked("GET", parameters))
            try:
                redirect_uri = server.get_consent_grant(asked).redirect_uri
                hint = self._hint(parameters, redirect_uri, asked.client)
                scenario = self._scenario(conn, asked.client, redirect_uri)
            except OAuth2Error as error:
                error.state = parameters.get("state")
                return _sent(server.handle_error_response(asked, error))
            client: Client = asked.client
            prompts = parameters.get("prompt", "").split()
            name_needed = scenario.mode != "identify" and (hint is None or "select_account" in prompts)
            request = self.requests.open(
                conn, client_id=client.client_id, browser=browser, asked=parameters, hint=hint
            )
        if name_needed or "consent" in prompts:
            return Ask(request.request_id, client.name, name_needed)
        return self._capture(client, request, hint, browser)

    def agreed(self, request_id: str, browser: str, account: str | None) -> Step:
        """Go on from the page that asked: with the account that the person named, if one was asked for."""
        with self.data.read() as conn:
            request = self.requests.get(conn, request_id, browser)
            client = None if request is None else self.clients.get(conn, request.client_id)
            if request is None or client is None or request.session_id is not None:
                return Told("gone")
            scenario = self.scenarios.get(conn, client.tenant, client.scenario)
        named = account if account is not None and is_account(account) else request.hint
        if named is None and scenario.mode != "identify":
            return Ask(request_id, client.name, name_needed=True)
        return self._capture(client, request, named, browser)

    def proceed(self, request_id: str, browser: str) -> Step:
        """End a login: send the browser back with a code if its session was accepted, else with a denial.

        One ending per request; a session that is still open is cancelled. Why it was denied is not told here.
        """
        with self.data.read() as conn:
            request = self.requests.get(conn, request_id, browser)
            client = None if request is None else self.clients.get(conn, request.client_id)
        if request is None or client is None:
            return Told("gone")
        session = self._session(client, request)
        with self.data.begin() as conn:
            if not self.requests.take(conn, request):
                return Told("gone")
            server = self.granting.server(conn)
            asked = server.create_oauth2_request(Asked("GET", request.asked))
            try:
                flow = server.get_authorization_grant(asked)
                granted = None if session is None else self.granting.start(conn, client, request, session)
                answered = server.create_authorization_response(asked, grant_user=granted, grant=flow)
            except OAuth2Error as error:
                error.redirect_uri, error.state = request.asked["redirect_uri"], request.asked.get("state")
                answered = server.handle_error_response(asked, error)
        return _sent(answered)

    def logout(self, parameters: Mapping[str, str]) -> Step:
        """End what an ID Token's login gave its client (OpenID Connect RP-Initiated Logout).

        Without a token there is nothing to end: no login is remembered here. The browser goes on only to an
        address that the client registered for it.
        """
        claims = self.granting.hinted(parameters.get("id_token_hint"))
        named = parameters.get("client_id")
        client_id = named if claims is None else str(claims["aud"])
        if named not in {None, client_id} or (claims is None and "id_token_hint" in parameters):
            return Told("request")
        with self.data.begin() as conn:
            client = None if client_id is None else self.clients.get(conn, client_id)
            if client is not None and claims is not None:
                grant = self.grants.get(conn, str(claims.get("sid", "")), client.client_id)
                if grant is not None:
                    self.granting.ended(conn, grant)
                    self.grants.end(conn, grant.grant_id)
        uri = parameters.get("post_logout_redirect_uri")
        if uri is None:
            return Told("nothing" if claims is None else "logged_out")
        if client is None or not client.check_post_logout_uri(uri):
            return Told("request")
        return Away(_with_state(uri, parameters.get("state")))

    # --- the client's way ---------------------------------------------------------------------------------------

    def discovery(self) -> dict[str, object]:
        """Return what the provider can do."""
        return discovery(self.settings.issuer, levels=LEVELS)

    def token(self, asked: Asked, address: str | None = None) -> Answered:
        """Answer a request for tokens: a code or a refresh token for new ones; `address` as in `authorize`."""
        if not self._admits("token", asked.named_client, address):
            return BUSY
        with self.data.begin() as conn:
            answered: Answered = self.granting.server(conn).create_token_response(asked)
        return answered

    def revoke(self, asked: Asked) -> Answered:
        """Make a token of the client's worthless (RFC 7009)."""
        with self.data.begin() as conn:
            answered: Answered = self.granting.server(conn).create_endpoint_response("revocation", asked)
        return answered

    def userinfo(self, access_token: str) -> dict[str, object]:
        """Return what an access token lets its client know: who it is.

        Raises:
            NotAuthenticated: the token is none, its time is over, or the person withdrew.
        """
        with self.data.read() as conn:
            held = self.grants.find(conn, access_token)
            good = held is not None and held.kind == "access" and OPENID in held.scope.split()
            if held is None or not good or not self.granting.stands(conn, held.grant, hold=False):
                raise NotAuthenticated("This access token opens nothing any more. Ask for a new login.")
            return {"sub": held.grant.account}

    def _admits(self, what: What, client_id: str | None, address: str | None) -> bool:
        """Count a request; whoever it names has not been proven, so a client that is none has no count."""
        with self.data.begin() as conn:
            known = client_id is not None and self.clients.get(conn, client_id) is not None
            return self.rates.admit(conn, what, address=address, client_id=client_id if known else None)

    # --- inside -------------------------------------------------------------------------------------------------

    def _hint(self, parameters: Mapping[str, str], redirect_uri: str, client: Client) -> str | None:
        """Check what Authlib leaves to us, and return the account that a request is for if it names one."""
        for name, kind in NOT_TAKEN.items():
            if name in parameters:
                raise kind(redirect_uri=redirect_uri)
        if parameters.get("response_mode", "query") != "query":
            raise InvalidRequestError("The response_mode is not supported.", redirect_uri=redirect_uri)
        age = parameters.get("max_age", "0")
        if not (age.isascii() and age.isdigit()):
            raise InvalidRequestError("The max_age is no number of seconds.", redirect_uri=redirect_uri)
        if "id_token_hint" in parameters:
            claims = self.granting.hinted(parameters["id_token_hint"])
            if claims is None or claims["aud"] != client.client_id:
                raise InvalidRequestError("The id_token_hint is not valid.", redirect_uri=redirect_uri)
            return str(claims["sub"])
        named = parameters.get("login_hint", "")
        return named if is_account(named) else None

    def _scenario(self, conn: Connection, client: Client, redirect_uri: str) -> Scenario:
        try:
            scenario = self.scenarios.get(conn, client.tenant, client.scenario)
        except UnknownScenario:
            scenario = None
        if scenario is None or scenario.state != "active":
            raise OAuth2Error(
                "This client's scenario is over.", redirect_uri=redirect_uri, error="temporarily_unavailable"
            )
        return scenario

    def _capture(self, client: Client, request: LoginRequest, account: str | None, browser: str) -> Step:
        try:
            opened = self.desk.open(
                tenant=client.tenant,
                purpose="identify" if account is None else "verify",
                scenario=client.scenario,
                account=account,
                reauthenticated_at=None,
                actor=f"client:{client.client_id}",
                veiled=account is not None,
                client=Place(device=browser),
                # The hosted page asks for a passkey only where one is needed, as it is for this client.
                ask_device_key=needs_device(request),
            )
        except Locked:
            # A search from a place that tried too often: no account is named, so there is nothing to veil.
            return Away(f"/oauth2/continue/{request.request_id}")
        with self.data.begin() as conn:
            attached = self.requests.attach(conn, request, opened.session_id)
        if attached is None:
            self.desk.cancel(opened.session_id, opened.client_token)
            return Told("gone")
        return Capture(opened.session_id, opened.client_token, request.request_id)

    def _session(self, client: Client, request: LoginRequest) -> CaptureSession | None:
        """Return the session of a login; one that is still open is cancelled, so that nothing comes later."""
        if request.session_id is None:
            return None
        try:
            session = self.desk.view(tenant=client.tenant, session_id=request.session_id).session
        except UnknownSession:
            return None
        if session.state == "open":
            self._cancel(session)
        return session

    def _cancel(self, session: CaptureSession) -> None:
        with self.data.begin() as conn:
            if self.desk.sessions.cancel(conn, session, now=self.clock()):
                self.audit.append(
                    conn,
                    Event.SESSION_CANCELLED,
                    tenant=session.tenant,
                    account=session.account,
                    actor="device",
                    details={"scenario": session.scenario, "purpose": session.purpose},
                )


def _sent(answered: Answered) -> Step:
    if answered.location is not None:
        return Away(answered.location)
    return Told("client" if answered.body.get("error") == "invalid_client" else "request")


def _with_state(uri: str, state: str | None) -> str:
    return uri if state is None else str(add_params_to_uri(uri, [("state", state)]))
