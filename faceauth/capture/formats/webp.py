"""WebP: one still picture in a RIFF file (RFC 9649)."""

import struct
from collections.abc import Iterator

from faceauth.capture.formats import exif
from faceauth.capture.formats.header import Header, check_size, trailing, truncated
from faceauth.errors import InvalidImage

ANIMATED = 0x02
PICTURES = frozenset({b"VP8 ", b"VP8L"})


def is_webp(data: bytes) -> bool:
    """Say whether the bytes begin like a WebP."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def read(data: bytes, *, max_pixels: int) -> Header:
    """Check a WebP from its first to its last byte.

    Args:
        data: the whole file.
        max_pixels: the cap on width × height.

    Returns:
        Its size and orientation.

    Raises:
        ImageTooLarge: more than `max_pixels`.
        InvalidImage: animated, truncated, malformed, or followed by other bytes.
    """
    canvas: tuple[int, int] | None = None
    picture: tuple[int, int] | None = None
    turned = 1
    for index, (name, body) in enumerate(_chunks(data)):
        if name == b"VP8X":
            if index or len(body) < 10:
                raise InvalidImage("The WebP is malformed: its header has no place there; send it again.")
            canvas = _canvas(body, max_pixels)
        elif name in {b"ANIM", b"ANMF"}:
            raise InvalidImage("An animated WebP is not read; send one still picture.")
        elif name in PICTURES:
            if picture is not None or (canvas is None and index):
                raise InvalidImage("The WebP is malformed: it must hold one picture; send it again.")
            picture = _lossy(body) if name == b"VP8 " else _lossless(body)
            check_size(*picture, max_pixels=max_pixels)
        elif name == b"EXIF":
            turned = exif.orientation(body.removeprefix(b"Exif\0\0"))
        elif canvas is None:
            raise InvalidImage("The WebP is malformed: an unknown chunk comes first; send it again.")
    if picture is None or (canvas is not None and canvas != picture):
        raise InvalidImage("The WebP holds no picture of the size it says; send it again.")
    return Header(*picture, turned)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield each chunk's name and body, up to the file's end."""
    if len(data) < 20:
        raise truncated("WebP")
    (length,) = struct.unpack_from("<I", data, 4)
    if length + 8 > len(data):
        raise truncated("WebP")
    if length + 8 < len(data):
        raise trailing("WebP")
    position = 12
    while position < len(data):
        if position + 8 > len(data):
            raise truncated("WebP")
        (size,) = struct.unpack_from("<I", data, position + 4)
        end = position + 8 + size
        if end > len(data):
            raise truncated("WebP")
        yield data[position : position + 4], data[position + 8 : end]
        position = end + (size & 1)


def _canvas(body: bytes, max_pixels: int) -> tuple[int, int]:
    """Return the canvas size of the extended header, refusing animation."""
    if body[0] & ANIMATED:
        raise InvalidImage("An animated WebP is not read; send one still picture.")
    width = int.from_bytes(body[4:7], "little") + 1
    height = int.from_bytes(body[7:10], "little") + 1
    check_size(width, height, max_pixels=max_pixels)
    return width, height


def _lossy(body: bytes) -> tuple[int, int]:
    """Return the size from a VP8 key frame's header (RFC 6386, section 9.1)."""
    if len(body) < 10:
        raise truncated("WebP")
    if body[0] & 1 or body[3:6] != b"\x9d\x01\x2a":
        raise InvalidImage("The WebP is malformed: it does not begin with a key frame; send it again.")
    width, height = struct.unpack_from("<HH", body, 6)
    return width & 0x3FFF, height & 0x3FFF


def _lossless(body: bytes) -> tuple[int, int]:
    """Return the size from a VP8L header (RFC 9649, section 3.4)."""
    if len(body) < 5:
        raise truncated("WebP")
    bits = int.from_bytes(body[1:5], "little")
    if body[0] != 0x2F or bits >> 29:
        raise InvalidImage("The WebP is malformed: its lossless header is not known; send it again.")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
