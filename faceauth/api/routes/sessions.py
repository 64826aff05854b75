"""Sessions from the backend's side: opened, and read once the device has answered."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from faceauth.api.access import Application, Here, actor
from faceauth.api.problems import ANOTHER_WAY, problem_of
from faceauth.api.wire.base import Name
from faceauth.api.wire.sessions import ChallengeAnswer, SessionAnswer, SessionOpenedAnswer, SessionRequest
from faceauth.consent.questions import waiting_question
from faceauth.errors import ConsentError, UnknownNotice
from faceauth.identity.places import Client
from faceauth.installation import Installation
from faceauth.liveness.transaction import make_transaction

router = APIRouter(prefix="/v1/sessions", tags=["sessions"])


@router.post("", status_code=201, response_model=SessionOpenedAnswer)
def open_session(
    request: Request, here: Here, caller: Application, body: SessionRequest
) -> SessionOpenedAnswer | JSONResponse:
    """Open a session, if the person has agreed and may try.

    Without consent the problem is ``consent_required`` or ``consent_stale``, and names the notice to show.
    """
    asked = body.transaction
    try:
        opened = here.desk.open(
            tenant=caller.tenant,
            purpose=body.purpose,
            scenario=body.scenario,
            account=body.account_id,
            reauthenticated_at=body.reauthenticated_at,
            actor=actor(caller),
            liveness_level=body.liveness_level,
            transaction=None if asked is None else make_transaction(asked.text, asked.locale),
            veiled=body.veiled,
            client=Client(address=body.client_address, device=body.client_device),
        )
    except ConsentError as error:
        return problem_of(request, error, extra=_what_to_show(here, caller.tenant, body))
    return SessionOpenedAnswer(
        session_id=opened.session_id,
        client_token=opened.client_token,
        expires_at=opened.expires_at,
        challenge=ChallengeAnswer.of(opened.challenge),
        capture_url=_capture_url(here.settings.issuer, opened.session_id, opened.client_token),
    )


@router.get("/{session_id}")
def read_session(here: Here, caller: Application, session_id: Name) -> SessionAnswer:
    """How the session stands; after an acceptance, with a token for five minutes."""
    view = here.desk.view(tenant=caller.tenant, session_id=session_id)
    session = view.session
    return SessionAnswer(
        session_id=session.session_id,
        purpose=session.purpose,
        scenario=session.scenario,
        state=session.state,
        reason=session.reason,
        account_id=session.matched_account or session.account,
        reference_id=session.reference_id,
        id_token=view.id_token,
        amr=view.amr or None,
        acr=view.acr,
        liveness_level=session.challenge["profile"],
        device_id=session.device_id,
        transaction_sha256=session.challenge.get("transaction", {}).get("sha256"),
        decided_at=session.decided_at,
    )


def _capture_url(issuer: str, session_id: str, client_token: str) -> str:
    # Behind the # it stays in the browser: no server, proxy or log ever sees it.
    return f"{issuer.rstrip('/')}/ui/capture#session={session_id}&token={client_token}"


def _what_to_show(here: Installation, tenant: str, asked: SessionRequest) -> dict[str, Any]:
    """Say which notice to show, whether a campaign asks, and that there is another way (R13, R34)."""
    shown: dict[str, Any] = {"scenario": asked.scenario, "alternative": ANOTHER_WAY}
    with here.data.read() as conn:
        question = waiting_question(conn, tenant, asked.account_id or "", asked.scenario)
        if question is not None:
            shown["question"] = asdict(question)
        try:
            notice = here.notices.current(conn, tenant, asked.scenario, here.clock())
        except UnknownNotice:
            return shown
    shown["notice"] = {
        "version": notice.version,
        "sha256": {locale: text.sha256 for locale, text in notice.texts.items()},
    }
    return shown
