"""An OpenID relying party: a shop that lets its people in through the service's OpenID provider, with Authlib.

    pip install fastapi uvicorn authlib httpx itsdangerous
    faceauth client create "The shop" --redirect http://127.0.0.1:9000/callback
    FACEAUTH_URL=http://127.0.0.1:8000 CLIENT_ID=… CLIENT_SECRET=… uvicorn app:app --port 9000

The second line registers this application, and shows its id and its secret this once.
"""

import os
import secrets

from authlib.integrations.starlette_client import OAuth, OAuthError
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.middleware.sessions import SessionMiddleware

app = FastAPI(docs_url=None, redoc_url=None)
app.add_middleware(SessionMiddleware, secret_key=os.environ.get("APP_SECRET", secrets.token_urlsafe(32)))

oauth = OAuth()
oauth.register(
    "face",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ.get("CLIENT_SECRET"),
    server_metadata_url=f"{os.environ['FACEAUTH_URL']}/.well-known/openid-configuration",
    client_kwargs={"scope": "openid", "code_challenge_method": "S256"},
)


@app.get("/")
def home(request: Request) -> HTMLResponse:
    account = request.session.get("account")
    told = "You are in." if account else '<a href="/login">Sign in with your face</a>'
    return HTMLResponse(f"<!doctype html><html lang=en><title>Shop</title><main>{told}</main>")


@app.get("/login")
async def login(request: Request, name: str | None = None) -> RedirectResponse:
    hint = {} if name is None else {"login_hint": name}
    answer: RedirectResponse = await oauth.face.authorize_redirect(request, request.url_for("callback"), **hint)
    return answer


@app.get("/callback")
async def callback(request: Request) -> RedirectResponse:
    """Authlib checks state, nonce, the code's verifier, and the token's signature, issuer, audience and times."""
    try:
        token = await oauth.face.authorize_access_token(request)
    except OAuthError as error:
        raise HTTPException(403, "That did not work. Please sign in another way.") from error
    request.session["account"] = token["userinfo"]["sub"]
    return RedirectResponse("/", 303)
