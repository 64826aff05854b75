"""An OpenID provider of a test's own, over HTTP on this machine, that signs in whoever comes unasked."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from faceauth.clock import Clock


@dataclass
class Provider:
    """What it says of who signs in, and what it was asked. `claims` go over those that would be right."""

    clock: Clock
    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "k1"}))
    published: ECKey | None = None
    asked: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def app(self) -> Starlette:
        routes = (
            Route("/.well-known/openid-configuration", self.discovery),
            Route("/authorize", self.authorize),
            Route("/token", self.token, methods=["POST"]),
            Route("/jwks", self.jwks),
        )
        return Starlette(routes=list(routes))

    async def discovery(self, _: Request) -> Response:
        where = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        told = {name: f"{self.issuer}/{path}" for name, path in where.items()}
        return JSONResponse({"issuer": self.issuer, **told})

    async def authorize(self, request: Request) -> Response:
        return RedirectResponse(self.answer_to(dict(request.query_params)), 303)

    def answer_to(self, asked: Mapping[str, str]) -> str:
        """Sign in at once; return where the browser goes back to."""
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.asked)}"
        self.asked[code] = dict(asked)
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    async def token(self, request: Request) -> Response:
        sent = dict(parse_qsl((await request.body()).decode()))
        asked = self.asked.pop(sent.get("code", ""), None)
        known = base64.b64encode(b"faceauth:hush").decode()
        challenge = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        proved = asked is not None and _b64(challenge) == asked["code_challenge"]
        if asked is None or not proved or request.headers.get("authorization") != f"Basic {known}":
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(self.clock().timestamp())
        right = {"iss": self.issuer, "aud": "faceauth", "sub": "ann", "iat": now, "exp": now + 60}
        claims = {**right, "nonce": asked["nonce"], "groups": ["staff", "privacy-office"], **self.claims}
        token = jwt.encode({"alg": "ES256", "kid": "k1"}, claims, self.key)
        return JSONResponse({"access_token": "at", "token_type": "Bearer", "id_token": token})

    async def jwks(self, _: Request) -> Response:
        key = (self.published or self.key).as_dict(private=False)
        return JSONResponse(json.loads(json.dumps({"keys": [key]})))


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
