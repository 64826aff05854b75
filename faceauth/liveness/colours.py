"""The colours of a flash: drawn at random, and what they do to light."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from faceauth.types import Colour

PALETTE: Final = ("#ff0000", "#00ff00", "#0000ff", "#ffff00", "#00ffff", "#ff00ff")
"""The corners of a screen's colour space without black and white, which change no colour on the skin."""

T = TypeVar("T")


def draw(among: Sequence[T], random: Callable[[int], bytes]) -> T:
    """Pick one; eight bytes make the bias of the remainder less than 1 in 10^18."""
    return among[int.from_bytes(random(8), "big") % len(among)]


def draw_colours(count: int, ms: int, random: Callable[[int], bytes]) -> tuple[Colour, ...]:
    """Draw `count` colours of `ms` each, no two alike in a row."""
    drawn: list[str] = []
    while len(drawn) < count:
        drawn.append(draw([rgb for rgb in PALETTE if not drawn or rgb != drawn[-1]], random))
    return tuple(Colour(rgb, ms) for rgb in drawn)


def chroma(rgb: str) -> tuple[float, float]:
    """Return by how much a colour of unit power shifts log R/G and log B/G of what it weakly lights.

    For a share k of the light, log (1 + kR)/(1 + kG) is k(R − G) to first order. The channels are linear light, by
    the curve of sRGB (IEC 61966-2-1).
    """
    red, green, blue = (float(LINEAR[int(rgb[at : at + 2], 16)]) for at in (1, 3, 5))
    return red - green, blue - green


def _linear() -> NDArray[np.float32]:
    value = np.arange(256) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


LINEAR: Final = _linear()
"""Linear light, 0 to 1, of each 8-bit sRGB value, shape (256,)."""
