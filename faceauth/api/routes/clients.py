"""OpenID clients, registered by an operator. There is no dynamic registration."""

from fastapi import APIRouter
from sqlalchemy import Connection

from faceauth.api.access import Here, Operator, actor
from faceauth.api.wire.base import Name
from faceauth.api.wire.openid import ClientAnswer, ClientRequest, ClientsAnswer
from faceauth.audit.events import Event
from faceauth.identity.apikeys import Caller
from faceauth.installation import Installation
from faceauth.openid import OpenId

router = APIRouter(prefix="/v1/admin/clients", tags=["admin"])


@router.get("")
def list_clients(here: Here, caller: Operator) -> ClientsAnswer:
    """The tenant's clients, the revoked ones too; never a secret."""
    with here.data.read() as conn:
        found = OpenId.of(here).clients.list(conn, caller.tenant)
    return ClientsAnswer(clients=[ClientAnswer.of(one) for one in found])


@router.post("", status_code=201)
def create_client(here: Here, caller: Operator, body: ClientRequest) -> ClientAnswer:
    """Register a client. Its secret is in this answer and nowhere else."""
    with here.data.begin() as conn:
        made = OpenId.of(here).clients.create(conn, tenant=caller.tenant, **body.model_dump())
        _record(here, conn, Event.CLIENT_CREATED, caller, made.client.client_id)
    return ClientAnswer.of(made.client, made.secret)


@router.post("/{client_id}/rotate")
def rotate_secret(here: Here, caller: Operator, client_id: Name) -> ClientAnswer:
    """Give a client a new secret; the old one is worthless at once."""
    with here.data.begin() as conn:
        made = OpenId.of(here).clients.rotate(conn, caller.tenant, client_id)
        _record(here, conn, Event.CLIENT_ROTATED, caller, client_id)
    return ClientAnswer.of(made.client, made.secret)


@router.delete("/{client_id}")
def revoke_client(here: Here, caller: Operator, client_id: Name) -> ClientAnswer:
    """End a client, its logins under way and everything it was given."""
    with here.data.begin() as conn:
        client = OpenId.of(here).clients.revoke(conn, caller.tenant, client_id)
        _record(here, conn, Event.CLIENT_REVOKED, caller, client_id)
    return ClientAnswer.of(client)


def _record(here: Installation, conn: Connection, event: Event, caller: Caller, client_id: str) -> None:
    here.audit.append(
        conn, event, tenant=caller.tenant, account=None, actor=actor(caller), details={"client_id": client_id}
    )
