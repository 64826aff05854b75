"""The decision over all gates, and the only maker of a `LiveCapture`."""

from collections.abc import Sequence

from faceauth.errors import LivenessDenied
from faceauth.liveness.identity import best_faces, check_identity
from faceauth.liveness.integrity import by_step, check_integrity
from faceauth.liveness.motion import Nose, check_motion
from faceauth.liveness.profiles import Profile
from faceauth.liveness.solid import check_solid
from faceauth.types import AlignedFace, Challenge, Embedder, LiveCapture


def judge(
    session_id: str,
    challenge: Challenge,
    faces: Sequence[AlignedFace],
    *,
    embedder: Embedder,
    profile: Profile,
) -> LiveCapture:
    """Pass a burst through every gate of its profile, or deny.

    Args:
        session_id: the session that the burst answers.
        challenge: what the person was asked to do.
        faces: the one face of every frame, in order.
        embedder: tells whether the frames show one person.
        profile: the gates' thresholds.

    Returns:
        The burst's best frames that face the camera.

    Raises:
        LivenessDenied: a gate denied; `gate` names it. Whatever goes wrong inside denies too: gate `error` (R4).
    """
    try:
        return _judge(session_id, challenge, tuple(faces), embedder, profile)
    except LivenessDenied:
        raise
    except Exception as error:
        raise LivenessDenied("error", f"Liveness could not be judged ({type(error).__name__}).") from error


def _judge(
    session_id: str, challenge: Challenge, faces: tuple[AlignedFace, ...], embedder: Embedder, profile: Profile
) -> LiveCapture:
    check_integrity(challenge, [face.frame for face in faces], profile)
    steps = by_step(challenge, faces)
    _check_size(faces, steps[0], profile)
    seen = Nose(faces, steps[0])
    check_motion(challenge, steps, seen, profile)
    turned = check_solid(challenge, faces, steps, seen, profile)
    facing = best_faces(challenge, faces, steps, seen, profile)
    check_identity(facing, [faces[frame] for frame in turned], embedder, profile)
    return LiveCapture(session_id=session_id, profile=profile.name, faces=facing)


def _check_size(faces: Sequence[AlignedFace], first_center: range, profile: Profile) -> None:
    if not min(faces[frame].quality.eye_distance for frame in first_center) >= profile.least_eye_px:
        raise LivenessDenied("continuity", "The face is too small to be judged.")
