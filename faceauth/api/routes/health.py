"""How the service is, for operators: which part works, what waits, how long answers take."""

from fastapi import APIRouter, Request

from faceauth.api.access import Here, Operator, metrics_of, streams_of, work_of
from faceauth.api.readiness import findings
from faceauth.api.wire.health import DetailedHealthAnswer, HealthPart, LatencyStep
from faceauth.outbox.messages import Outbox
from faceauth.statistics import ALERT_AT

router = APIRouter(prefix="/v1/admin/health", tags=["admin"])


@router.get("")
def read_health(request: Request, here: Here, caller: Operator) -> DetailedHealthAnswer:
    """Whether each part works, what is unfinished, and what this process did since it started."""
    metrics, work, streams = metrics_of(request), work_of(request), streams_of(request)
    found = findings(here)
    messages: dict[str, int] = {}
    unfinished = 0
    if found["data"] is None:
        with here.data.read() as conn:
            messages = Outbox().counts(conn, tenant=caller.tenant)
        unfinished = len(here.erasure.unfinished())
    return DetailedHealthAnswer(
        ready=not any(found.values()),
        parts=[
            HealthPart(name=name, works=not why, code=why.code if why else None) for name, why in found.items()
        ],
        people=metrics.people,
        people_alert_at=ALERT_AT,
        erasures_unfinished=unfinished,
        messages=messages,
        judging=work.taken,
        judging_most=work.places,
        streams=streams.open_now,
        streams_most=here.settings.stream.sessions,
        posts=metrics.judged_so_far(),
        shed=metrics.shed_so_far(),
        latencies=[LatencyStep(up_to_s=end, answers=count) for end, count in metrics.latencies()],
    )
