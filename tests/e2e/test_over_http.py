"""The whole way over HTTP: consent, enrolment, the right person and the wrong ones, withdrawal, the scan."""

import json
import urllib.error
import urllib.request
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from faceauth.clock import system_clock
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.embed.packs import Pack
from faceauth.installation import databases
from faceauth.settings import Settings
from faceauth.signing import CONSENT_RECEIPT, DELETION_RECEIPT, check, keys_from_jwks
from faceauth.vault.keyring import load_keyring
from faceauth.vault.keys import KeyringProvider
from faceauth.vault.keystore import DataKeys
from faceauth.vault.references import ReferenceStore
from tests.e2e.conftest import People, Server, stand_before
from tests.forensics import scan, vector_needles


class Stored(NamedTuple):
    """What must not be found once it is erased."""

    vectors: list[bytes]
    sealed: list[bytes]


def stored(server: Server, pack: Pack, account: str) -> Stored:
    """Open what the service stored, with its own keyring, to know what to look for."""
    settings = Settings(data_dir=server.data_dir)
    data, keys = databases(settings)
    store = ReferenceStore(
        DataKeys(keys, KeyringProvider(load_keyring(settings.keyring_file)), system_clock),
        system_clock,
        lambda word: word,
    )
    try:
        with data.read() as conn:
            opened = store.open_account(
                conn,
                tenant=DEFAULT_TENANT,
                account=account,
                scenario="login",
                model_digest=pack.embedder.model_digest,
            )
            query = "SELECT sealed FROM biometric_references WHERE account = ?"
            rows = conn.exec_driver_sql(query, (account,)).scalars().all()
    finally:
        data.dispose()
        keys.dispose()
    vectors = [needle for reference in opened for needle in vector_needles(reference.vector)]
    return Stored(vectors, [bytes(row) for row in rows])


