"""A session from the device's side: one token, one session, and nothing learnt from a denial (R25)."""

from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from faceauth.api.access import ClientToken, Here, address_of, holding_of, metrics_of, streams_of, work_of
from faceauth.api.upload import Burst, read_burst
from faceauth.api.wire.base import Name
from faceauth.api.wire.sessions import CancelledAnswer, CaptureAnswer, ChallengeAnswer, ChallengeRequest
from faceauth.errors import Overloaded, SessionClosed
from faceauth.installation import Installation
from faceauth.pipeline import SessionAnswer
from faceauth.sameness import Way

router = APIRouter(prefix="/v1/sessions/{session_id}", tags=["device"])

FRAMES_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["frames", "timeline"],
                    "properties": {
                        "frames": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "JPEG, PNG or WebP, in order.",
                        },
                        "timeline": {
                            "type": "string",
                            "description": "JSON: one {step, t_ms} for each frame, t_ms from the first frame on.",
                        },
                        "chain": {
                            "type": "string",
                            "description": "The last hash over nonce, challenge and frames, in hex; optional.",
                        },
                        "signature": {
                            "type": "string",
                            "description": "JSON: the device key's signature over that hash (docs/devices.md).",
                        },
                    },
                },
                "example": {
                    "frames": ["(bytes of a JPEG)", "(bytes of a JPEG)"],
                    "timeline": '[{"step": "s1", "t_ms": 0}, {"step": "s1", "t_ms": 83}]',
                },
            }
        },
    }
}


@router.post("/frames", openapi_extra=FRAMES_BODY)
async def post_frames(request: Request, here: Here, token: ClientToken, session_id: Name) -> CaptureAnswer:
    """Post one burst of frames; it is judged, or guidance says what to do better.

    A denial is the same, whatever its reason. The reason is for the backend alone.
    """
    work, metrics = work_of(request), metrics_of(request)
    # Before anything is read: whoever has no open session cannot make the service hold megabytes.
    await run_in_threadpool(here.desk.challenge, session_id, token)
    await run_in_threadpool(here.desk.seen, session_id, token, address_of(request))
    try:
        with work.receiving(session_id):
            answer = await holding_of(request).take(
                work.run, _judging(here, session_id, token, await read_burst(request, here.settings.capture))
            )
    except Overloaded:
        metrics.shed()
        raise
    metrics.judged(answer.state)
    if answer.state == "open":
        return CaptureAnswer(state="open", guidance=answer.guidance)
    return CaptureAnswer(state="accepted" if answer.state == "accepted" else "denied")


def _judging(here: Installation, session_id: str, token: str, burst: Burst) -> Callable[[Way], SessionAnswer]:
    """Return the judging of a burst, which alone holds its frames and lets go of them when it is done."""

    def judge(way: Way) -> SessionAnswer:
        return here.pipeline.submit(
            session_id,
            token,
            burst.unverified_frames,
            burst.unverified_timeline,
            burst.unverified_chain,
            signature=burst.unverified_signature,
            way=way,
        )

    return judge


@router.get("/challenge")
def read_challenge(here: Here, token: ClientToken, session_id: Name) -> ChallengeAnswer:
    """What the session must be answered with, for a page that was only given the session and its token."""
    return ChallengeAnswer.of(here.desk.challenge(session_id, token))


@router.post("/challenge")
async def choose_challenge(
    request: Request,
    here: Here,
    token: ClientToken,
    session_id: Name,
    body: ChallengeRequest,  # noqa: ARG001  it can say one thing only, and reading it checks that
) -> ChallengeAnswer:
    """Ask for a challenge without flashing colours, before the stream is opened or any frame is sent.

    It is drawn once. ``flashes_needed`` says that this session has none. Its lower limits on attempts hold when
    the frames come, and say nothing here.
    """
    if streams_of(request).connected(session_id):
        raise SessionClosed("This session is being streamed. Choose before the stream is opened.")
    return ChallengeAnswer.of(await run_in_threadpool(here.desk.without_flashes, session_id, token))


@router.post("/cancel")
async def cancel(request: Request, here: Here, token: ClientToken, session_id: Name) -> CancelledAnswer:
    """The person does not want to go on; cancelling again changes nothing."""
    await run_in_threadpool(here.desk.cancel, session_id, token)
    streams_of(request).cancelled(session_id)
    return CancelledAnswer()
