"""The app factory. Importing does nothing; an app is made for one installation and serves only that one."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

import faceauth
from faceauth.api.bound import Bound
from faceauth.api.browser import cookie_name
from faceauth.api.checking import Checking
from faceauth.api.console.registry import ROUTERS as CONSOLE
from faceauth.api.envelope import REQUEST_ID, Envelope
from faceauth.api.holding import Deadlines, Holding
from faceauth.api.metrics import Metrics
from faceauth.api.openapi import build_document
from faceauth.api.problems import install_handlers
from faceauth.api.routes import (
    accounts,
    admin,
    apikeys,
    approvals,
    attempts,
    audit,
    campaigns,
    clients,
    consents,
    device,
    devices,
    drafts,
    flows,
    health,
    incidents,
    keys,
    links,
    listings,
    models,
    oidc,
    pages,
    people,
    privacy,
    references,
    scenarios,
    service,
    sessions,
    statistics,
    stream,
    tokens,
)
from faceauth.api.streams import Streams
from faceauth.api.tending import tend, watch
from faceauth.api.work import Work
from faceauth.errors import ConfigurationError
from faceauth.installation import Installation
from faceauth.openid import OpenId
from faceauth.statistics import Statistics

ROUTERS: Final = (
    scenarios.router,
    accounts.router,
    consents.router,
    references.router,
    attempts.router,
    tokens.router,
    devices.router,
    drafts.router,
    sessions.router,
    device.router,
    stream.router,
    flows.router,
    oidc.router,
    clients.router,
    links.router,
    admin.router,
    audit.router,
    campaigns.router,
    keys.router,
    apikeys.router,
    approvals.router,
    incidents.router,
    statistics.router,
    people.router,
    models.router,
    health.router,
    service.router,
    privacy.router,
    pages.router,
    listings.router,
    *CONSOLE,
)

_UPLOAD: Final = re.compile(r"/v1/sessions/[^/]+/frames")


def create_app(installation: Installation) -> FastAPI:
    """Return the service for an opened installation; whoever opened it closes it.

    Raises:
        ConfigurationError: CORS_ORIGINS is no allow-list.
    """
    settings = installation.settings
    if any("*" in origin for origin in settings.cors_origins):
        raise ConfigurationError("CORS_ORIGINS must name each page's origin; a * would let any page call (R19).")
    work = Work(settings.service.workers, settings.service.queue)
    metrics = Metrics()
    holding = Holding(installation.pipeline.refuse, Deadlines(settings.service.denial_s))
    streams = Streams(installation, work, metrics, holding)
    checking = Checking(installation)
    app = _Service(
        title="faceauth",
        # The viewers that FastAPI offers load their scripts from a CDN.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_living(installation, work, streams, holding, metrics=metrics, checking=checking),
    )
    app.state.installation = installation
    app.state.work = work
    app.state.metrics = metrics
    app.state.holding = holding
    app.state.streams = streams
    app.state.checking = checking
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/ui/static", pages.static_files())
    install_handlers(app)
    app.add_middleware(Bound, browser_of=_browser_of(installation), cookie=cookie_name(settings.issuer))
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type", REQUEST_ID],
        expose_headers=[REQUEST_ID, "Retry-After"],
    )
    # Added last, so outermost: it dresses what CORS answers too, and no exception gets past it.
    app.add_middleware(
        Envelope,
        metrics=metrics,
        https=settings.issuer.startswith("https://"),
        is_upload=lambda path: _UPLOAD.fullmatch(path) is not None,
    )
    return app


def _browser_of(installation: Installation) -> Callable[[str], bytes | None]:
    requests = OpenId.of(installation).requests

    def look(session_id: str) -> bytes | None:
        with installation.data.read() as conn:
            return requests.browser_of(conn, session_id)

    return look


class _Service(FastAPI):
    """FastAPI with our own OpenAPI document."""

    def openapi(self) -> dict[str, Any]:
        """Return the document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = build_document(self, faceauth.__version__)
        return self.openapi_schema


def _living(
    installation: Installation,
    work: Work,
    streams: Streams,
    holding: Holding,
    *,
    metrics: Metrics,
    checking: Checking,
) -> Any:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tending = asyncio.create_task(tend(installation.erasure))
        numbers = Statistics.of(installation)
        watching = asyncio.create_task(watch(lambda: metrics.watched(numbers.watch())))
        yield
        tending.cancel()
        watching.cancel()
        await holding.close()
        await streams.close()
        await asyncio.to_thread(checking.close)
        work.close()

    return lifespan
