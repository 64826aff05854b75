"""Cuts a face out and turns it upright, so that its landmarks lie where the embedder expects them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth import geometry
from faceauth.errors import InvalidImage
from faceauth.types import ChipTemplate, Image, Points


def align(image: Image, landmarks: Points, template: ChipTemplate) -> Image:
    """Return the chip: shape (size, size, 3), RGB; what lies outside the picture is black.

    Args:
        image: the picture.
        landmarks: the face's five points, shape (5, 2).
        template: where they shall come to lie.

    Raises:
        InvalidImage: The landmarks lie in one point, or are not finite.
    """
    matrix = similarity(landmarks, template.points)
    shrink = 1 / float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if shrink > 2:
        # warpAffine looks at four pixels only, so a large face would alias; averaging first keeps what it has.
        image, matrix = _averaged(image, matrix, shrink)
    size = (template.size, template.size)
    return np.asarray(cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR), np.uint8)


def similarity(source: Points, target: Points) -> NDArray[np.float64]:
    """Return what takes landmarks nearest to a template's, shape (2, 3); see ``faceauth.geometry``.

    Raises:
        InvalidImage: The landmarks lie in one point, are not finite, or have no shape.
    """
    matrix = geometry.similarity(source, target)
    if matrix is None:
        raise InvalidImage("The face's landmarks have no shape; send another picture.")
    return matrix


def _averaged(image: Image, matrix: NDArray[np.float64], shrink: float) -> tuple[Image, NDArray[np.float64]]:
    """Shrink the picture by averaging, and let the matrix start from the smaller one."""
    height, width = image.shape[:2]
    size = (max(round(width / shrink), 1), max(round(height / shrink), 1))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    ratio = np.array([width / size[0], height / size[1]])
    # Pixel centres: x in the picture is (x' + 0.5) · ratio − 0.5.
    linear = matrix[:, :2] * ratio
    shift = matrix[:, 2] + matrix[:, :2] @ (0.5 * ratio - 0.5)
    return small, np.column_stack([linear, shift])
