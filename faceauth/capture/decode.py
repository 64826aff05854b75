"""Bytes to a frame: the header is checked first, then OpenCV decodes, then only RGB pixels are left."""

import hashlib

import cv2
import numpy as np

from faceauth.capture.formats import jpeg, png, webp
from faceauth.capture.formats.header import Header
from faceauth.capture.quiet import library_messages
from faceauth.errors import ImageTooLarge, InvalidImage
from faceauth.settings import CaptureSettings
from faceauth.types import Frame, Image

OPAQUE = 255


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
    if len(data) > limits.max_frame_bytes:
        raise ImageTooLarge(f"The picture has {len(data)} bytes; send at most {limits.max_frame_bytes}.")
    header, clean = _check(data, limits.max_pixels)
    pixels = upright(_pixels(clean, header), header.orientation)
    return Frame(pixels=pixels, t_ms=t_ms, step=step, digest=hashlib.sha256(data).digest())


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


def _check(data: bytes, max_pixels: int) -> tuple[Header, bytes]:
    """Return the header and the bytes to decode, by content."""
    if not data:
        raise InvalidImage("The picture is empty; send a JPEG, PNG or WebP.")
    if data.startswith(jpeg.SIGNATURE):
        return jpeg.read(data, max_pixels=max_pixels), data
    if data.startswith(png.SIGNATURE):
        return png.read(data, max_pixels=max_pixels)
    if webp.is_webp(data):
        return webp.read(data, max_pixels=max_pixels), data
    raise InvalidImage("The bytes are no picture; send a JPEG, PNG or WebP.")


def _pixels(data: bytes, header: Header) -> Image:
    """Decode to RGB, in the stored orientation; anything a library complains about is refused."""
    decoded = None
    with library_messages() as heard:
        try:
            decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        except cv2.error as error:
            raise InvalidImage("The picture cannot be decoded; send it again.") from error
    if decoded is None or heard.complained or decoded.dtype != np.uint8:
        raise InvalidImage("The picture is damaged; send it again.")
    if decoded.shape[:2] != (header.height, header.width):
        raise InvalidImage("The picture's size is not what its header says; send it again.")
    return _rgb(np.asarray(decoded, np.uint8))


def _rgb(decoded: Image) -> Image:
    """Return RGB from what OpenCV decodes to: grey, BGR, or BGRA."""
    if decoded.ndim == 2:
        return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_GRAY2RGB), np.uint8)
    if decoded.shape[2] == 4:
        if decoded[:, :, 3].min() != OPAQUE:
            raise InvalidImage("The picture is transparent in places; send one without transparency.")
        return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGRA2RGB), np.uint8)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)
