"""Boxes as rows of left, top, right, bottom, float32, in pixels: the arithmetic every detector needs."""

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Boxes: TypeAlias = NDArray[np.float32]
"""Shape (n, 4)."""

Scores: TypeAlias = NDArray[np.float32]
"""Shape (n,)."""


def suppress(
    boxes: Boxes, scores: Scores, overlap: float, *, over: Literal["union", "smaller"] = "union"
) -> NDArray[np.intp]:
    """Keep the best of boxes that lie on each other (greedy non-maximum suppression).

    Args:
        boxes: (n, 4).
        scores: (n,), higher is better.
        overlap: a box goes when its intersection with a better one is above this share.
        over: what the share is of: the union of both, or the smaller of the two.

    Returns:
        The indices kept, best first.
    """
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order = np.argsort(-scores, kind="stable")
    kept = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(best)
        shared = _intersections(boxes[best], boxes[rest])
        smaller = np.minimum(areas[best], areas[rest])
        whole = smaller if over == "smaller" else areas[best] + areas[rest] - shared
        order = rest[shared <= overlap * whole]
    return np.asarray(kept, dtype=np.intp)


def squared(boxes: Boxes) -> Boxes:
    """Grow each box's shorter side about its centre until it is a square."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([centres - half, centres + half], axis=1)


def corrected(boxes: Boxes, corrections: Boxes) -> Boxes:
    """Move each edge by its correction, given in units of the box's width and height."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(boxes + corrections * np.concatenate([sides, sides], axis=1), np.float32)


def _intersections(box: NDArray[np.float32], others: Boxes) -> NDArray[np.float32]:
    """Return the areas that one box shares with each other one."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    sides = np.clip(high - low, 0, None)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)
