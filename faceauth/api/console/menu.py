"""The console's menu: a page is in it for those whom its HTTP route lets in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from faceauth.api.console.visit import Visit
from faceauth.api.routes import (
    admin,
    approvals,
    audit,
    campaigns,
    health,
    incidents,
    keys,
    models,
    people,
    statistics,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the menu; its words are `menu_<name>` in `texts/shell.py`.

    `route` is the function of the HTTP route that the page reads from: its rule is the page's. None is for all.
    """

    name: str
    path: str
    route: Callable[..., object] | None = None


MENU: Final[tuple[Entry, ...]] = (
    Entry("home", "/ui/admin"),
    Entry("scenarios", "/ui/admin/scenarios", admin.list_scenarios),
    Entry("campaigns", "/ui/admin/campaigns", campaigns.list_campaigns),
    Entry("approvals", "/ui/admin/approvals", approvals.list_approvals),
    Entry("incidents", "/ui/admin/incidents", incidents.list_incidents),
    Entry("accounts", "/ui/admin/accounts", people.list_people),
    Entry("attempts", "/ui/admin/attempts", people.list_locks),
    Entry("models", "/ui/admin/models", models.list_models),
    Entry("keys", "/ui/admin/keys", keys.read_keys),
    Entry("audit", "/ui/admin/audit", audit.records),
    Entry("statistics", "/ui/admin/statistics", statistics.usage),
    Entry("health", "/ui/admin/health", health.read_health),
)


def menu_of(visit: Visit) -> tuple[Entry, ...]:
    """Return the pages that a caller may see."""
    return tuple(entry for entry in MENU if entry.route is None or visit.may(entry.route))
