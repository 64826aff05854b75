"""Boxes as rows of left, top, right, bottom, float32, in pixels: the arithmetic every detector needs."""

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Boxes: TypeAlias = NDArray[np.float32]
"""Shape (n, 4)."""

Scores: TypeAlias = NDArray[np.float32]
"""Shape (n,)."""


_BLOCK = 128
"""How many boxes are held against each other at once: a picture full of faces needs no square of them."""


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
    order = np.argsort(-scores, kind="stable")
    kept = np.empty(0, np.intp)
    for start in range(0, order.size, _BLOCK):
        block = order[start : start + _BLOCK]
        if kept.size:
            block = block[~_lies_on(boxes[kept], boxes[block], overlap, over).any(axis=0)]
        lies_on = _lies_on(boxes[block], boxes[block], overlap, over)
        gone = np.zeros(block.size, np.bool_)
        best = []
        for place in range(block.size):
            if not gone[place]:
                best.append(place)
                gone |= lies_on[place]
        kept = np.concatenate([kept, block[best]])
    return kept


def squared(boxes: Boxes) -> Boxes:
    """Grow each box's shorter side about its centre until it is a square."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([centres - half, centres + half], axis=1)


def corrected(boxes: Boxes, corrections: Boxes) -> Boxes:
    """Move each edge by its correction, given in units of the box's width and height."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(boxes + corrections * np.concatenate([sides, sides], axis=1), np.float32)


def _lies_on(better: Boxes, boxes: Boxes, overlap: float, over: str) -> NDArray[np.bool_]:
    """Return which boxes lie on which better ones, shape (better, boxes)."""
    low = np.maximum(better[:, None, :2], boxes[None, :, :2])
    high = np.minimum(better[:, None, 2:], boxes[None, :, 2:])
    sides = np.clip(high - low, 0, None)
    shared = sides[:, :, 0] * sides[:, :, 1]
    areas, others = _areas(better)[:, None], _areas(boxes)[None, :]
    whole = np.minimum(areas, others) if over == "smaller" else areas + others - shared
    return np.asarray(shared > overlap * whole, np.bool_)


def _areas(boxes: Boxes) -> NDArray[np.float32]:
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), np.float32)
