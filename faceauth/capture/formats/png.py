"""PNG: every chunk checked, and only those that hold the picture kept (W3C PNG, third edition)."""

import struct
import zlib
from collections.abc import Iterator

from faceauth.capture.formats import exif
from faceauth.capture.formats.header import Header, check_size, trailing, truncated
from faceauth.errors import InvalidImage

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
ANIMATION = frozenset({b"acTL", b"fcTL", b"fdAT"})
DEPTHS = {0: {1, 2, 4, 8}, 2: {8}, 3: {1, 2, 4, 8}, 4: {8}, 6: {8}}
"""Bit depths read for each colour type; the ones of 16 bits are left out."""


def read(data: bytes, *, max_pixels: int) -> tuple[Header, bytes]:
    """Check a PNG from its first to its last byte.

    Args:
        data: the whole file.
        max_pixels: the cap on width × height.

    Returns:
        Its size and orientation, and the same picture without any chunk but header, palette, transparency and
        pixels: text, profiles and time stamps never reach the decoder.

    Raises:
        ImageTooLarge: more than `max_pixels`.
        InvalidImage: animated, 16-bit, truncated, malformed, or followed by other bytes.
    """
    size: tuple[int, int] | None = None
    turned = 1
    pixels = False
    kept = [SIGNATURE]
    for name, body, whole in _chunks(data):
        if size is None:
            if name != b"IHDR" or len(body) != 13:
                raise InvalidImage("The PNG is malformed: it does not begin with its header; send it again.")
            size = _size(body, max_pixels)
        elif name in ANIMATION:
            raise InvalidImage("An animated PNG is not read; send one still picture.")
        elif name == b"IHDR" or (name not in KEPT and name[0] < 0x61):
            raise InvalidImage("The PNG is malformed: it holds an unknown chunk; send a plain PNG.")
        elif name == b"eXIf":
            turned = exif.orientation(body)
        pixels = pixels or name == b"IDAT"
        if name in KEPT:
            kept.append(whole)
    if size is None or not pixels:
        raise InvalidImage("The PNG holds no picture; send a photograph.")
    return Header(*size, turned), b"".join(kept)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield each chunk's name, body and whole bytes, to IEND, which must be the file's end."""
    position = len(SIGNATURE)
    while True:
        if position + 12 > len(data):
            raise truncated("PNG")
        (length,) = struct.unpack_from(">I", data, position)
        name = data[position + 4 : position + 8]
        end = position + 12 + length
        if end > len(data):
            raise truncated("PNG")
        (checksum,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(memoryview(data)[position + 4 : end - 4]) != checksum:
            raise InvalidImage("The PNG is damaged: a checksum does not fit; send it again.")
        yield name, data[position + 8 : end - 4], data[position:end]
        position = end
        if name == b"IEND":
            break
    if position != len(data):
        raise trailing("PNG")


def _size(body: bytes, max_pixels: int) -> tuple[int, int]:
    """Return width and height from IHDR, refusing what this service does not read."""
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", body)
    check_size(width, height, max_pixels=max_pixels)
    if depth == 16:
        raise InvalidImage("A PNG of 16 bits is not read; send 8 bits a channel.")
    if depth not in DEPTHS.get(colour, ()) or compression or filtering or interlace not in {0, 1}:
        raise InvalidImage("The PNG's header is malformed; send a plain PNG.")
    return width, height
