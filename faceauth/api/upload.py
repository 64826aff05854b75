"""Reads a device's multipart post into memory, with every cap held while the bytes come in (R20).

Starlette's own form parser spools parts of more than 1 MB into temporary files. Frames must never touch a disk
(R9), so the stream is parsed here, by the same library underneath.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from faceauth.errors import ImageTooLarge, InvalidRequest, InvalidTimeline, TooManyFrames
from faceauth.sections import CaptureSettings

TIMELINE_BYTES: Final = 65_536
"""A timeline entry is below 100 bytes, so this is room for hundreds of frames (own figure)."""

PART_HEADER_BYTES: Final = 4_096
"""Headers of one part; a browser sends about 100 bytes (own figure)."""

READ_S: Final = 60.0
"""Seconds a post may take to arrive: no session lives longer once capture starts (R15)."""

FRAMES: Final = b"frames"
TIMELINE: Final = b"timeline"
CHAIN: Final = b"chain"
CHAIN_BYTES: Final = 64
"""A SHA-256 in hex."""
SIGNATURE: Final = b"signature"
SIGNATURE_BYTES: Final = 8_192
"""A WebAuthn assertion in JSON has about 1,000 bytes (own figure)."""

ONCE: Final = frozenset({TIMELINE, CHAIN, SIGNATURE})

FIELDS: Final = "A post has the fields frames and, once each, timeline, chain and signature, and no others."


@dataclass(frozen=True, slots=True)
class Burst:
    """What a device posted: the frames as they came, and the parsed timeline, neither looked into."""

    unverified_frames: tuple[bytes, ...] = field(repr=False)
    unverified_timeline: object = field(repr=False)
    unverified_chain: str | None = field(default=None, repr=False)
    unverified_signature: object = field(default=None, repr=False)


async def read_burst(request: Request, caps: CaptureSettings, *, timeout_s: float = READ_S) -> Burst:
    """Return the `frames` and the `timeline` of a multipart post, and `chain` and `signature` if they are there.

    Raises:
        InvalidRequest: it is no well-formed multipart post of these fields, or it came too slowly.
        InvalidTimeline: the timeline is missing or no JSON.
        TooManyFrames: more frames, or more bytes in total, than allowed.
        ImageTooLarge: one frame has more bytes than allowed.
    """
    boundary = _boundary(request.headers.get("content-type", ""))
    _refuse_announced(request.headers.get("content-length"), caps)
    reader = _Reader(boundary, caps)
    try:
        async with asyncio.timeout(timeout_s):
            await _pump(request.stream(), reader)
    except TimeoutError as error:
        raise InvalidRequest("The post took too long to arrive.") from error
    except ClientDisconnect as error:
        raise InvalidRequest("The connection broke before the post was complete.") from error
    except FormParserError as error:
        raise InvalidRequest("The body is no well-formed multipart post.") from error
    return reader.burst()


async def _pump(stream: AsyncIterator[bytes], reader: "_Reader") -> None:
    async for chunk in stream:
        reader.write(chunk)


def _boundary(content_type: str) -> bytes:
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    # RFC 2046, 5.1.1: 1 to 70 characters.
    if kind != b"multipart/form-data" or not 1 <= len(boundary) <= 70:
        raise InvalidRequest("Send frames and timeline as multipart/form-data with a boundary.")
    return boundary


def _most_bytes(caps: CaptureSettings) -> int:
    return caps.max_session_bytes + TIMELINE_BYTES + caps.max_frames * PART_HEADER_BYTES


def _refuse_announced(content_length: str | None, caps: CaptureSettings) -> None:
    """Refuse a post that says itself that it is too long, before reading any of it."""
    if content_length is None:
        return
    if not content_length.isascii() or not content_length.isdigit():
        raise InvalidRequest("The Content-Length is no number.")
    if len(content_length) > 18 or int(content_length) > _most_bytes(caps):
        raise TooManyFrames(f"A session may send {caps.max_session_bytes} bytes of frames.")


class _Reader:
    """Takes the multipart stream piece by piece and holds the caps at each piece."""

    def __init__(self, boundary: bytes, caps: CaptureSettings) -> None:
        self._caps = caps
        self._frames: list[bytes] = []
        self._said: dict[bytes, bytes] = {}
        self._part = bytearray()
        self._field = b""
        self._header_name = b""
        self._header_value = b""
        self._header_bytes = 0
        self._frame_bytes = 0
        self._received = 0
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begins,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value_piece,
                "on_header_end": self._header_ends,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._part_data,
                "on_part_end": self._part_ends,
                "on_end": self._end,
            },
        )

    def write(self, chunk: bytes) -> None:
        """Take the next piece of the body."""
        self._received += len(chunk)
        if self._received > _most_bytes(self._caps):
            raise TooManyFrames(f"A session may send {self._caps.max_session_bytes} bytes of frames.")
        if chunk:
            self._parser.write(chunk)

    def burst(self) -> Burst:
        """Return what came, once all of it did."""
        if not self._ended:
            raise InvalidRequest("The multipart post is empty or cut short.")
        if not self._frames:
            raise InvalidRequest("The post has no frames.")
        if TIMELINE not in self._said:
            raise InvalidTimeline("The post has no timeline.")
        return Burst(
            tuple(self._frames),
            _parse_timeline(self._said[TIMELINE]),
            self._said[CHAIN].decode("ascii", "replace") if CHAIN in self._said else None,
            _parse_signature(self._said[SIGNATURE]) if SIGNATURE in self._said else None,
        )

    def _part_begins(self) -> None:
        self._part = bytearray()
        self._field = b""
        self._header_bytes = 0

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._header_name += data[start:end]

    def _header_value_piece(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._header_value += data[start:end]

    def _count_header(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > PART_HEADER_BYTES:
            raise InvalidRequest("A part's headers are too long.")

    def _header_ends(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            kind, options = parse_options_header(self._header_value)
            if kind == b"form-data":
                self._field = options.get(b"name", b"")
        self._header_name = self._header_value = b""

    def _headers_end(self) -> None:
        if self._field == FRAMES:
            if len(self._frames) >= self._caps.max_frames:
                raise TooManyFrames(f"A session may send {self._caps.max_frames} frames.")
        elif self._field not in ONCE or self._field in self._said:
            raise InvalidRequest(FIELDS)

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        size = end - start
        if self._field == TIMELINE:
            if len(self._part) + size > TIMELINE_BYTES:
                raise InvalidTimeline(f"A timeline may have {TIMELINE_BYTES} bytes.")
        elif self._field == CHAIN:
            if len(self._part) + size > CHAIN_BYTES:
                raise InvalidRequest("The chain is a SHA-256 in hex.")
        elif self._field == SIGNATURE:
            if len(self._part) + size > SIGNATURE_BYTES:
                raise InvalidRequest(f"A signature may have {SIGNATURE_BYTES} bytes.")
        else:
            if len(self._part) + size > self._caps.max_frame_bytes:
                raise ImageTooLarge(f"A frame may have {self._caps.max_frame_bytes} bytes.")
            self._frame_bytes += size
            if self._frame_bytes > self._caps.max_session_bytes:
                raise TooManyFrames(f"A session may send {self._caps.max_session_bytes} bytes of frames.")
        self._part += memoryview(data)[start:end]

    def _part_ends(self) -> None:
        if self._field in ONCE:
            self._said[self._field] = bytes(self._part)
        else:
            self._frames.append(bytes(self._part))
        self._part = bytearray()

    def _end(self) -> None:
        self._ended = True


def _parse_timeline(raw: bytes) -> object:
    try:
        return _parse(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidTimeline("The timeline is no JSON.") from error


def _parse_signature(raw: bytes) -> object:
    try:
        parsed = _parse(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("The signature is no JSON.") from error
    if parsed is None:
        raise InvalidRequest("The signature says nothing; leave it out.")
    return parsed


def _parse(raw: bytes) -> object:
    parsed: object = json.loads(raw, parse_constant=_no_constant)
    return parsed


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON.")
