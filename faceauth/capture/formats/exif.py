"""The one thing wanted from EXIF: the orientation (EXIF 2.32, tag 0x0112, in the first directory)."""

import struct

ORIENTATION_TAG = 0x0112
SHORT = 3
MAX_ENTRIES = 512


def orientation(tiff: bytes) -> int:
    """Return the orientation, 1 to 8, from a TIFF block; 1 if it says none or is malformed.

    A malformed block is not refused: it changes no pixel, and it is dropped in any case.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return 1
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    if start + 2 > len(tiff):
        return 1
    (count,) = struct.unpack_from(order + "H", tiff, start)
    for index in range(min(count, MAX_ENTRIES)):
        entry = start + 2 + 12 * index
        if entry + 12 > len(tiff):
            return 1
        tag, kind, values, value = struct.unpack_from(order + "HHIH", tiff, entry)
        if tag == ORIENTATION_TAG:
            return int(value) if kind == SHORT and values == 1 and 1 <= value <= 8 else 1
    return 1
