"""What makes a face fit to compare, measured on its chip and its five landmarks."""

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.types import ChipTemplate, Image, Points, Pose, Quality

SIDE = 128
"""The chip is brought to this size first, so that figures mean the same for every pack."""

NOSE = 0.415
"""How far the nose tip leaves the middle of the eyes per tangent of yaw, in eye distances. Fitted on drawn heads
of 17 photographs turned by known angles (docs/capture.md); faces differ, so an angle is good to about ±14°."""

NOSE_HEIGHT, NOSE_RISE = 0.594, 0.324
"""Where the nose tip lies between eyes (0) and mouth (1) when facing the camera, and how far it rises per tangent
of pitch; fitted in the same way, good to about ±18°."""

_EYES_AND_MOUTH = (0, 1, 3, 4)


def measure(chip: Image, landmarks: Points, template: ChipTemplate) -> Quality:
    """Measure one face.

    Args:
        chip: the aligned face, (size, size, 3), RGB.
        landmarks: its five points in the picture, shape (5, 2), pixels.
        template: where they lie in the chip.
    """
    if margin := template.margin:
        chip = chip[margin:-margin, margin:-margin]
        template = ChipTemplate(size=template.size - 2 * margin, points=template.points - margin)
    grey = cv2.cvtColor(
        np.asarray(cv2.resize(chip, (SIDE, SIDE), interpolation=cv2.INTER_AREA)), cv2.COLOR_RGB2GRAY
    )
    face = np.asarray(grey[24:104, 24:104], np.float32)
    contrast = float(face.std())
    sharpness = float(cv2.Laplacian(grey, cv2.CV_32F)[16:112, 16:112].var())
    brightness = float(face.mean())
    eye_distance = float(np.linalg.norm(landmarks[1] - landmarks[0]))
    pose = estimate_pose(landmarks)
    return Quality(
        eye_distance=eye_distance,
        pose=pose,
        sharpness=sharpness,
        brightness=brightness,
        contrast=contrast,
        weight=_weight(pose, sharpness, brightness, eye_distance),
        features=_features(np.asarray(grey, np.float32), template) / max(contrast, 1.0),
    )


def estimate_pose(landmarks: Points) -> Pose:
    """Estimate the head's angles from five landmarks, shape (5, 2).

    The nose stands out, so it moves against eyes and mouth when the head turns. A flat picture of a turned face
    gives the same angles: they serve guidance and the choice of frames, never liveness.
    """
    points = np.asarray(landmarks, np.float64)
    along = points[1] - points[0]
    distance = max(float(np.hypot(*along)), 1e-6)
    x_axis = along / distance
    y_axis = np.array([-x_axis[1], x_axis[0]])
    middle = (points[0] + points[1]) / 2
    nose, mouth = points[2] - middle, (points[3] + points[4]) / 2 - middle
    across = float(nose @ x_axis) / distance
    height = float(nose @ y_axis) / max(float(mouth @ y_axis), 1e-6)
    yaw = np.degrees(np.arctan(across / NOSE))
    pitch = np.degrees(np.arctan((NOSE_HEIGHT - height) / NOSE_RISE))
    roll = np.degrees(np.arctan2(along[1], along[0]))
    return Pose(yaw=float(yaw), pitch=float(pitch), roll=float(roll))


def _weight(pose: Pose, sharpness: float, brightness: float, eye_distance: float) -> float:
    """Return how much this frame counts: each part is 1 for a good frame and falls smoothly.

    The shapes are this project's own. Half the weight is gone at 25° of yaw, 35° of pitch, a sharpness of 12, and
    30 pixels between the eyes.
    """
    facing = 1 / (1 + (pose.yaw / 25) ** 2) / (1 + (pose.pitch / 35) ** 2)
    sharp = sharpness / (sharpness + 12)
    large = eye_distance**2 / (eye_distance**2 + 30**2)
    exposed = float(np.exp(-(((brightness - 128) / 110) ** 2)))
    return float(np.clip(facing * sharp * large * exposed, 0.0, 1.0))


def _features(grey: NDArray[np.float32], template: ChipTemplate) -> float:
    """Return the least contrast on an eye or a corner of the mouth: a hand or a mask is smooth there."""
    spots = np.rint(template.points[list(_EYES_AND_MOUTH)] * (SIDE / template.size)).astype(int)
    patches = [grey[y - 9 : y + 9, x - 11 : x + 11] for x, y in spots]
    return min(float(patch.std()) for patch in patches if patch.size)
