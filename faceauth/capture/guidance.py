"""What to tell the person while capturing. The codes are part of the contract; the numbers stay inside (R24)."""

from collections.abc import Sequence
from dataclasses import dataclass

from faceauth.types import DetectedFace, Quality

NO_FACE = "no_face"
MANY_FACES = "many_faces"


@dataclass(frozen=True, slots=True)
class CaptureProfile:
    """Limits of a frame that can be judged. How each was chosen: docs/capture.md.

    `min_eye_distance` in pixels (LIVENESS G1); `max_eye_share` is of the picture's width; `border` is the share of
    the face's box that may lie outside the picture; `second_face` is how wide another face may be, as a share of
    the subject's; `max_step` is how far the face may jump between two frames, in eye distances.
    """

    min_eye_distance: float = 50.0
    max_eye_share: float = 0.42
    border: float = 0.10
    second_face: float = 0.5
    min_brightness: float = 40.0
    max_brightness: float = 235.0
    min_contrast: float = 6.0
    min_sharpness: float = 10.0
    min_features: float = 0.2
    max_step: float = 1.0


DEFAULT = CaptureProfile()


def size_and_place(
    face: DetectedFace, eye_distance: float, size: tuple[int, int], profile: CaptureProfile
) -> str | None:
    """Return what is wrong with where the face is, if anything.

    Args:
        face: the subject's face.
        eye_distance: pixels between its eyes, as if it faced the camera.
        size: width and height of the picture.
        profile: the limits.
    """
    if eye_distance < profile.min_eye_distance:
        return "too_far"
    if eye_distance > profile.max_eye_share * size[0]:
        return "too_close"
    left, top, width, height = face.box
    outside = max(-left, left + width - size[0], 0) / width + max(-top, top + height - size[1], 0) / height
    return "off_centre" if outside > profile.border else None


def light_and_blur(quality: Quality, profile: CaptureProfile) -> str | None:
    """Return what is wrong with how the face looks, if anything."""
    if quality.brightness < profile.min_brightness:
        return "too_dark"
    if quality.brightness > profile.max_brightness:
        return "too_bright"
    if quality.contrast < profile.min_contrast:
        return "too_dark" if quality.brightness < 128 else "too_bright"
    if quality.sharpness < profile.min_sharpness:
        return "blurred"
    return "occluded" if quality.features < profile.min_features else None


def second_face(faces: Sequence[DetectedFace], subject: DetectedFace, profile: CaptureProfile) -> bool:
    """Say whether somebody else is in the picture, as large as to matter."""
    return any(face is not subject and face.box[2] >= profile.second_face * subject.box[2] for face in faces)
