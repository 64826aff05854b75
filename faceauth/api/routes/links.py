"""Accounts that people have elsewhere, as the application tells them."""

from fastapi import APIRouter

from faceauth.api.access import Application, Here, actor
from faceauth.api.wire.base import Name
from faceauth.api.wire.openid import LinkAnswer, LinkRequest, LinksAnswer, Provider
from faceauth.errors import UnknownLink
from faceauth.linking import Linking

router = APIRouter(prefix="/v1/accounts/{account_id}/links", tags=["links"])


@router.get("")
def list_links(here: Here, caller: Application, account_id: Name) -> LinksAnswer:
    """The person's accounts elsewhere."""
    found = Linking.of(here).list(tenant=caller.tenant, account=account_id)
    return LinksAnswer(links=[LinkAnswer.of(one) for one in found])


@router.get("/{provider}")
def read_link(here: Here, caller: Application, account_id: Name, provider: Provider) -> LinkAnswer:
    """The person's account at one provider."""
    for one in Linking.of(here).list(tenant=caller.tenant, account=account_id):
        if one.provider == provider:
            return LinkAnswer.of(one)
    raise UnknownLink("This account is not linked to that provider.")


@router.put("/{provider}")
def link(here: Here, caller: Application, account_id: Name, provider: Provider, body: LinkRequest) -> LinkAnswer:
    """Link an account elsewhere, which the application has found to be this person's. One there is one here."""
    found = Linking.of(here).link(
        tenant=caller.tenant, account=account_id, provider=provider, subject=body.subject, actor=actor(caller)
    )
    return LinkAnswer.of(found)


@router.delete("/{provider}")
def unlink(here: Here, caller: Application, account_id: Name, provider: Provider) -> LinksAnswer:
    """Take a link away, and answer those that are left; nothing else of the person changes."""
    Linking.of(here).unlink(tenant=caller.tenant, account=account_id, provider=provider, actor=actor(caller))
    return list_links(here, caller, account_id)
