"""What machines ask the service about itself."""

from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import ConfigDict
from starlette.responses import Response

from faceauth.api.access import Here, metrics_of, work_of
from faceauth.api.metrics import CONTENT_TYPE
from faceauth.api.problems import problem_of
from faceauth.api.readiness import check
from faceauth.api.wire.base import Answer, with_example
from faceauth.errors import FaceauthError

router = APIRouter(tags=["service"])


class HealthAnswer(Answer):
    """The process answers."""

    status: Literal["ok"] = "ok"

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example({"status": "ok"}))


class KeySetAnswer(Answer):
    """The public keys that check tokens and receipts (RFC 7517)."""

    keys: list[dict[str, Any]]

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "keys": [
                    {
                        "kty": "EC",
                        "crv": "P-256",
                        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                        "kid": "2026-03-01",
                        "use": "sig",
                        "alg": "ES256",
                    }
                ]
            }
        ),
    )


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
async def healthz() -> HealthAnswer:
    """Whether the process answers at all."""
    return HealthAnswer()


@router.head("/readyz", response_model=HealthAnswer, include_in_schema=False)
@router.get("/readyz", response_model=HealthAnswer)
def readyz(request: Request, here: Here) -> HealthAnswer | JSONResponse:
    """Whether it can serve: the databases answer and may be written, and the index is filled.

    Models and keys were checked before it started.
    """
    try:
        check(here)
    except FaceauthError as error:
        return problem_of(request, error)
    return HealthAnswer()


@router.get("/oauth2/jwks")
async def key_set(here: Here) -> KeySetAnswer:
    """The published keys; whoever holds a receipt can check it with these."""
    return KeySetAnswer.model_validate(here.signer.public_jwks())


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"example": "…"}}}})
async def metrics(request: Request) -> Response:
    """Counters in Prometheus' text format."""
    counters = metrics_of(request)
    counters.watch_queue(work_of(request).taken)
    return Response(counters.render(), media_type=CONTENT_TYPE)
