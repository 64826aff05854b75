"""The scan: every byte of the folder against what must not be in it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceauth.vault.scan import Hit, scan, vector_needles


def needles(templates: Sequence[NDArray[np.float32]]) -> list[bytes]:
    """Return templates as bytes to look for: single and double precision, both byte orders."""
    return [needle for template in templates for needle in vector_needles(template)]


def found_in(folder: Path, looked_for: Sequence[bytes]) -> list[Hit]:
    """Return where the needles, or 16-byte pieces of them, lie: as bytes, in hexadecimal, in base64."""
    return scan([folder], looked_for) if looked_for else []


def size_of(folder: Path) -> tuple[int, int]:
    """Return how many files and bytes there are."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)