def test_the_whole_way(server: Server, people: People, pack: Pack) -> None:
    """R9, R13, R17, R24, R25, R29, R32, R36, R40, R42, R44, over HTTP alone."""
    keys = server.http.get("/oauth2/jwks").json()
    path = "/v1/accounts/anna"

    # Nobody agreed, so nothing starts, and the answer says what to show.
    server.call("PUT", path, json={})
    shut = server.open("verify", "anna")
    assert (shut.status_code, shut.json()["code"]) == (403, "consent_required")
    assert shut.json()["notice"]["version"] == 1

    # Consent, with a receipt that anyone can check.
    given = server.consent("anna")
    receipt = check(given.json()["receipt"], keys=keys_from_jwks(keys), expected_typ=CONSENT_RECEIPT)
    assert receipt["sub"] == "anna"

    # Enrolment.
    enrolled = stand_before(server, "enrol", "anna", people.anna)
    assert enrolled.answer.json()["state"] == "accepted", enrolled.view
    references = server.call("GET", f"{path}/references").json()["references"]
    assert len(references) >= 1

    # The right person, with a token that a well-known library accepts.
    login = stand_before(server, "verify", "anna", people.anna)
    assert login.answer.json()["state"] == "accepted", login.view
    assert (login.view["state"], login.view["account_id"], login.view["amr"]) == ("accepted", "anna", ["face"])
    token = jwt.decode(login.view["id_token"], KeySet.import_key_set(keys), algorithms=["ES256"])
    assert (token.claims["sub"], token.claims["aud"], token.claims["amr"]) == ("anna", "default", ["face"])

    # The same session again, and the same frames in a new one, open nothing.
    again = server.show(login.opened, login.burst)
    assert (again.status_code, again.json()["code"]) == (409, "session_closed")
    replayed = server.open("verify", "anna").json()
    assert server.show(replayed, login.burst).json().get("state") != "accepted"

    # Another person and a flat picture are denied, in the same bytes; the backend learns why.
    other = stand_before(server, "verify", "anna", people.ben)
    flat = stand_before(server, "verify", "anna", people.printed)
    for shown, reason in ((other, "mismatch"), (flat, "liveness")):
        assert (shown.view["state"], shown.view["reason"], shown.view["id_token"]) == ("denied", reason, None)
    assert (other.answer.status_code, other.answer.content) == (flat.answer.status_code, flat.answer.content)
    assert b"Another way to log in" in flat.answer.content

    # Before: sealed rows are on the disk, and no vector is. This also shows that the scan can find.
    before = stored(server, pack, "anna")
    places = [server.folder]
    assert len(before.sealed) == len(references)
    assert scan(places, before.vectors) == []
    assert scan(places, before.sealed) != []

    # Withdrawal: one call; a receipt; nothing left of it; nothing opens.
    gone = server.call("DELETE", f"{path}/consents/login")
    check(gone.json()["receipt"], keys=keys_from_jwks(keys), expected_typ=DELETION_RECEIPT)
    assert server.call("DELETE", f"{path}/consents/login").json() == gone.json()
    assert server.call("GET", f"{path}/references").json() == {"references": []}
    assert server.open("verify", "anna").json()["code"] == "consent_required"
    assert scan(places, [*before.vectors, *before.sealed]) == []
    # No frame was ever written anywhere, nor any credential (R9).
    frames = [frame.jpeg for shown in (enrolled, login, other, flat) for frame in shown.burst]
    middles = [frame[len(frame) // 2 :][:48] for frame in frames]
    assert scan(places, middles) == []
    assert scan(places, [secret.encode() for secret in server.secrets]) == []
    assert list((server.folder / "tmp").iterdir()) == []

    # What was done is there to be seen.
    activity = [one["event"] for one in server.call("GET", f"{path}/activity").json()["activity"]]
    assert "service:session:accepted" in activity
    assert activity.count("service:session:denied") >= 2


def jpeg(height: int, width: int) -> bytes:
    done, coded = cv2.imencode(".jpg", np.full((height, width, 3), 128, np.uint8))
    assert done
    return coded.tobytes()


def test_pictures_that_are_none_are_refused_and_the_session_stays_open(server: Server, people: People) -> None:
    """R20, R21, R58: each one a clear error or guidance; nothing opens, nothing breaks."""
    server.consent("carla")
    huge = bytearray(jpeg(16, 16))
    at = huge.index(b"\xff\xc0")
    huge[at + 5 : at + 9] = (20_000).to_bytes(2, "big") * 2
    group = cv2.imencode(".jpg", people.together[:, :, ::-1])[1].tobytes()
    for frame, codes in (
        (b"text as JPEG", {"invalid_image"}),
        (b"", {"invalid_image"}),
        (group[: len(group) // 2], {"invalid_image"}),
        (bytes(huge), {"image_too_large"}),
        (jpeg(1, 1), {"invalid_image", "open"}),
        (jpeg(480, 640), {"open", "invalid_timeline"}),
        (group, {"open", "invalid_timeline"}),
    ):
        opened = server.open("enrol", "carla").json()
        steps = [step["id"] for step in opened["challenge"]["steps"]]
        timeline = [{"step": step, "t_ms": 600 * n} for n, step in enumerate(steps)]
        answer = server.post(opened, [frame] * len(steps), timeline)
        assert answer.status_code < 500, answer.text
        told = answer.json()
        assert told.get("code", told.get("state")) in codes, told
        state = server.call("GET", f"/v1/sessions/{opened['session_id']}").json()["state"]
        assert state == "open"
    assert server.call("GET", "/v1/accounts/carla/references").json() == {"references": []}


def test_the_page_is_served(server: Server) -> None:
    page = server.http.get("/ui/capture")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    for name in ("capture.js", "capture.css", "face-capture.js", "face-capture.css", "texts.js"):
        assert server.http.get(f"/ui/static/{name}").status_code == 200


def test_it_is_ready_and_any_client_can_talk_to_it(server: Server) -> None:
    with urllib.request.urlopen(server.address + "/readyz") as answer:  # noqa: S310  the server of this test
        assert json.load(answer) == {"status": "ok"}
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(server.address + "/v1/scenarios")  # noqa: S310  the same
    assert refused.value.code == 401
    refused.value.close()


def test_the_log_is_json_and_names_nobody(server: Server) -> None:
    """R9, R24, R50."""
    told = [json.loads(line) for line in server.log.read_text().splitlines() if line]
    assert told
    written = json.dumps(told)
    for secret in ("anna", "carla", *server.secrets):
        assert secret not in written
    assert "score" not in written
