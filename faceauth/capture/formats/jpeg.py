"""JPEG: walk the markers to the end before decoding (ITU-T T.81, Annex B)."""

import re
import struct

from faceauth.capture.formats import exif
from faceauth.capture.formats.header import Header, check_size, trailing, truncated
from faceauth.errors import InvalidImage

SIGNATURE = b"\xff\xd8\xff"
MAX_SCANS = 20
"""Encoders write up to a dozen scans; each costs a pass over the whole picture, so hundreds are an attack."""

FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
READABLE = {0xC0: "baseline", 0xC1: "extended sequential", 0xC2: "progressive"}
SOI, EOI, SOS, APP1 = 0xD8, 0xD9, 0xDA, 0xE1
END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""The first marker that is no stuffed zero and no restart: it ends the entropy-coded bytes.

`re` looks for one literal byte nineteen times as fast as for a run of them; so fill bytes, which may stand before
a marker, are skipped.
"""


def read(data: bytes, *, max_pixels: int) -> Header:
    """Check a JPEG's structure from its first to its last byte.

    Args:
        data: the whole file.
        max_pixels: the cap on width × height.

    Returns:
        Its size and orientation.

    Raises:
        ImageTooLarge: more than `max_pixels`.
        InvalidImage: lossless, arithmetic-coded, 12-bit, CMYK, truncated, malformed, or followed by other bytes.
    """
    size: tuple[int, int] | None = None
    turned = 1
    scans = 0
    position = 2
    while True:
        marker, position = _next_marker(data, position)
        if marker == EOI:
            break
        body, position = _segment(data, position)
        if marker in FRAME_HEADERS:
            if size is not None:
                raise InvalidImage("The JPEG has two frame headers; send one plain picture.")
            size = _frame(marker, body)
            check_size(*size, max_pixels=max_pixels)
        elif marker == APP1 and body[:6] == b"Exif\0\0" and turned == 1:
            turned = exif.orientation(body[6:])
        elif marker == SOS:
            scans += 1
            if size is None or scans > MAX_SCANS:
                raise InvalidImage("The JPEG's scans are not in order or too many; send a plain photograph.")
            position = _end_of_scan(data, position)
    if size is None or scans == 0:
        raise InvalidImage("The JPEG holds no picture; send a photograph.")
    if position != len(data):
        raise trailing("JPEG")
    return Header(*size, turned)


def _next_marker(data: bytes, position: int) -> tuple[int, int]:
    """Return the marker at `position` and the place after it; any number of fill bytes may stand before it."""
    if position + 2 > len(data):
        raise truncated("JPEG")
    if data[position] != 0xFF:
        raise InvalidImage("The JPEG is malformed: a marker is missing; send it again.")
    while position < len(data) and data[position] == 0xFF:
        position += 1
    if position >= len(data):
        raise truncated("JPEG")
    marker = data[position]
    if marker < 0xC0 or marker == SOI or 0xD0 <= marker <= 0xD7:
        raise InvalidImage(f"The JPEG is malformed: marker {marker:#04x} has no place there; send it again.")
    return marker, position + 1


def _end_of_scan(data: bytes, position: int) -> int:
    """Return the place of the marker that ends the entropy-coded bytes, after any fill bytes."""
    end = END_OF_SCAN.search(data, position)
    if end is None:
        raise truncated("JPEG")
    return end.start()


def _segment(data: bytes, position: int) -> tuple[bytes, int]:
    """Return a segment's body and the place after it."""
    if position + 2 > len(data):
        raise truncated("JPEG")
    (length,) = struct.unpack_from(">H", data, position)
    if length < 2:
        raise InvalidImage("The JPEG is malformed: a segment is too short; send it again.")
    if position + length > len(data):
        raise truncated("JPEG")
    return data[position + 2 : position + length], position + length


def _frame(marker: int, body: bytes) -> tuple[int, int]:
    """Return width and height from a frame header, refusing what this service does not read."""
    if marker not in READABLE:
        raise InvalidImage("Lossless and arithmetic-coded JPEG is not read; send a baseline JPEG.")
    if len(body) < 6:
        raise truncated("JPEG")
    bits, height, width, components = struct.unpack_from(">BHHB", body)
    if bits != 8:
        raise InvalidImage(f"A JPEG of {bits} bits is not read; send 8 bits a channel.")
    if components == 4:
        raise InvalidImage("A CMYK or YCCK JPEG is not read; send an RGB photograph.")
    if components not in {1, 3} or len(body) != 6 + 3 * components:
        raise InvalidImage("The JPEG's channels are malformed; send an RGB photograph.")
    return width, height
