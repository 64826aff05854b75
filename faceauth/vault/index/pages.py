"""Large pages for what every search reads from end to end."""

import ctypes
import mmap
import sys

import numpy as np
from numpy.typing import NDArray


def ask_for_large_pages(memory: NDArray[np.uint8]) -> None:
    """Ask Linux to lay memory that was not written yet out in pages of 2 MiB; without them it works as well.

    A scan of 20 MB in pages of 4 KiB waits for the table of 5,000 of them. Where the system's setting is `never`,
    or it is another system, nothing happens.

    Args:
        memory: Shape (n,), contiguous.
    """
    if sys.platform != "linux":
        return
    page = mmap.PAGESIZE
    first, end = -(-memory.ctypes.data // page) * page, (memory.ctypes.data + memory.nbytes) // page * page
    if end > first:
        # A refusal is no error: it is advice.
        ctypes.CDLL(None).madvise(ctypes.c_void_p(first), ctypes.c_size_t(end - first), mmap.MADV_HUGEPAGE)
