"""Bytes to pixels: what is read, and everything that is refused (R20, R21)."""

import hashlib
import random
import struct
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from faceauth.capture.decode import decode, develop, inspect, upright
from faceauth.errors import FaceauthError, ImageTooLarge, InvalidImage
from faceauth.sections import CaptureSettings
from faceauth.types import Frame, Image

LIMITS = CaptureSettings()


def picture(width: int = 96, height: int = 72) -> Image:
    """A smooth picture whose corners differ: red grows to the right, green downwards."""
    rows, columns = np.mgrid[0:height, 0:width]
    channels = (columns * 255 // width, rows * 255 // height, np.full_like(rows, 40))
    return np.stack(channels, axis=-1).astype(np.uint8)


def encoded(extension: str, pixels: Image | NDArray[np.uint16], *options: int) -> bytes:
    done, data = cv2.imencode(extension, pixels[..., ::-1] if pixels.shape[-1] == 3 else pixels, options)
    assert done
    return bytes(data)


def read(data: bytes) -> Frame:
    return decode(data, t_ms=40, step="c1", limits=LIMITS)


JPEG = encoded(".jpg", picture(), cv2.IMWRITE_JPEG_QUALITY, 95)
PNG = encoded(".png", picture())
WEBP = encoded(".webp", picture(), cv2.IMWRITE_WEBP_QUALITY, 95)
LOSSLESS_WEBP = encoded(".webp", picture(), cv2.IMWRITE_WEBP_QUALITY, 101)
PROGRESSIVE = encoded(".jpg", picture(), cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_QUALITY, 95)
GOOD = {"jpeg": JPEG, "png": PNG, "webp": WEBP, "lossless webp": LOSSLESS_WEBP, "progressive": PROGRESSIVE}


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def after_png_header(extra: bytes, data: bytes = PNG) -> bytes:
    return data[:33] + extra + data[33:]


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def riff_chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def vp8x(flags: int, width: int = 96, height: int = 72) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return riff_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + size)


def tiff(orientation: int, order: str = "<") -> bytes:
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return magic + struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def with_app1(jpeg: bytes, body: bytes) -> bytes:
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def patched(jpeg: bytes, change: Callable[[bytearray, int], None]) -> bytes:
    """Change bytes relative to the frame header's marker."""
    data = bytearray(jpeg)
    change(data, data.index(b"\xff\xc0"))
    return bytes(data)


def jpeg_sized(width: int, height: int) -> bytes:
    return patched(JPEG, lambda data, at: struct.pack_into(">HH", data, at + 5, height, width))


@pytest.mark.parametrize("kind", GOOD)
def test_reads_each_format_to_rgb(kind: str) -> None:
    """R21: told by content; RGB order, uint8, contiguous, digest of the bytes as received."""
    frame = read(GOOD[kind])
    assert frame.pixels.dtype == np.uint8
    assert frame.pixels.flags.c_contiguous
    assert np.abs(frame.pixels.astype(int) - picture()).mean() < 3
    assert frame.digest == hashlib.sha256(GOOD[kind]).digest()
    assert (frame.t_ms, frame.step) == (40, "c1")


@pytest.mark.parametrize("fill", [1, 7])
def test_fill_bytes_before_the_last_marker_are_read_over(fill: int) -> None:
    """T.81, B.1.1.2: any marker may follow bytes of 0xff; what stands behind them is looked at all the same."""
    filled = JPEG[:-2] + b"\xff" * fill + JPEG[-2:]
    assert np.array_equal(read(filled).pixels, read(JPEG).pixels)
    with pytest.raises(InvalidImage, match="malformed"):
        read(JPEG[:-2] + b"\xff" * fill + b"\xff\x01" + JPEG[-2:])


def test_grey_becomes_rgb() -> None:
    grey = cv2.cvtColor(picture(), cv2.COLOR_RGB2GRAY)
    for extension in (".jpg", ".png"):
        done, data = cv2.imencode(extension, grey)
        assert done
        frame = read(bytes(data))
        assert frame.pixels.shape == (72, 96, 3)
        assert np.array_equal(frame.pixels[..., 0], frame.pixels[..., 2])


def test_opaque_alpha_is_dropped_and_transparency_refused() -> None:
    """R21: browsers write an opaque alpha channel; anything seen through is refused."""
    pixels = np.dstack([picture()[..., ::-1], np.full((72, 96), 255, np.uint8)])
    assert np.array_equal(read(encoded(".png", pixels)).pixels, picture())
    pixels[3, 5, 3] = 254
    for extension in (".png", ".webp"):
        with pytest.raises(InvalidImage, match="transparent"):
            read(encoded(extension, pixels))


EXPECTED = {
    1: lambda seen: seen,
    2: lambda seen: seen[:, ::-1],
    3: lambda seen: np.rot90(seen, 2),
    4: lambda seen: seen[::-1],
    5: lambda seen: seen.transpose(1, 0, 2),
    6: lambda seen: np.rot90(seen, 1),
    7: lambda seen: np.rot90(seen, 2).transpose(1, 0, 2),
    8: lambda seen: np.rot90(seen, -1),
}
"""How the picture is stored when it is to be seen as `seen`: camera turned as the orientation says."""


