"""Tokens, as a backend asks about them: RFC 7662's and RFC 7009's words, in JSON."""

from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, StrictBool

from faceauth.api.wire.base import Answer, Request, Text, with_example
from faceauth.identity.tokens import Claims


class TokenRequest(Request):
    """A token that this backend was given."""

    token: Text = Field(min_length=1, max_length=10_000)

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra=with_example({"token": "eyJhbGciOi…"})
    )


class IntrospectRequest(TokenRequest):
    """Whether a token still holds."""

    once: StrictBool = Field(
        default=False, description="Let it hold this once: whoever sends it again gets `active: false`."
    )


class IntrospectAnswer(Answer):
    """What the token says while it holds; `active: false` alone when it does not, whatever the reason."""

    active: bool
    iss: str | None = None
    sub: str | None = None
    aud: str | None = None
    iat: int | None = None
    nbf: int | None = None
    exp: int | None = None
    jti: str | None = None
    auth_time: int | None = None
    acr: str | None = None
    amr: tuple[str, ...] | None = None
    scenario: str | None = None
    transaction_sha256: str | None = None

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "active": True,
                "iss": "https://face.example",
                "sub": "user-42",
                "aud": "default",
                "iat": 1772366464,
                "nbf": 1772366464,
                "exp": 1772366764,
                "jti": "fs_0f1e2d3c4b5a69788796a5b4c3d2e1f0",
                "auth_time": 1772366464,
                "acr": "urn:faceauth:acr:face",
                "amr": ["face"],
                "scenario": "login",
            }
        ),
    )

    @classmethod
    def of(cls, claims: Claims | None, *, issuer: str) -> Self:
        """Return the answer about a token that holds, or that does not."""
        if claims is None:
            return cls(active=False)
        at, until = int(claims.auth_time.timestamp()), int(claims.expires_at.timestamp())
        facts: dict[str, Any] = {"iat": at, "nbf": at, "auth_time": at, "exp": until}
        return cls(
            active=True,
            iss=issuer,
            sub=claims.account,
            aud=claims.tenant,
            jti=claims.session_id,
            acr=claims.acr,
            amr=claims.amr,
            scenario=claims.scenario,
            transaction_sha256=claims.transaction_sha256,
            **facts,
        )


class RevokedAnswer(Answer):
    """The token does not hold, whatever it was."""

    active: Literal[False] = False

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example({"active": False}))
