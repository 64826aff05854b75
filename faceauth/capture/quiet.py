"""What the C libraries print is kept from the process's error stream, and taken as evidence instead.

libjpeg and libpng, inside OpenCV, write warnings about damaged pictures straight to file descriptor 2 and
decode on with grey or repeated pixels. There is no switch for it. A service must neither let a stranger fill its
log that way nor judge a damaged frame, so the descriptor is turned aside while a picture is decoded.
"""

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

_lock = threading.Lock()

PREFIXES = (
    b"Corrupt JPEG",
    b"Premature end of JPEG",
    b"Invalid SOS",
    b"Invalid JPEG",
    b"Invalid component",
    b"Invalid progressive",
    b"Inconsistent progression",
    b"Unsupported JPEG",
    b"Unsupported marker",
    b"Unknown Adobe",
    b"Warning: unknown JFIF",
    b"Application transferred too",
    b"Obtained EXIF",
    b"libpng ",
    b"[ WARN:",
    b"[ERROR:",
    b"[FATAL:",
)
"""How the lines of libjpeg, libpng and OpenCV's log begin; any other line is another thread's and is passed on."""


@dataclass(slots=True)
class Heard:
    """Whether a library complained."""

    complained: bool = False


@contextmanager
def library_messages() -> Iterator[Heard]:
    """Keep the libraries' messages from file descriptor 2 inside the block.

    One thread at a time may be inside, because a descriptor belongs to the whole process. Lines that another
    thread writes meanwhile are passed on when the block ends.

    Yields:
        What was heard; it is filled when the block ends.
    """
    heard = Heard()
    with _lock, _scratch() as scratch:
        try:
            kept = os.dup(2)
        except OSError:
            # A daemon without an error stream: nothing to keep clean, but a message would go to whatever file
            # took the number, so it is still turned aside.
            kept = os.open(os.devnull, os.O_WRONLY)
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.flush()
        os.dup2(scratch, 2)
        try:
            yield heard
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            heard.complained = _sort(scratch)


@contextmanager
def _scratch() -> Iterator[int]:
    """Yield a descriptor of a file without a name, in memory where the system can."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("faceauth-messages")
        try:
            yield descriptor
        finally:
            os.close(descriptor)
    else:
        with tempfile.TemporaryFile() as file:
            yield file.fileno()


def _sort(scratch: int) -> bool:
    """Pass on what others wrote and say whether a library wrote anything."""
    if os.fstat(scratch).st_size == 0:
        return False
    os.lseek(scratch, 0, os.SEEK_SET)
    with os.fdopen(os.dup(scratch), "rb") as file:
        lines = file.read().splitlines(keepends=True)
    others = b"".join(line for line in lines if not line.startswith(PREFIXES))
    if others:
        with suppress(OSError):
            os.write(2, others)
    return any(line.startswith(PREFIXES) for line in lines)