@pytest.mark.parametrize("orientation", EXPECTED)
@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_orientation_is_applied(orientation: int, order: str) -> None:
    """R21: the picture comes out as it is to be seen: eight orientations, both byte orders, every format."""
    stored = np.ascontiguousarray(EXPECTED[orientation](picture()))
    assert np.array_equal(upright(stored, orientation), picture())
    block = tiff(orientation, order)
    jpeg = with_app1(encoded(".jpg", stored, cv2.IMWRITE_JPEG_QUALITY, 95), b"Exif\0\0" + block)
    png = after_png_header(chunk(b"eXIf", block), encoded(".png", stored))
    webp = encoded(".webp", stored, cv2.IMWRITE_WEBP_QUALITY, 101)
    height, width = stored.shape[:2]
    webp = riff(vp8x(0x08, width, height), webp[12:], riff_chunk(b"EXIF", block))
    for data in (jpeg, png, webp):
        assert np.abs(read(data).pixels.astype(int) - picture()).mean() < 3


@pytest.mark.parametrize(
    "block", [b"", b"II*\0", b"II*\0\xff\xff\xff\xff", tiff(9), tiff(0), b"XX*\0" + tiff(6)[4:], tiff(6)[:12]]
)
def test_malformed_exif_changes_nothing(block: bytes) -> None:
    assert read(with_app1(JPEG, b"Exif\0\0" + block)).pixels.shape == (72, 96, 3)


REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "text": (b"hello, I am a photograph.jpg", "no picture"),
    "gif": (b"GIF89a" + bytes(100), "no picture"),
    "bmp": (encoded(".bmp", picture()), "no picture"),
    "tiff": (encoded(".tiff", picture()), "no picture"),
    "1x1 png": (encoded(".png", picture(1, 1)), "at least 64"),
    "1x1 jpeg": (encoded(".jpg", picture(1, 1)), "at least 64"),
    "1x1 webp": (encoded(".webp", picture(1, 1)), "at least 64"),
    "zero jpeg": (jpeg_sized(96, 0), "at least 64"),
    "zero png": (png_header(0, 72), "at least 64"),
    "jpeg cut in half": (JPEG[: len(JPEG) // 2], "ends too early"),
    "jpeg without its end": (JPEG[:-2], "ends too early"),
    "jpeg's first bytes": (JPEG[:4], "ends too early"),
    "jpeg without a scan": (JPEG[: JPEG.index(b"\xff\xda")] + b"\xff\xd9", "no picture"),
    "jpeg with its middle gone": (
        JPEG[: JPEG.index(b"\xff\xda") + 200] + b"\xff\xd9",
        "damaged",
    ),
    "png cut in half": (PNG[: len(PNG) // 2], "ends too early"),
    "png without pixels": (png_header(96, 72) + chunk(b"IEND", b""), "no picture"),
    "png with half its pixels": (
        png_header(96, 72) + chunk(b"IDAT", zlib.compress(bytes(96 * 3 * 30))) + chunk(b"IEND", b""),
        "damaged",
    ),
    "png with a wrong checksum": (PNG[:40] + bytes([PNG[40] ^ 1]) + PNG[41:], "checksum"),
    "webp cut in half": (WEBP[: len(WEBP) // 2], "ends too early"),
    "jpeg and a zip": (JPEG + b"PK\x03\x04" + bytes(40), "after the end"),
    "two jpegs": (JPEG + JPEG, "after the end"),
    "png and a script": (PNG + b"<script>", "after the end"),
    "webp and a zip": (WEBP + b"PK\x03\x04", "after the end"),
    "animated webp": (riff(vp8x(0x02), riff_chunk(b"ANIM", bytes(6)), WEBP[12:]), "animated"),
    "animated webp that hides it": (riff(vp8x(0), riff_chunk(b"ANIM", bytes(6)), WEBP[12:]), "animated"),
    "webp with two pictures": (riff(vp8x(0), WEBP[12:], WEBP[12:]), "one picture"),
    "webp of another size": (riff(vp8x(0, 97, 72), WEBP[12:]), "size it says"),
    "animated png": (after_png_header(chunk(b"acTL", bytes(8))), "animated"),
    "16-bit png": (encoded(".png", (picture().astype(np.uint16) * 257)), "16 bits"),
    "cmyk jpeg": (
        patched(JPEG, lambda data, at: data.__setitem__(slice(at + 9, at + 10), b"\x04")),
        "CMYK",
    ),
    "12-bit jpeg": (patched(JPEG, lambda data, at: data.__setitem__(at + 4, 12)), "12 bits"),
    "lossless jpeg": (patched(JPEG, lambda data, at: data.__setitem__(at + 1, 0xC3)), "Lossless"),
    "arithmetic jpeg": (patched(JPEG, lambda data, at: data.__setitem__(at + 1, 0xC9)), "arithmetic"),
    "jpeg that says another height": (jpeg_sized(96, 400), "damaged"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_bad_pictures_with_one_clear_line(case: str, capfd: pytest.CaptureFixture[str]) -> None:
    """R21: each has its own reason, in one line, and no library writes to the error stream."""
    data, text = REFUSED[case]
    with pytest.raises(InvalidImage, match=text) as caught:
        read(data)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


HUGE = {
    "jpeg": jpeg_sized(20_000, 20_000),
    "png": png_header(20_000, 20_000),
    "webp": riff(vp8x(0, 20_000, 20_000), WEBP[12:]),
    "vp8": riff(riff_chunk(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 16_000, 16_000))),
    "vp8l": riff(riff_chunk(b"VP8L", b"\x2f" + (15_999 | 15_999 << 14).to_bytes(4, "little"))),
    "png bomb": png_header(100_000, 100_000) + chunk(b"IDAT", zlib.compress(bytes(10**6))) + chunk(b"IEND", b""),
}


@pytest.mark.parametrize("case", HUGE)
def test_refuses_too_many_pixels_from_the_header(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """R20: the decoder is never called."""
    monkeypatch.setattr(cv2, "imdecode", None)
    with pytest.raises(ImageTooLarge, match="at most 12000000 pixels"):
        read(HUGE[case])


def test_refuses_too_many_bytes_before_looking_at_them() -> None:
    """R20."""
    with pytest.raises(ImageTooLarge, match="2000000"):
        read(JPEG + bytes(LIMITS.max_frame_bytes))


def test_refuses_a_jpeg_of_many_scans() -> None:
    """R58: every scan costs a pass over the picture, so their number is capped."""
    start = PROGRESSIVE.rindex(b"\xff\xda")
    with pytest.raises(InvalidImage, match="scans"):
        read(PROGRESSIVE[:-2] + PROGRESSIVE[start:-2] * 30 + b"\xff\xd9")


def test_metadata_that_would_make_a_library_talk_is_never_shown_to_it(capfd: pytest.CaptureFixture[str]) -> None:
    """A PNG's broken colour profile makes libpng warn; only pixels reach it, so the picture is read in silence."""
    data = after_png_header(chunk(b"iCCP", b"x\0\0broken") + chunk(b"gAMA", b"\0\0\0\0"))
    assert np.array_equal(read(data).pixels, picture())
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize(
    ("size", "seen"),
    [((96, 72), (96, 72)), ((201, 150), (96, 72)), ((192, 108), (96, 54)), ((100, 399), (24, 96))],
)
def test_large_pictures_are_averaged_down(extension: str, size: tuple[int, int], seen: tuple[int, int]) -> None:
    """R58: what comes after decoding costs no more for a large picture; JPEG is shrunk while it is decoded."""
    frame = develop(inspect(encoded(extension, picture(*size)), limits=LIMITS), t_ms=0, step="", longer_side=96)
    assert frame.pixels.shape == (seen[1], seen[0], 3)
    assert np.abs(frame.pixels.astype(int) - picture(*seen)).mean() < 5


def test_a_large_jpeg_is_turned_after_it_is_shrunk() -> None:
    """OpenCV would turn a reduced JPEG by itself, and the picture would be turned twice."""
    stored = np.ascontiguousarray(EXPECTED[6](picture(150, 200)))
    jpeg = with_app1(encoded(".jpg", stored), b"Exif\0\0" + tiff(6))
    frame = develop(inspect(jpeg, limits=LIMITS), t_ms=0, step="", longer_side=96)
    assert np.abs(frame.pixels.astype(int) - picture(72, 96)).mean() < 5


mutations = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(kind=st.sampled_from(sorted(GOOD)), changes=mutations, keep=st.floats(0.02, 1), early=st.booleans())
def test_mutated_pictures_are_read_or_refused(
    kind: str, changes: list[tuple[float, int]], keep: float, *, early: bool
) -> None:
    """R58: never anything else than an error of this project, and never more pixels than allowed."""
    data = bytearray(GOOD[kind])
    for place, value in changes:
        data[int(place * (min(100, len(data)) if early else len(data)))] = value
    if keep < 0.2:
        data = data[: int(len(data) * keep * 5)]
    try:
        frame = read(bytes(data))
    except FaceauthError:
        return
    assert frame.pixels.shape[0] * frame.pixels.shape[1] <= LIMITS.max_pixels


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    head=st.sampled_from([b"", JPEG[:3], JPEG[:200], PNG[:8], PNG[:33], WEBP[:12], WEBP[:16]]), tail=st.binary()
)
def test_random_bytes_are_refused(head: bytes, tail: bytes) -> None:
    """R58."""
    with pytest.raises(FaceauthError):
        read(head + tail)


def test_mutations_leave_the_error_stream_alone(capfd: pytest.CaptureFixture[str]) -> None:
    """Damaged entropy-coded bytes make libjpeg complain; nobody may fill the log that way."""
    chance = random.Random(7)  # noqa: S311  a repeatable choice of bytes, no secret
    for _ in range(100):
        data = bytearray(chance.choice([JPEG, PNG, WEBP]))
        data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            read(bytes(data))
        except FaceauthError:
            continue
    assert capfd.readouterr().err == ""
