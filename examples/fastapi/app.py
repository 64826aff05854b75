"""A small application that lets people log in with their face: FastAPI, and the Python client.

    pip install fastapi uvicorn python-multipart ../../clients/python
    FACEAUTH_URL=http://127.0.0.1:8000 FACEAUTH_KEY=fa_… uvicorn app:app --port 9000

The service must name this application in FACEAUTH_CORS_ORIGINS (["http://127.0.0.1:9000"]), because people come
back here. The password below stands for whatever other factor your application has: a face is never the only way
in.
"""

import logging
import os
import secrets
from datetime import UTC, datetime
from html import escape
from typing import Annotated

from faceauth_client import Faceauth, Problem
from fastapi import Cookie, FastAPI, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse

HERE = os.environ.get("APP_URL", "http://127.0.0.1:9000")
PASSWORD = os.environ.get("APP_PASSWORD", "correct horse")

face = Faceauth(os.environ["FACEAUTH_URL"], os.environ["FACEAUTH_KEY"])
log = logging.getLogger("shop")
app = FastAPI(docs_url=None, redoc_url=None)

signed_in: dict[str, str] = {}
"""Who is signed in, by the cookie's value. A real application keeps sessions where they outlive it."""

known: dict[str, str] = {}
"""Whose browser it is, by another cookie that stays: a form for names would tell anybody who has a face here."""

waiting: dict[str, str] = {}
"""Which flow this browser was sent to, so that nobody comes back with another's."""


def page(body: str) -> HTMLResponse:
    return HTMLResponse(f"<!doctype html><html lang=en><title>Shop</title><main>{body}</main>")


def who(session: str | None) -> str:
    if session is None or session not in signed_in:
        raise HTTPException(401, "Sign in first.")
    return signed_in[session]


def sign_in(account: str) -> RedirectResponse:
    session = secrets.token_urlsafe(32)
    signed_in[session] = account
    answer = RedirectResponse("/", 303)
    keep(answer, "session", session)
    browser = secrets.token_urlsafe(32)
    known[browser] = account
    keep(answer, "browser", browser, days=90)
    return answer


def keep(answer: RedirectResponse, name: str, value: str, *, days: int | None = None) -> None:
    seconds = None if days is None else days * 86_400
    answer.set_cookie(
        name, value, max_age=seconds, httponly=True, samesite="lax", secure=HERE.startswith("https:")
    )


@app.exception_handler(Problem)
def refused(_: Request, problem: Problem) -> PlainTextResponse:
    """It may be of many kinds, and none of them is for whoever sits here."""
    log.warning("%s: %s (%s)", problem.code, problem.detail, problem.request_id)
    return PlainTextResponse("That did not work. Please use your password.", 403)


@app.get("/")
def home(
    session: Annotated[str | None, Cookie()] = None, browser: Annotated[str | None, Cookie()] = None
) -> HTMLResponse:
    if session not in signed_in:
        by_face = "<form method=post action=/face/login><button>Sign in with your face</button></form>"
        return page(
            "<h1>Shop</h1><form method=post action=/password><input name=account placeholder=name required>"
            "<input name=password type=password><button>Sign in with a password</button></form>"
            + (by_face if browser in known else "")
        )
    return page(
        f"<h1>Hello {escape(signed_in[session])}</h1>"
        "<form method=post action=/face/enrol><button>Set up login with my face</button></form>"
        "<form method=post action=/privacy><button>What my face is used for</button></form>"
    )


@app.post("/password")
def password(account: Annotated[str, Form()], password: Annotated[str, Form()]) -> RedirectResponse:
    if not secrets.compare_digest(password.encode(), PASSWORD.encode()):
        raise HTTPException(401, "That is not the password.")
    return sign_in(account)


def hosted(account: str, purpose: str, proof: datetime | None) -> RedirectResponse:
    """Send the person to the hosted page, which asks them, films them and sends them back."""
    flow = face.mint_flow(
        account_id=account,
        scenario="login",
        purpose="enrol" if purpose == "enrol" else "verify",
        return_url=f"{HERE}/face/done",
        reauthenticated_at=proof,
    )
    browser = secrets.token_urlsafe(32)
    waiting[browser] = flow.flow_id
    answer = RedirectResponse(flow.flow_url, 303)
    keep(answer, "flow", browser)
    return answer


@app.post("/face/enrol")
def enrol(session: Annotated[str | None, Cookie()] = None) -> RedirectResponse:
    account = who(session)
    face.put_account(account)
    # They signed in by password a moment ago; a real application keeps that time with the session.
    return hosted(account, "enrol", datetime.now(UTC))


@app.post("/face/login")
def login(browser: Annotated[str | None, Cookie()] = None) -> RedirectResponse:
    """For whoever signed in here before. The link proves nobody, so nobody is asked to agree there."""
    if browser is None or browser not in known:
        raise HTTPException(401, "Sign in with your password on this browser first.")
    return hosted(known[browser], "verify", None)


@app.get("/face/done")
def done(flow: str, browser: Annotated[str | None, Cookie(alias="flow")] = None) -> RedirectResponse:
    """The person is back. Nothing in the address says how it went: the service does."""
    if browser is None or waiting.pop(browser, None) != flow:
        raise HTTPException(403, "This is not where you left from.")
    found = face.flow(flow)
    if found.state != "accepted" or found.session_id is None:
        return RedirectResponse("/", 303)
    return sign_in(found.account_id)


@app.post("/privacy")
def privacy(session: Annotated[str | None, Cookie()] = None) -> RedirectResponse:
    account = who(session)
    face.put_account(account)
    return RedirectResponse(face.privacy_link(account).privacy_url, 303)
