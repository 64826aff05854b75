"""Uploads: caps held while the bytes come in, and never a byte on a disk (R9, R20)."""

import asyncio
import tempfile
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from faceauth.api.upload import Burst, read_burst
from faceauth.errors import FaceauthError, ImageTooLarge, InvalidRequest, InvalidTimeline, TooManyFrames
from faceauth.sections import CaptureSettings

CAPS = CaptureSettings(max_frame_bytes=2000, max_frames=5, max_session_bytes=6000)
TYPE = "multipart/form-data; boundary=xyz"
TIMELINE = b'[{"step": "s1", "t_ms": 0}]'


def part(name: str, content: bytes, *, more: str = "") -> bytes:
    head = f'--xyz\r\nContent-Disposition: form-data; name="{name}"; filename="f"{more}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def body(frames: Sequence[bytes], timeline: bytes | None = TIMELINE) -> bytes:
    parts = [part("frames", one) for one in frames]
    if timeline is not None:
        parts.append(part("timeline", timeline))
    return b"".join(parts) + b"--xyz--\r\n"


def read(
    raw: bytes, *, chunk: int = 1 << 16, kind: str = TYPE, length: str | None = None, caps: Any = CAPS
) -> Burst:
    """Feed the bytes in pieces; asking for more than was sent fails the test."""
    pieces = [raw[at : at + chunk] for at in range(0, len(raw), chunk)] or [b""]

    async def receive() -> dict[str, Any]:
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    headers = [(b"content-type", kind.encode())]
    if length is not None:
        headers.append((b"content-length", length.encode()))
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    return asyncio.run(read_burst(Request(scope, receive), caps))


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64, 1 << 16])
def test_reads_frames_in_order_however_they_are_cut(chunk: int) -> None:
    frames = (b"\xff\xd8first\r\n--xy", b"", b"\r\n--xyzz", bytes(range(256)))
    burst = read(body(frames), chunk=chunk)
    assert burst.unverified_frames == frames
    assert burst.unverified_timeline == [{"step": "s1", "t_ms": 0}]


def test_a_chain_and_a_signature_may_come_along() -> None:
    """Both are the device's own words: neither is looked into here."""
    said = part("chain", b"0" * 64) + part("signature", b'{"kind": "raw"}')
    burst = read(said + body([b"a"]))
    assert (burst.unverified_chain, burst.unverified_signature) == ("0" * 64, {"kind": "raw"})
    assert "raw" not in repr(burst)
    assert read(body([b"a"])).unverified_signature is None


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"", InvalidRequest),
        (b"just text", InvalidRequest),
        (body([]), InvalidRequest),
        (body([b"a"], None), InvalidTimeline),
        (body([b"a"], b"not json"), InvalidTimeline),
        (body([b"a"], b"[NaN]"), InvalidTimeline),
        (body([b"a"], b"[" * 60_000), InvalidTimeline),
        (body([b"a"], b"9" * 10_000), InvalidTimeline),
        (body([b"a"], b"\xff\xfe"), InvalidTimeline),
        (body([b"a"], b" " * 65_537), InvalidTimeline),
        (body([b"a"])[:-6], InvalidRequest),
        (part("frames", b"a") + part("other", b"b") + b"--xyz--\r\n", InvalidRequest),
        (part("timeline", b"[]") + body([b"a"]), InvalidRequest),
        (b"--xyz\r\nX: y\r\n\r\na\r\n--xyz--\r\n", InvalidRequest),
        (part("signature", b"not json") + body([b"a"]), InvalidRequest),
        (part("signature", b"null") + body([b"a"]), InvalidRequest),
        (part("signature", b"[" * 8_000) + body([b"a"]), InvalidRequest),
        (part("signature", b" " * 8_193) + body([b"a"]), InvalidRequest),
        (part("signature", b"{}") * 2 + body([b"a"]), InvalidRequest),
        (part("chain", b"0" * 65) + body([b"a"]), InvalidRequest),
        (part("frames", b"a", more="x" * 5000) + b"--xyz--\r\n", InvalidRequest),
        (body([b"a"] * 6), TooManyFrames),
        (body([b"a"] * 1000), TooManyFrames),
        (body([b"a" * 2001]), ImageTooLarge),
        (body([b"a" * 1600] * 4), TooManyFrames),
    ],
)
def test_refuses_what_is_no_burst(raw: bytes, error: type[FaceauthError]) -> None:
    with pytest.raises(error):
        read(raw)


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "image/jpeg",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "x" * 71,
        "text/plain; boundary=xyz",
    ],
)
def test_refuses_other_content_types(kind: str) -> None:
    with pytest.raises(InvalidRequest):
        read(body([b"a"]), kind=kind)


@pytest.mark.parametrize("length", ["99999999999", "9" * 30, "-1", "ten", "١"])
def test_refuses_by_the_announced_length_without_reading(length: str) -> None:
    async def receive() -> dict[str, Any]:
        pytest.fail("the body was read")

    headers = [(b"content-type", TYPE.encode()), (b"content-length", length.encode("utf-8"))]
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)
    with pytest.raises((TooManyFrames, InvalidRequest)):
        asyncio.run(read_burst(request, CAPS))


def test_stops_reading_an_endless_body() -> None:
    """R20: a stream that never says its length is cut at the cap, not held."""
    received = 0

    async def receive() -> dict[str, Any]:
        nonlocal received
        received += 1000
        return {"type": "http.request", "body": b"a" * 1000, "more_body": True}

    # The preamble of a multipart body belongs to no part, so only the total can stop it.
    headers = [(b"content-type", b"multipart/form-data; boundary=a")]
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)
    with pytest.raises((TooManyFrames, InvalidRequest)):
        asyncio.run(read_burst(request, CAPS))
    assert received <= 200_000


def test_a_slow_body_is_given_up() -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    headers = [(b"content-type", TYPE.encode())]
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)
    with pytest.raises(InvalidRequest, match="too long"):
        asyncio.run(read_burst(request, CAPS, timeout_s=0.01))


def test_a_broken_connection_is_no_burst() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    headers = [(b"content-type", TYPE.encode())]
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)
    with pytest.raises(InvalidRequest):
        asyncio.run(read_burst(request, CAPS))


def test_nothing_is_spooled_to_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """R9: frames of more than a megabyte, where Starlette's own parser makes temporary files."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file was made")

    for maker in ("TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, maker, refuse)
    big = b"\xff\xd8" + bytes(1_500_000)
    assert read(body([big, big]), caps=CaptureSettings()).unverified_frames == (big, big)


def test_a_burst_tells_nobody_its_bytes() -> None:
    assert "secret" not in repr(read(body([b"secret"])))


@given(raw=st.binary(max_size=600), chunk=st.integers(1, 50))
def test_any_bytes_are_a_burst_or_a_clear_error(raw: bytes, chunk: int) -> None:
    """R58: no other exception, whatever comes."""
    for sent in (raw, part("frames", b"a") + raw, b"--xyz\r\n" + raw):
        try:
            read(sent, chunk=chunk)
        except FaceauthError:
            continue
