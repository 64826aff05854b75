"""Looks through every byte of files for what should not be there: the proof behind an erasure (R42).

A needle is looked for in pieces of 16 bytes, so that half a page left behind is found too, and in the forms bytes
take in text: hexadecimal and base64 at its three alignments.
"""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from faceauth.types import Vector

WINDOW: Final = 16
_DISTINCT: Final = 8
"""A piece with fewer different bytes, such as zeros, would be found by chance."""
_CHUNK: Final = 1 << 22
_OVERLAP: Final = 4 * WINDOW


@dataclass(frozen=True, slots=True)
class Hit:
    """A needle that was found: which one, in what form, in which file and where."""

    path: Path
    offset: int
    needle: int
    form: str


def scan(places: Iterable[Path], needles: Sequence[bytes]) -> list[Hit]:
    """Return where the needles are in these files, and in all files under these folders.

    Each needle is told at most once a file and form. Links are not followed.

    Raises:
        OSError: If a file cannot be read: then nothing is proven.
        ValueError: If a needle is too short or too plain to be told from chance.
    """
    pieces = _Pieces(needles)
    return [hit for path in _files(places) for hit in _scan_file(path, pieces)]


def vector_needles(vector: Vector) -> tuple[bytes, ...]:
    """Return the bytes an embedding has in memory and files: half, single and double precision, both orders."""
    return tuple(vector.astype(kind).tobytes() for kind in ("<f2", ">f2", "<f4", ">f4", "<f8", ">f8"))


def _files(places: Iterable[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_dir():
            yield from (path for path in sorted(place.rglob("*")) if path.is_file() and not path.is_symlink())
        else:
            yield place


def _forms(needle: bytes) -> Iterator[tuple[str, bytes]]:
    pieces = [needle[start : start + WINDOW] for start in range(0, len(needle) - WINDOW + 1, WINDOW)]
    pieces = [piece for piece in pieces if len(set(piece)) >= _DISTINCT]
    if not pieces:
        raise ValueError(f"A needle needs {WINDOW} bytes with at least {_DISTINCT} different ones.")
    for piece in pieces:
        yield "bytes", piece
        yield "hex", piece.hex().encode()
        yield "hex", piece.hex().upper().encode()
        for shift in range(3):
            # Only whole groups of three bytes, so that the neighbours have no part in the text.
            inner = piece[shift : shift + (WINDOW - shift) // 3 * 3]
            yield "base64", b64encode(inner)
            yield "base64", urlsafe_b64encode(inner)


class _Pieces:
    """All pieces at once, found by three of their bytes, so that many needles take one pass over a file."""

    def __init__(self, needles: Sequence[bytes]) -> None:
        self._by_mark: dict[int, list[tuple[int, int, str, bytes]]] = {}
        self._is_mark = np.zeros(1 << 24, np.bool_)
        for number, needle in enumerate(needles):
            for form, piece in _forms(needle):
                at = _mark(piece)
                mark = int.from_bytes(piece[at : at + 3], "little")
                self._by_mark.setdefault(mark, []).append((at, number, form, piece))
                self._is_mark[mark] = True

    def find(self, data: bytes) -> Iterator[tuple[int, int, str]]:
        """Return where pieces are in the data: offset, needle and form."""
        octets = np.frombuffer(data, np.uint8).astype(np.uint32)
        marks = octets[:-2] | octets[1:-1] << 8 | octets[2:] << 16
        for place in np.flatnonzero(self._is_mark[marks]).tolist():
            for at, number, form, piece in self._by_mark[int(marks[place])]:
                if place >= at and data.startswith(piece, place - at):
                    yield place - at, number, form


def _mark(piece: bytes) -> int:
    """Return where the piece has three bytes that are rare in files: different ones, and no zero among them."""
    for at in range(len(piece) - 2):
        three = piece[at : at + 3]
        if len(set(three)) == 3 and 0 not in three:
            return at
    return 0


def _scan_file(path: Path, pieces: _Pieces) -> Iterator[Hit]:
    told: set[tuple[int, str]] = set()
    with path.open("rb") as file:
        start, carried = 0, b""
        while chunk := file.read(_CHUNK):
            data = carried + chunk
            for at, number, form in pieces.find(data):
                if (number, form) not in told:
                    told.add((number, form))
                    yield Hit(path, start - len(carried) + at, number, form)
            start += len(chunk)
            carried = data[-_OVERLAP:]
