"""Chooses the threshold a decision is made at, among those that were measured for the embedder."""

import math
from collections.abc import Mapping
from typing import Final

from faceauth.errors import ConfigurationError
from faceauth.types import OperatingPoint

TARGET_FPIR: Final = 0.01
"""How often a search may name somebody for a face that is not in the gallery. This project's own figure (R8)."""


VERIFY_POINT: Final = "fmr-1e-4"
"""The operating point of 1:1 comparisons: at most 1 false match in 10,000 (R1; NIST SP 800-63B-4, 3.2.3)."""


def choose(points: Mapping[str, OperatingPoint], name: str) -> OperatingPoint:
    """Return the operating point of that name.

    Raises:
        ConfigurationError: If it was not measured for this embedder, or is no threshold on a cosine.
    """
    point = points.get(name)
    if point is None:
        known = ", ".join(sorted(points)) or "none"
        raise ConfigurationError(f"The model pack has no operating point {name}; it has: {known}.")
    return check(point)


def for_search(points: Mapping[str, OperatingPoint]) -> dict[str, OperatingPoint]:
    """Return the points that a search may be decided at: none looser than that of 1:1.

    Who gives no name is let in at no looser point than who does, however few people are enrolled.

    Raises:
        ConfigurationError: If there is no point for 1:1.
    """
    floor = choose(points, VERIFY_POINT).threshold
    return {name: point for name, point in points.items() if point.threshold >= floor}


def threshold_for_gallery(
    points: Mapping[str, OperatingPoint], gallery_size: int, target_fpir: float = TARGET_FPIR
) -> OperatingPoint:
    """Return the loosest measured point at which a search of `gallery_size` people stays below `target_fpir`.

    A search makes one comparison a person, so FPIR is at most N × FMR (the union bound; near it while small). The
    FMR counted with is the upper end of the point's interval. Thresholds are taken as measured, never between two
    points: where non-mated scores spread like a bell, the logarithm of the FMR bends down as the threshold rises,
    and a straight line between two points would promise a lower FMR than there is.

    Raises:
        ConfigurationError: If no measured point is strict enough: the gallery is larger than the measurement
            supports.
    """
    if gallery_size < 1 or not 0 < target_fpir < 1:
        raise ConfigurationError("A search needs a gallery of at least one and a target between 0 and 1.")
    fits = [check(point) for point in points.values() if gallery_size * point.fmr_upper <= target_fpir]
    if not fits:
        raise ConfigurationError(
            f"No operating point of the model pack holds for a search of {gallery_size} people: measure it on "
            "more comparisons, or make the gallery smaller."
        )
    # A stricter FMR with a lower threshold would be a mistake in the manifest; then the higher threshold counts.
    loosest = max(fits, key=lambda point: (point.fmr_upper, point.threshold))
    stricter = [point for point in points.values() if point.fmr_upper >= loosest.fmr_upper]
    return max((loosest, *stricter), key=lambda point: point.threshold)


def check(point: OperatingPoint) -> OperatingPoint:
    """Return the point if it can be decided at.

    Raises:
        ConfigurationError: If its threshold is not above 0 and at most 1 (a NaN fails too), or its FMR is no share
            of comparisons.
    """
    # An inner product of 0 says nothing about anybody, and the index returns only what is above it.
    if not (0 < point.threshold <= 1 and 0 <= point.fmr <= point.fmr_upper <= 1 and math.isfinite(point.fnmr)):
        raise ConfigurationError(f"The operating point {point.name} is malformed; repair the model manifest.")
    return point
