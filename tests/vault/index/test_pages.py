"""Large pages: advice that changes no byte, and is taken where Linux has them."""

import mmap
from pathlib import Path

import numpy as np
import pytest

from faceauth.vault.index.pages import ask_for_large_pages


@pytest.mark.parametrize(("first", "size"), [(0, 8_192), (100, 100), (5, 5_000), (4_000, 200), (7, 0)])
def test_what_is_written_stays(first: int, size: int) -> None:
    """Whatever the memory's place in its pages, and if it covers none of them."""
    memory = np.arange(16_384, dtype=np.uint8)
    ask_for_large_pages(memory[first : first + size])
    assert np.array_equal(memory, np.arange(16_384, dtype=np.uint8))


def test_linux_is_asked() -> None:
    """The map's flags tell `hg`: huge pages were advised."""
    maps = Path("/proc/self/smaps")
    if not Path("/sys/kernel/mm/transparent_hugepage").exists() or "VmFlags" not in maps.read_text(
        encoding="ascii"
    ):
        pytest.skip("this system has no large pages, or does not tell")
    memory = np.frombuffer(mmap.mmap(-1, 8 << 20), np.uint8)
    ask_for_large_pages(memory)
    flags, inside = [], False
    for line in maps.read_text(encoding="ascii").splitlines():
        first, *rest = line.split()
        if not first.endswith(":"):
            start, end = (int(number, 16) for number in first.split("-"))
            inside = start <= memory.ctypes.data < end
        elif inside and first == "VmFlags:":
            flags = rest
    assert "hg" in flags
