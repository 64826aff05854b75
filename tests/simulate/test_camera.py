"""The simulated camera's geometry: what turns which way, what hides what, where the texture comes to lie."""

import cv2
import numpy as np
import pytest

from faceauth.errors import InvalidRequest
from faceauth.simulate.camera import Camera
from faceauth.simulate.light import Light, Placement
from faceauth.simulate.surface import Head, Print, Subject, Surface
from faceauth.types import Image, Points, Pose

FACING = Placement(Pose(0, 0, 0))
POSES = [Pose(0, 0, 0), Pose(24, 0, 0), Pose(-24, 3, 4), Pose(0, 14, 0), Pose(0, -14, -5)]


def draw(surface: Surface, at: Placement, camera: Camera) -> Image:
    canvas = np.zeros((camera.size[1], camera.size[0], 3), np.float32)
    camera.draw(surface, at, Light(), canvas)
    return np.clip(canvas, 0, 255).astype(np.uint8)


def nose_off(points: Points) -> float:
    """How far the nose is off the eyes' middle, in eye distances."""
    return float((points[2] - points[:2].mean(axis=0))[0] / np.hypot(*(points[1] - points[0])))


def test_a_turn_to_the_left_moves_the_nose_to_the_pictures_right(photo: Image, landmarks: Points) -> None:
    """As API.md has it: positive yaw is the nose going to the picture's right; a solid nose stands out."""
    camera, surface = Camera(), Head(photo, landmarks).surface
    facing, left, right = (
        nose_off(camera.project(surface.landmarks, surface, Placement(Pose(yaw, 0, 0)))) for yaw in (0, 20, -20)
    )
    assert left - facing > 0.10
    assert right - facing < -0.10


def test_a_nod_up_moves_the_nose_up(photo: Image, landmarks: Points) -> None:
    camera, surface = Camera(), Head(photo, landmarks).surface
    heights = [
        float((points[2, 1] - points[:2, 1].mean()) / (points[3:, 1].mean() - points[:2, 1].mean()))
        for points in (
            camera.project(surface.landmarks, surface, Placement(Pose(0, pitch, 0))) for pitch in (-14, 0, 14)
        )
    ]
    assert heights[0] > heights[1] > heights[2]


@pytest.mark.parametrize("yaw", [-30, -15, 15, 30])
def test_five_points_of_a_turned_print_stay_one_plane(photo: Image, landmarks: Points, yaw: float) -> None:
    """A homography carries every pose of a flat sheet into every other: it has no parallax."""
    camera, surface = Camera(), Print(photo, landmarks).surface
    grid = np.stack([part[::24, ::24].ravel() for part in (surface.x, surface.y, surface.z)], axis=1)
    seen = [camera.project(grid, surface, Placement(Pose(angle, 4, 3))).astype(np.float64) for angle in (0, yaw)]
    carry, _ = cv2.findHomography(seen[0], seen[1])
    carried = cv2.perspectiveTransform(seen[0][None], carry)[0]
    assert np.abs(carried - seen[1]).max() < 0.01


def test_a_turned_head_is_no_plane(photo: Image, landmarks: Points) -> None:
    camera, surface = Camera(), Head(photo, landmarks).surface
    inside = np.s_[40:190:8, 40:165:8]
    grid = np.stack([part[inside].ravel() for part in (surface.x, surface.y, surface.z)], axis=1)
    seen = [camera.project(grid, surface, Placement(Pose(yaw, 0, 0))).astype(np.float64) for yaw in (0, 20)]
    carry, _ = cv2.findHomography(seen[0], seen[1])
    carried = cv2.perspectiveTransform(seen[0][None], carry)[0]
    assert np.abs(carried - seen[1]).max() > 5


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("kind", ["head", "print", "bent"])
def test_the_picture_shows_the_landmarks_where_they_are_said_to_be(
    photo: Image, landmarks: Points, kind: str, pose: Pose
) -> None:
    """White dots were painted at the landmarks: their centres come out within a pixel and a half of the truth."""
    subject: Subject = Head(photo, landmarks)
    if kind != "head":
        subject = Print(photo, landmarks, radius=2.0 if kind == "bent" else np.inf)
    camera, surface, at = Camera(), subject.surface_at(0), Placement(pose)
    white = draw(surface, at, camera).min(axis=2).astype(np.float64)
    for number, (x, y) in enumerate(camera.project(surface.landmarks, surface, at)):
        left, top = int(x) - 11, int(y) - 11
        part = np.clip(white[top : top + 23, left : left + 23] - 165, 0, None)
        rows, columns = np.mgrid[0:23, 0:23]
        assert part.sum() > 0, f"point {number} is hidden"
        found = np.array([(columns * part).sum(), (rows * part).sum()]) / part.sum() + (left, top)
        # A nose's dot lies on a steep slope and is seen partly; the others are nearly whole.
        assert np.hypot(*(found - (x, y))) < (4.5 if number == 2 and kind == "head" else 1.5), number


def test_facing_the_camera_the_head_looks_like_the_photograph(photo: Image, landmarks: Points) -> None:
    """The map from picture to texture is smooth: no jitter of whole pixels, no holes."""
    camera = Camera(eye_distance=80.0)
    flat = draw(Print(photo, landmarks).surface, FACING, camera).astype(np.float32)
    middle = np.s_[190:290, 270:370]
    source = photo[170:270, 150:250].astype(np.float32)
    shown = flat[middle].astype(np.float32)
    found = cv2.matchTemplate(flat, source[20:80, 20:80], cv2.TM_CCOEFF_NORMED)
    assert float(found.max()) > 0.98
    assert shown.min() > 0, "a hole in the sheet"


def test_the_nearer_part_hides_the_farther(landmarks: Points) -> None:
    """The farther a head turns, the more of the cheek behind its nose is gone; the other cheek stays."""
    photo = np.full((480, 400, 3), 60, np.uint8)
    cv2.circle(photo, (175, 232), 3, (255, 0, 0), -1)  # 0.31 eye distances beside the nose
    cv2.circle(photo, (225, 232), 3, (0, 0, 255), -1)
    surface = Head(photo, landmarks).surface
    left, right = [], []
    for yaw in (-38, 0, 38):
        seen = draw(surface, Placement(Pose(yaw, 0, 0)), Camera(eye_distance=80.0))
        left.append(int((seen[..., 0] > 140).sum()))
        right.append(int((seen[..., 2] > 140).sum()))
    assert min(left[1], right[1]) > 20
    assert left[0] < 0.3 * left[1] < left[2]
    assert right[2] < 0.3 * right[1] < right[0]


def test_a_surface_outside_the_picture_is_not_drawn(photo: Image, landmarks: Points) -> None:
    camera = Camera()
    assert draw(Head(photo, landmarks).surface, Placement(Pose(0, 0, 0), (30.0, 0.0, 0.0)), camera).max() == 0


@pytest.mark.parametrize("change", ["grey", "four points", "not a number", "eyes too close"])
def test_what_is_no_portrait_is_refused(photo: Image, landmarks: Points, change: str) -> None:
    points = landmarks.copy()
    if change == "not a number":
        points[0, 0] = np.nan
    elif change == "eyes too close":
        points = (points / 20).astype(np.float32)
    picture = photo[..., 0] if change == "grey" else photo
    with pytest.raises(InvalidRequest):
        Head(picture, points[:4] if change == "four points" else points)
