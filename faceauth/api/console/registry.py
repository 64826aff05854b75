"""Every page of the console."""

from typing import Final

from faceauth.api.console import (
    approvals,
    audit,
    campaigns,
    drafts,
    home,
    incidents,
    keys,
    models,
    numbers,
    openid,
    people,
    scenarios,
    sign_in,
)

ROUTERS: Final = (
    sign_in.router,
    openid.router,
    home.router,
    scenarios.router,
    drafts.router,
    campaigns.router,
    approvals.router,
    incidents.router,
    people.router,
    models.router,
    keys.router,
    audit.router,
    numbers.router,
)
