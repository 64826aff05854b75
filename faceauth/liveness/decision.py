"""The decision over all gates, and the only maker of a `LiveCapture`."""

from collections.abc import Callable, Sequence

from faceauth.errors import LivenessDenied, LivenessInconclusive
from faceauth.liveness.case import Case
from faceauth.liveness.continuity import check_size
from faceauth.liveness.flash import check_flash
from faceauth.liveness.identity import best_faces, check_identity
from faceauth.liveness.integrity import by_step, check_integrity
from faceauth.liveness.motion import Nose, check_motion
from faceauth.liveness.passive import check_passive
from faceauth.liveness.profiles import Profile
from faceauth.liveness.solid import check_parallax, check_solid
from faceauth.liveness.timing import check_timing
from faceauth.types import AlignedFace, Challenge, Embedder, Evidence, LiveCapture, PassiveModels, Recorder


def judge(
    session_id: str,
    challenge: Challenge,
    faces: Sequence[AlignedFace],
    *,
    embedder: Embedder,
    profile: Profile,
    passive: PassiveModels | None = None,
    evidence: Evidence | None = None,
    record: Recorder | None = None,
) -> LiveCapture:
    """Pass a burst through every gate of its profile, or deny.

    Args:
        session_id: the session that the burst answers.
        challenge: what the person was asked to do.
        faces: the one face of every frame, in order.
        embedder: tells whether the frames show one person.
        profile: the gates' thresholds.
        passive: the passive models; a profile that names them denies without.
        evidence: what is known of the burst beside its frames.
        record: is told what each gate measured.

    Returns:
        The burst's best frames that face the camera.

    Raises:
        LivenessInconclusive: a gate could not tell; one more motion may be asked for, once.
        LivenessDenied: a gate denied; `gate` names it. Whatever goes wrong inside denies too: gate `error` (R4).
    """
    case = Case(
        challenge=challenge,
        faces=tuple(faces),
        profile=profile,
        embedder=embedder,
        passive=passive,
        evidence=evidence or Evidence(),
        record=record or _forget,
    )
    try:
        facing, doubt = _judge(case)
    except LivenessDenied:
        raise
    except Exception as error:
        raise LivenessDenied("error", f"Liveness could not be judged ({type(error).__name__}).") from error
    if doubt is not None and challenge.extra:
        # Asked for once more, and still not clear.
        raise LivenessDenied(doubt.gate, str(doubt))
    if doubt is not None:
        raise doubt
    return LiveCapture(session_id=session_id, profile=profile.name, faces=facing)


def _judge(case: Case) -> tuple[tuple[AlignedFace, ...], LivenessInconclusive | None]:
    """Return the frames that go on to be embedded, and the first gate that could not tell; the others passed.

    A gate that denies is heard before one that cannot tell.
    """
    doubts: list[LivenessInconclusive] = []
    challenge, faces, profile = case.challenge, case.faces, case.profile
    check_integrity(challenge, [face.frame for face in faces], profile)
    check_timing(case)
    steps = by_step(challenge, faces)
    check_size(faces, steps[0], profile, case.record)
    seen = Nose(faces, steps[0])
    check_motion(challenge, steps, seen, profile, case.record)
    solid = check_solid(case, steps, seen)
    case.record("parallax", "gamma", solid.gamma)
    facing = best_faces(challenge, faces, steps, seen, profile)
    check_identity(facing, [faces[frame] for frame in solid.turned], case.embedder, profile, case.record)
    checks: list[Callable[[], None]] = [lambda: check_parallax(solid.gamma, profile)]
    if profile.flash:
        checks.append(lambda: check_flash(case, solid.shown, seen.rest))
    if profile.passive:
        checks.append(lambda: check_passive(case, steps, seen, facing))
    for check in checks:
        try:
            check()
        except LivenessInconclusive as doubt:
            doubts.append(doubt)
    return facing, doubts[0] if doubts else None


def _forget(gate: str, name: str, value: float) -> None:
    """Record nothing."""
