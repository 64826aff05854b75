"""One person's way with whatever faceauth is installed here; run by test_packaging.py, which reads the JSON.

The photographs are two of the six faces in the insightface package's own picture; the camera is simulated.
"""

import json
from itertools import count

import faceauth
from faceauth.capture.detect import build_detector
from faceauth.consent.request import Affirmation, ConsentRequest
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.demo.people import group_cast
from faceauth.errors import ConsentRequired
from faceauth.installation import Installation, create_installation, open_installation
from faceauth.settings import Settings
from faceauth.simulate import Head, simulate_session
from faceauth.types import Purpose

ACCOUNT = "anna"
SEEDS = count(1)


def people(installation: Installation) -> tuple[Head, Head]:
    """Return two heads made from the picture."""
    pack = installation.pack
    detector = build_detector(pack.detector_kind, pack.detector_sessions, pack.detector_options)
    cast = group_cast(detector)
    ann, ben = (Head(person.first.image, person.first.landmarks) for person in (cast.ann, cast.ben))
    return ann, ben


def consent(installation: Installation) -> None:
    with installation.data.begin() as conn:
        now = installation.clock()
        installation.accounts.ensure(conn, tenant=DEFAULT_TENANT, account=ACCOUNT, now=now)
        notice = installation.notices.current(conn, DEFAULT_TENANT, "login", now)
    request = ConsentRequest(
        scenario="login",
        notice_version=notice.version,
        notice_sha256=notice.text("en").sha256,
        locale="en",
        decision="given",
        affirmation=Affirmation(method="checkbox", checked_by_default=False, text="I agree"),
    )
    installation.lifecycle.record_consent(tenant=DEFAULT_TENANT, account=ACCOUNT, request=request, actor="test")


def session(installation: Installation, purpose: Purpose, head: Head) -> tuple[str, tuple[str, ...]]:
    """Go through one session; return its state and the token's `amr`."""
    opened = installation.desk.open(
        tenant=DEFAULT_TENANT,
        purpose=purpose,
        scenario="login",
        account=ACCOUNT,
        reauthenticated_at=installation.clock(),
        actor="test",
    )
    frames = simulate_session(head, opened.challenge, seed=next(SEEDS))
    timeline = [{"step": frame.step, "t_ms": frame.t_ms} for frame in frames]
    parts = [frame.jpeg for frame in frames]
    answer = installation.pipeline.submit(opened.session_id, opened.client_token, parts, timeline)
    view = installation.desk.view(tenant=DEFAULT_TENANT, session_id=opened.session_id)
    return answer.state, view.amr


def try_again(
    installation: Installation, purpose: Purpose, head: Head, *, until: frozenset[str] = frozenset({"accepted"})
) -> tuple[str, tuple[str, ...]]:
    """Go through up to three sessions, as a person would: liveness refuses some that were rendered, or asks on."""
    answers = (session(installation, purpose, head) for _ in range(3))
    last: tuple[str, tuple[str, ...]] = ("denied", ())
    for last in answers:
        if last[0] in until:
            break
    return last


def main() -> None:
    settings = Settings()
    create_installation(settings)
    installation = open_installation(settings)
    told: dict[str, object] = {"package": faceauth.__file__}
    try:
        anna, ben = people(installation)
        consent(installation)
        told["enrol"], _ = try_again(installation, "enrol", anna)
        told["verify"], told["amr"] = try_again(installation, "verify", anna)
        answered = frozenset({"accepted", "denied"})
        told["somebody_else"], _ = try_again(installation, "verify", ben, until=answered)
        installation.lifecycle.withdraw(tenant=DEFAULT_TENANT, account=ACCOUNT, scenario="login", actor="test")
        try:
            session(installation, "verify", anna)
        except ConsentRequired as error:
            told["after_withdrawal"] = error.code
    finally:
        installation.close()
    print(json.dumps(told))  # noqa: T201  its output is its answer


if __name__ == "__main__":
    main()
