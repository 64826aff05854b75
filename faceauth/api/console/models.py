"""Model packs and operating points: what decides, what was measured, who is enrolled, how far a change is."""

from starlette.responses import HTMLResponse

from faceauth.api.console.shell import page, router_at
from faceauth.api.console.texts.models import MODELS
from faceauth.api.console.visit import Signed
from faceauth.api.routes import models

router = router_at("/models")


@router.get("")
def every(visit: Signed) -> HTMLResponse:
    """Show every pack, those that serve first."""
    found = visit.call(models.list_models)
    order = {"now": 0, "before": 1, None: 2}
    packs = sorted(found.packs, key=lambda one: (order[one.serves], one.state != "installed"))
    return page(visit, "models.html", MODELS, current="models", found=found, packs=packs)
