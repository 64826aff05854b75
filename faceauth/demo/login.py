"""The acts before the camera: the right person, another one, a photograph, a replay, and one among many."""

from collections.abc import Iterator

from faceauth.consent.builtin import LOGIN
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.demo.attempt import attempt, head, told
from faceauth.demo.line import Line, refused
from faceauth.demo.people import Person
from faceauth.demo.stage import Recording, Stage, renamed
from faceauth.errors import ConsentRequired
from faceauth.simulate import Head, Print

FRONT_DESK = "front-desk"
_NOTICE = {
    "en": (
        "# Being greeted at the front desk\n\n"
        "**You choose.** This is an extra, apart from signing in. If you say no, the desk asks for your name.\n\n"
        "**What for.** When you look into the desk's camera, your face is compared with everybody's who said yes "
        "to this, to find your name. Nothing else.\n\n"
        "**How to stop.** Choose “withdraw”, where you agreed. Your face is erased from the desk at once.\n"
    ),
    "zh": (
        "# 前台问候\n\n**由您决定。** 这是登录之外的附加功能。如果您不同意，前台会询问您的姓名。\n\n"
        "**用途。** 当您看向前台的摄像头时，系统会把您的面部与所有同意者进行比对，以找到您的姓名，别无他用。\n\n"
        "**如何停止。** 在同意的地方选择“撤回”，您的面部数据会立即从前台删除。\n"
    ),
}


def right_person(stage: Stage) -> Iterator[Line]:
    """Ann logs in."""
    ann = stage.cast.ann
    outcome, tries = attempt(stage, "verify", LOGIN, ann.account, _others(ann))
    good = outcome.accepted and outcome.account == ann.account and outcome.id_token is not None
    yield Line(
        "Ann logs in",
        told(outcome) + tries,
        "The right person, live, with her consent read again in the transaction that accepts.",
        as_expected=good,
    )
    if outcome.id_token is None:
        return
    claims = stage.installation.tokens.check(outcome.id_token, expected_audience=DEFAULT_TENANT)
    yield Line(
        "What does the application get?",
        f"an ES256 token: sub {claims.account}, aud {claims.tenant}, amr {', '.join(claims.amr)}, valid for "
        f"{(claims.expires_at - claims.auth_time).total_seconds() / 60:.0f} minutes",
        "It says who and how. No score is in it, and no claim of a second factor.",
        as_expected=claims.account == ann.account and claims.amr == ("face",),
    )


def another_person(stage: Stage) -> Iterator[Line]:
    """Ben sits down in Ann's session."""
    ben = stage.cast.ben
    outcome, tries = attempt(stage, "verify", LOGIN, stage.cast.ann.account, _others(ben), until="mismatch")
    yield Line(
        "Ben, a living person, tries to log in as Ann",
        told(outcome) + tries,
        "Being alive is not being Ann; the device is not told which of the two it was.",
        as_expected=outcome.device == "denied" and outcome.reason == "mismatch",
    )


def flat_photograph(stage: Stage) -> Iterator[Line]:
    """A print of Ann's own photograph, turned as asked."""
    photo = stage.cast.ann.first
    sheet = Print(photo.image, photo.landmarks)
    outcome = stage.perform(stage.open("verify", LOGIN, stage.cast.ann.account), sheet)
    yield Line(
        "A print of Ann's photograph is held up and turned as the session asks",
        told(outcome),
        "Her face is not enough: a turned sheet moves unlike a head.",
        as_expected=outcome.device == "denied" and outcome.reason == "liveness" and outcome.gate is not None,
    )


def replay(stage: Stage, recording: Recording) -> Iterator[Line]:
    """The frames of Ann's own login, sent once more."""
    opened = stage.open("verify", LOGIN, stage.cast.ann.account)
    outcome = stage.send(opened, renamed(recording, opened))
    yield Line(
        "The frames of Ann's accepted login are sent again in a new session",
        told(outcome),
        "A recording opens nothing, though every picture in it is genuine.",
        as_expected=outcome.device == "denied" and outcome.reason in {"injection", "liveness"},
    )


def new_scenario(stage: Stage) -> Iterator[Line]:
    """A second purpose: asked again, enrolled apart, found among others."""
    place, cast = stage.installation, stage.cast
    with place.data.begin() as conn:
        place.scenarios.create(
            conn,
            tenant=DEFAULT_TENANT,
            scenario=FRONT_DESK,
            mode="identify",
            titles={"en": "Be greeted at the front desk", "zh": "前台问候"},
            retention_days=90,
            liveness_profile="motion",
            notices=_NOTICE,
            now=place.clock(),
        )
    yield refused(
        "An administrator adds a scenario that finds people among many; use Ann's face for it too",
        lambda: stage.open("enrol", FRONT_DESK, cast.ann.account),
        expected=ConsentRequired,
        proves="A yes to one purpose is no yes to another.",
    )
    for person in cast.enrolled:
        stage.answer(person.account, FRONT_DESK)
        outcome, tries = attempt(stage, "enrol", FRONT_DESK, person.account, (head(person, person.first),))
        stored = stage.remember(person.account, FRONT_DESK) if outcome.accepted else 0
        yield Line(
            f"{person.name} is asked, agrees, and enrols for the front desk",
            f"{told(outcome)}{tries}; {stored} references",
            "Each purpose has its own consent and its own references.",
            as_expected=outcome.accepted and stored > 0,
        )
    outcome, tries = attempt(stage, "identify", FRONT_DESK, None, _others(cast.ann))
    yield Line(
        "Ann looks into the desk's camera and gives no name",
        f"{told(outcome)} as {outcome.account}, among {len(cast.enrolled)} people{tries}",
        "One is found among those who agreed to be looked for.",
        as_expected=outcome.accepted and outcome.account == cast.ann.account,
    )
    outcome, tries = attempt(stage, "identify", FRONT_DESK, None, _others(cast.ben), until="mismatch")
    yield Line(
        "Ben, who never agreed, looks into it",
        told(outcome) + tries,
        "Whoever did not agree is not in the index, and resembles nobody in it.",
        as_expected=outcome.device == "denied" and outcome.reason == "mismatch",
    )


def _others(person: Person) -> tuple[Head, ...]:
    """Return heads that wear the photographs the person did not enrol with."""
    return tuple(head(person, photo) for photo in person.others)
