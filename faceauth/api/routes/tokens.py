"""Tokens of accepted logins: do they still hold, and let them hold no more."""

from fastapi import APIRouter

from faceauth.api.access import Application, Here, actor
from faceauth.api.wire.tokens import IntrospectAnswer, IntrospectRequest, RevokedAnswer, TokenRequest
from faceauth.introspection import Introspection

router = APIRouter(prefix="/v1/tokens", tags=["tokens"])


@router.post("/introspect", response_model_exclude_none=True)
def introspect(here: Here, caller: Application, body: IntrospectRequest) -> IntrospectAnswer:
    """Say whether a token holds now: signed, in time, not revoked, and its consent not withdrawn since."""
    claims = Introspection.of(here).introspect(body.token, tenant=caller.tenant, once=body.once)
    return IntrospectAnswer.of(claims, issuer=here.settings.issuer)


@router.post("/revoke")
def revoke(here: Here, caller: Application, body: TokenRequest) -> RevokedAnswer:
    """End a token before its time; one that is none, or is over, is no error."""
    Introspection.of(here).revoke(body.token, tenant=caller.tenant, actor=actor(caller))
    return RevokedAnswer()
