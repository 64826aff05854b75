"""What every format's header is read into, and the checks all formats share."""

from dataclasses import dataclass

from faceauth.errors import ImageTooLarge, InvalidImage

MIN_SIDE = 64
"""Pixels; no face that could be judged fits into less (`CaptureProfile.min_eye_distance` alone asks for 50)."""


@dataclass(frozen=True, slots=True)
class Header:
    """A picture that may be decoded: its stored size in pixels and its EXIF orientation, 1 to 8."""

    width: int
    height: int
    orientation: int = 1


def check_size(width: int, height: int, *, max_pixels: int) -> None:
    """Refuse a size that is not worth decoding or too costly to decode (R20).

    Args:
        width: pixels, as the header says.
        height: pixels, as the header says.
        max_pixels: the cap on their product.

    Raises:
        InvalidImage: a side is zero or below `MIN_SIDE`.
        ImageTooLarge: more than `max_pixels`.
    """
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"The picture's header says {width}×{height} pixels; send at most {max_pixels} pixels."
        )
    if min(width, height) < MIN_SIDE:
        raise InvalidImage(
            f"The picture's header says {width}×{height} pixels; send at least {MIN_SIDE}×{MIN_SIDE}."
        )


def truncated(kind: str) -> InvalidImage:
    """Return the error for bytes that end too early."""
    return InvalidImage(f"The {kind} ends too early; send the whole file.")


def trailing(kind: str) -> InvalidImage:
    """Return the error for bytes after the picture's end: a second file may hide there."""
    return InvalidImage(f"There are bytes after the end of the {kind}; send the picture alone.")
