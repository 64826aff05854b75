"""Looks through every byte of files for what should not be there: the proof behind an erasure (R42).

A needle is looked for in pieces of 16 bytes, so that half a page left behind is found too, and in the forms bytes
take in text: hexadecimal and base64 at its three alignments.
"""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faceauth.types import Vector

WINDOW: Final = 16
_DISTINCT: Final = 8
"""A piece with fewer different bytes, such as zeros, would be found by chance."""
_CHUNK: Final = 1 << 24
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
    pieces = [(number, form, piece) for number, needle in enumerate(needles) for form, piece in _forms(needle)]
    return [hit for path in _files(places) for hit in _scan_file(path, pieces)]


def vector_needles(vector: Vector) -> tuple[bytes, ...]:
    """Return the bytes an embedding has in memory and in files: single and double precision, both byte orders."""
    return tuple(vector.astype(kind).tobytes() for kind in ("<f4", ">f4", "<f8", ">f8"))


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


def _scan_file(path: Path, pieces: Sequence[tuple[int, str, bytes]]) -> Iterator[Hit]:
    told: set[tuple[int, str]] = set()
    with path.open("rb") as file:
        start, carried = 0, b""
        while chunk := file.read(_CHUNK):
            data = carried + chunk
            for number, form, piece in pieces:
                if (number, form) in told or (at := data.find(piece)) < 0:
                    continue
                told.add((number, form))
                yield Hit(path, start - len(carried) + at, number, form)
            start += len(chunk)
            carried = data[-_OVERLAP:]
