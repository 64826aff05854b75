"""Bytes to a frame: the header is checked first, then OpenCV decodes, then only RGB pixels are left."""

import hashlib
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np

from faceauth.capture.formats import jpeg, png, webp
from faceauth.capture.formats.header import Header
from faceauth.capture.quiet import library_messages
from faceauth.errors import ImageTooLarge, InvalidImage
from faceauth.sections import CaptureSettings
from faceauth.types import Frame, Image

OPAQUE = 255

REDUCED = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4, 2: cv2.IMREAD_REDUCED_COLOR_2}

Kind = Literal["jpeg", "png", "webp"]


@dataclass(frozen=True, slots=True)
class Inspected:
    """A picture whose structure was checked, so that it may be decoded; `data` is what the decoder is given."""

    kind: Kind
    header: Header
    data: bytes = field(repr=False)
    digest: bytes

    @property
    def seen_size(self) -> tuple[int, int]:
        """Width and height in pixels as the picture is to be seen."""
        width, height = self.header.width, self.header.height
        return (height, width) if self.header.orientation >= 5 else (width, height)


def decode(data: bytes, *, t_ms: int, step: str, limits: CaptureSettings) -> Frame:
    """Decode one picture as the device sent it.

    JPEG, PNG and WebP are told by content, never by name (R21). Size and structure are checked from the header
    before a pixel is decoded (R20). The EXIF orientation is applied; it and all other metadata are then gone.
    Grey pictures become RGB. A picture with a pixel that is not opaque is refused: no camera makes one, and what
    would be seen through it would be this code's choice.

    Args:
        data: the file as received.
        t_ms: milliseconds since the session's first frame.
        step: id of the step it was taken for.
        limits: caps on bytes and pixels.

    Returns:
        The frame, RGB uint8, with the SHA-256 of `data`.

    Raises:
        ImageTooLarge: more bytes or pixels than `limits` allow.
        InvalidImage: no picture this service reads, or a damaged one.
    """
    return develop(inspect(data, limits=limits), t_ms=t_ms, step=step)


def inspect(data: bytes, *, limits: CaptureSettings) -> Inspected:
    """Check a picture's bytes without decoding them (see `decode`)."""
    if len(data) > limits.max_frame_bytes:
        raise ImageTooLarge(f"The picture has {len(data)} bytes; send at most {limits.max_frame_bytes}.")
    kind, header, clean = _check(data, limits.max_pixels)
    return Inspected(kind, header, clean, hashlib.sha256(data).digest())


def develop(picture: Inspected, *, t_ms: int, step: str, longer_side: int | None = None) -> Frame:
    """Decode a picture that was inspected (see `decode`).

    Args:
        picture: what `inspect` returned.
        t_ms: milliseconds since the session's first frame.
        step: id of the step it was taken for.
        longer_side: pixels; a picture whose longer side is above it is averaged down to it.
    """
    width, height = picture.header.width, picture.header.height
    scale = min((longer_side or max(width, height)) / max(width, height), 1.0)
    pixels = _pixels(picture, scale)
    if scale < 1:
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    pixels = upright(pixels, picture.header.orientation)
    return Frame(pixels=pixels, t_ms=t_ms, step=step, digest=picture.digest, sent_pixels=width * height)


def upright(pixels: Image, orientation: int) -> Image:
    """Turn stored pixels (H, W, 3) the way EXIF says the picture is to be seen.

    Orientation names the edges at which stored row 0 and column 0 are seen (EXIF 2.32, tag 0x0112): 1 top left,
    2 top right, 3 bottom right, 4 bottom left, 5 left top, 6 right top, 7 right bottom, 8 left bottom.
    """
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _check(data: bytes, max_pixels: int) -> tuple[Kind, Header, bytes]:
    """Return format, header and the bytes to decode, by content."""
    if not data:
        raise InvalidImage("The picture is empty; send a JPEG, PNG or WebP.")
    if data.startswith(jpeg.SIGNATURE):
        return "jpeg", jpeg.read(data, max_pixels=max_pixels), data
    if data.startswith(png.SIGNATURE):
        return "png", *png.read(data, max_pixels=max_pixels)
    if webp.is_webp(data):
        return "webp", webp.read(data, max_pixels=max_pixels), data
    raise InvalidImage("The bytes are no picture; send a JPEG, PNG or WebP.")


def _pixels(picture: Inspected, scale: float) -> Image:
    """Decode to RGB, as stored and not smaller than `scale`; what a library complains about is refused."""
    flag, factor = _how(picture.kind, scale)
    decoded = None
    with library_messages() as heard:
        try:
            decoded = cv2.imdecode(np.frombuffer(picture.data, np.uint8), flag)
        except cv2.error as error:
            raise InvalidImage("The picture cannot be decoded; send it again.") from error
    if decoded is None or heard.complained or decoded.dtype != np.uint8:
        raise InvalidImage("The picture is damaged; send it again.")
    if decoded.shape[:2] != (-(-picture.header.height // factor), -(-picture.header.width // factor)):
        raise InvalidImage("The picture's size is not what its header says; send it again.")
    return _rgb(np.asarray(decoded, np.uint8))


def _how(kind: Kind, scale: float) -> tuple[int, int]:
    """Return OpenCV's flag and the factor by which a large JPEG is shrunk while it is decoded."""
    for factor, flag in REDUCED.items():
        if kind == "jpeg" and scale * factor <= 1:
            return flag | cv2.IMREAD_IGNORE_ORIENTATION, factor
    return cv2.IMREAD_UNCHANGED, 1


def _rgb(decoded: Image) -> Image:
    """Return RGB from what OpenCV decodes to: grey, BGR, or BGRA."""
    if decoded.ndim == 2:
        return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_GRAY2RGB), np.uint8)
    if decoded.shape[2] == 4:
        if decoded[:, :, 3].min() != OPAQUE:
            raise InvalidImage("The picture is transparent in places; send one without transparency.")
        return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGRA2RGB), np.uint8)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)
