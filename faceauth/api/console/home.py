"""The first page: what waits for somebody."""

from starlette.responses import HTMLResponse

from faceauth.api.console.menu import menu_of
from faceauth.api.console.shell import page, router_at
from faceauth.api.console.texts.home import HOME
from faceauth.api.console.visit import Signed
from faceauth.api.routes import approvals, campaigns, incidents

router = router_at()


@router.get("")
def home(visit: Signed) -> HTMLResponse:
    """Show the approvals that wait, campaigns that run and incidents that are open, as far as may be seen."""
    told = {}
    if visit.may(approvals.list_approvals):
        found = visit.call(approvals.list_approvals).approvals
        told["waiting"] = [one for one in found if one.state == "requested"]
    if visit.may(campaigns.list_campaigns):
        told["running"] = [one for one in visit.call(campaigns.list_campaigns).campaigns if one.state == "open"]
    if visit.may(incidents.list_incidents):
        told["open"] = [one for one in visit.call(incidents.list_incidents).incidents if one.state == "open"]
    return page(visit, "home.html", HOME, current="home", entries=menu_of(visit)[1:], told=told)
