"""The decision over all gates, and the only maker of a `LiveCapture`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from faceauth.errors import LivenessDenied, LivenessInconclusive
from faceauth.liveness.case import Case
from faceauth.liveness.continuity import check_size
from faceauth.liveness.flash import check_flash
from faceauth.liveness.identity import best_faces, check_identity
from faceauth.liveness.integrity import by_step, check_integrity
from faceauth.liveness.motion import Nose, check_motion
from faceauth.liveness.parallax import check_parallax
from faceauth.liveness.passive import check_passive
from faceauth.liveness.profiles import Profile
from faceauth.liveness.solid import check_solid
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

    A gate that denies is heard before one that cannot tell. The gates after it are gone through all the same, as
    far as they can be: how long a denial took would otherwise tell the device which gate it was (R25).
    """
    heard = _Heard()
    try:
        facing = _go_through(case, heard)
    except LivenessInconclusive as doubt:
        raise heard.denial or doubt from None
    except Exception as error:
        if heard.denial is None:
            raise
        raise heard.denial from error
    if heard.denial is not None:
        raise heard.denial
    return facing, heard.doubt


@dataclass(slots=True)
class _Heard:
    """The first gate that denied, and the first that could not tell."""

    denial: LivenessDenied | None = None
    doubt: LivenessInconclusive | None = None

    def ask(self, gate: Callable[[], None]) -> None:
        """Go through a gate, and on after it if it denies."""
        try:
            gate()
        except LivenessInconclusive:
            raise
        except LivenessDenied as denial:
            self.denial = self.denial or denial

    def ask_gently(self, gate: Callable[[], None]) -> None:
        """The same, and on after it if it cannot tell."""
        try:
            self.ask(gate)
        except LivenessInconclusive as doubt:
            self.doubt = self.doubt or doubt


def _go_through(case: Case, heard: _Heard) -> tuple[AlignedFace, ...]:
    """Ask every gate in its order, and return the frames that go on to be embedded."""
    challenge, faces, profile = case.challenge, case.faces, case.profile
    heard.ask(lambda: check_integrity(challenge, [face.frame for face in faces], profile))
    heard.ask(lambda: check_timing(case))
    steps = by_step(challenge, faces)
    heard.ask(lambda: check_size(faces, steps[0], profile, case.record))
    seen = Nose(faces, steps[0])
    heard.ask(lambda: check_motion(challenge, steps, seen, profile, case.record))
    solid = check_solid(case, steps, seen)
    case.record("parallax", "gamma", solid.gamma)
    facing = best_faces(challenge, faces, steps, seen, profile)
    turned = [faces[frame] for frame in solid.turned]
    heard.ask(lambda: check_identity(facing, turned, case.embedder, profile, case.record))
    heard.ask_gently(lambda: check_parallax(solid.gamma, profile))
    if profile.flash:
        heard.ask_gently(lambda: check_flash(case, solid.shown, seen.rest))
    if profile.passive:
        heard.ask_gently(lambda: check_passive(case, steps, seen, facing))
    return facing


def _forget(gate: str, name: str, value: float) -> None:
    """Record nothing."""
