"""One person's way with whatever faceauth is installed here; run by test_packaging.py, which reads the JSON.

The photographs are two of the six faces in the insightface package's own picture; the camera is simulated.
"""

import importlib.util
import json
import sys
from pathlib import Path

import cv2
import numpy as np

import faceauth
from faceauth.consent.request import Affirmation, ConsentRequest
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import ConsentRequired
from faceauth.installation import Installation, create_installation, open_installation
from faceauth.settings import Settings
from faceauth.simulate import Head, simulate_session
from faceauth.types import Purpose

ACCOUNT = "anna"


def people(installation: Installation) -> tuple[Head, Head]:
    """Return two heads made from the picture."""
    found = importlib.util.find_spec("insightface")
    if found is None or found.origin is None:
        sys.exit("the insightface package is not here")
    bgr = cv2.imread(str(Path(found.origin).parent / "data" / "images" / "t1.jpg"))
    photo = np.ascontiguousarray(np.asarray(bgr, dtype=np.uint8)[:, :, ::-1])
    first, second, *_ = sorted(installation.pipeline.reader.detector.detect(photo), key=lambda face: face.box[0])
    return Head(photo, first.landmarks), Head(photo, second.landmarks)


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


def session(installation: Installation, purpose: Purpose, head: Head, seed: int) -> tuple[str, tuple[str, ...]]:
    """Go through one session; return its state and the token's `amr`."""
    opened = installation.desk.open(
        tenant=DEFAULT_TENANT,
        purpose=purpose,
        scenario="login",
        account=ACCOUNT,
        reauthenticated_at=installation.clock(),
        actor="test",
    )
    frames = simulate_session(head, opened.challenge, seed=seed)
    timeline = [{"step": frame.step, "t_ms": frame.t_ms} for frame in frames]
    parts = [frame.jpeg for frame in frames]
    answer = installation.pipeline.submit(opened.session_id, opened.client_token, parts, timeline)
    view = installation.desk.view(tenant=DEFAULT_TENANT, session_id=opened.session_id)
    return answer.state, view.amr


def main() -> None:
    settings = Settings()
    create_installation(settings)
    installation = open_installation(settings)
    told: dict[str, object] = {"package": faceauth.__file__}
    try:
        anna, ben = people(installation)
        consent(installation)
        told["enrol"], _ = session(installation, "enrol", anna, seed=1)
        told["verify"], told["amr"] = session(installation, "verify", anna, seed=2)
        told["somebody_else"], _ = session(installation, "verify", ben, seed=3)
        installation.lifecycle.withdraw(tenant=DEFAULT_TENANT, account=ACCOUNT, scenario="login", actor="test")
        try:
            session(installation, "verify", anna, seed=4)
        except ConsentRequired as error:
            told["after_withdrawal"] = error.code
    finally:
        installation.close()
    print(json.dumps(told))  # noqa: T201  its output is its answer


if __name__ == "__main__":
    main()
