"""The acts about being asked: the notice, the consent, its receipt, and enrolment under it."""

from collections.abc import Iterator

from faceauth.consent.builtin import LOGIN
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.demo.attempt import attempt, head, told
from faceauth.demo.line import Line, refused
from faceauth.demo.proof import found_in, needles
from faceauth.demo.stage import Stage
from faceauth.errors import ConsentInvalid, ConsentRequired, ReauthenticationRequired, SignatureInvalid
from faceauth.signing import CONSENT_RECEIPT, DELETION_RECEIPT, check, keys_from_jwks


def asked_first(stage: Stage) -> Iterator[Line]:
    """Ann is told, asked, and only then is anything possible."""
    ann = stage.cast.ann.account
    place = stage.installation
    with place.data.begin() as conn:
        for person in stage.cast.everybody:
            place.accounts.ensure(conn, tenant=DEFAULT_TENANT, account=person.account, now=place.clock())
    notice = stage.notice(LOGIN)
    text = notice.text("en")
    first = next(line for line in text.text.splitlines() if line and not line.startswith("#"))
    yield Line(
        "What is Ann told before anything else?",
        f"Notice {notice.version} of `{LOGIN}` ({notice.locales}), SHA-256 {text.sha256[:12]}…: “{_plain(first)}”",
        "She is asked in plain words, and every version stays readable at its hash.",
    )
    yield refused(
        "Enrol Ann's face without asking her",
        lambda: stage.open("enrol", LOGIN, ann),
        expected=ConsentRequired,
        proves="No consent, no session: the gate is asked before the camera is.",
    )
    yield refused(
        "Record a yes from a box that was ticked for her",
        lambda: stage.answer(ann, LOGIN, ticked_before=True),
        expected=ConsentInvalid,
        proves="Only the person's own act counts.",
    )
    event = stage.answer(ann, LOGIN)
    yield Line(
        "Ann ticks the box herself",
        f"recorded as {event.state}, {event.consent_id[:16]}…, notice {event.notice_version}, until "
        f"{event.valid_until:%Y-%m-%d}",
        "A consent names one purpose, one text and one end.",
        as_expected=event.state == "given",
    )
    yield _receipt_holds(stage, event.receipt)


def enrolment(stage: Stage) -> Iterator[Line]:
    """Ann enrols; what is stored can be found sealed and not in the clear."""
    ann = stage.cast.ann
    yield refused(
        "Enrol without a fresh sign-in by another factor",
        lambda: stage.open("enrol", LOGIN, ann.account, reauthenticated=False),
        expected=ReauthenticationRequired,
        proves="A stolen session cannot plant another face.",
    )
    outcome, tries = attempt(stage, "enrol", LOGIN, ann.account, (head(ann, ann.first),))
    stored = stage.remember(ann.account, LOGIN) if outcome.accepted else 0
    yield Line(
        f"Ann looks into the camera and does what this session asks: {outcome.steps}",
        f"{outcome.frames} frames, {told(outcome)}{tries}; {stored} references stored, the frames dropped",
        "Liveness is judged on the very frames that are enrolled.",
        as_expected=outcome.accepted and stored > 0,
    )
    sealed, clear = found_in(stage.folder, stage.sealed), found_in(stage.folder, needles(stage.templates))
    yield Line(
        "Look for her templates in every byte of the data folder",
        f"sealed records: found in {len({hit.path for hit in sealed})} file(s); templates in the clear: "
        f"{len(clear)} places",
        "Stored encrypted only; and the scanner of the last act sees what is there.",
        as_expected=bool(sealed) and not clear,
    )


def _receipt_holds(stage: Stage, receipt: str) -> Line:
    keys = keys_from_jwks(stage.installation.signer.public_jwks())
    claims = check(receipt, keys=keys, expected_typ=CONSENT_RECEIPT)
    altered = receipt[:-8] + ("A" if receipt[-8] != "A" else "B") + receipt[-7:]
    turned_down = 0
    for token, kind in ((altered, CONSENT_RECEIPT), (receipt, DELETION_RECEIPT)):
        try:
            check(token, keys=keys, expected_typ=kind)
        except SignatureInvalid:
            turned_down += 1
    return Line(
        "Ann checks her receipt with the published keys",
        f"the signature holds, for {claims['sub']}; one letter altered: "
        f"{'refused' if turned_down else 'accepted'}; shown as another kind of receipt: "
        f"{'refused' if turned_down == 2 else 'accepted'}",
        "She holds proof of what she agreed to, and nobody can edit it.",
        as_expected=turned_down == 2,
    )


def _plain(markdown: str) -> str:
    return markdown.replace("**", "")
