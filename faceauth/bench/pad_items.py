"""What `faceauth bench pad` is given: a folder, or a CSV list, of sessions, clips and single pictures.

The layout, which docs/benchmarks.md tells users::

    DIR/bona_fide/…                     living people (also: live, real)
    DIR/attack/SPECIES/…                presentation attacks, one folder a species
    DIR/injection/SPECIES/…             attacks that go round the camera; told apart (R6)
    DIR/SPECIES/…                       any other folder is a presentation species too

Below that, a folder with a ``challenge.json`` is one session; a film is one clip; other pictures stand alone.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from faceauth.errors import InvalidRequest

BONA_FIDE: Final = "bona_fide"
LIVING: Final = frozenset({BONA_FIDE, "live", "real"})
"""Folder names and labels of bona fide presentations."""

CHALLENGE: Final = "challenge.json"
PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})
FILMS: Final = frozenset({".mp4", ".mov", ".avi", ".mkv", ".webm"})

Channel = Literal["presentation", "injection"]
Kind = Literal["session", "clip", "picture"]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to judge. `species` is `BONA_FIDE`, or the attack's; `path` is a folder or a file."""

    path: Path = field(repr=False)
    kind: Kind
    species: str
    channel: Channel = "presentation"


def read_items(data: Path, labels: Path | None = None) -> list[Item]:
    """List what is to be judged, in a fixed order.

    Args:
        data: the folder.
        labels: a CSV file with the columns ``path`` (within the folder: a file or a folder), ``label``
            (``bona_fide`` or ``attack``), ``species`` and, if any is, ``channel`` (``injection``); nothing else in
            the folder is read then.

    Raises:
        InvalidRequest: there is no such folder, nothing in it, or a line of the list is wrong.
    """
    if not data.is_dir():
        raise InvalidRequest(f"There is no folder {data}. Name one with --data.")
    items = list(_listed(data, labels)) if labels else list(_laid_out(data))
    if not items:
        raise InvalidRequest(f"{data} holds no session, film or picture. See docs/benchmarks.md for the layout.")
    return items


def _laid_out(data: Path) -> Iterator[Item]:
    for top in sorted(path for path in data.iterdir() if path.is_dir()):
        if top.name in LIVING:
            yield from _within(top, BONA_FIDE, "presentation")
        elif top.name in {"attack", "injection"}:
            channel: Channel = "injection" if top.name == "injection" else "presentation"
            for species in sorted(path for path in top.iterdir() if path.is_dir()):
                yield from _within(species, species.name, channel)
        else:
            yield from _within(top, top.name, "presentation")


def _listed(data: Path, labels: Path) -> Iterator[Item]:
    try:
        with labels.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"The list {labels} cannot be read.") from error
    for number, row in enumerate(rows, 2):
        species, channel = _told(row, labels, number)
        path = data / (row.get("path") or "")
        if not row.get("path") or not path.exists():
            raise InvalidRequest(f"{labels}, line {number}: there is no {row.get('path') or 'path'}.")
        yield from _within(path, species, channel)


def _told(row: Mapping[str, str | None], labels: Path, number: int) -> tuple[str, Channel]:
    label, species, channel = (row.get(name) or "" for name in ("label", "species", "channel"))
    if label in LIVING:
        return BONA_FIDE, "presentation"
    if label != "attack" or not species or channel not in {"", "presentation", "injection"}:
        raise InvalidRequest(
            f"{labels}, line {number}: label is bona_fide, or attack with a species; see the docs."
        )
    return species, "injection" if channel == "injection" else "presentation"


def _within(path: Path, species: str, channel: Channel) -> Iterator[Item]:
    """Find the sessions, clips and pictures at or below a path."""
    if path.is_file():
        kind = _kind(path)
        if kind is not None:
            yield Item(path, kind, species, channel)
        return
    if (path / CHALLENGE).is_file():
        yield Item(path, "session", species, channel)
        return
    for one in sorted(path.iterdir()):
        yield from _within(one, species, channel)


def _kind(path: Path) -> Kind | None:
    if path.suffix.lower() in FILMS:
        return "clip"
    return "picture" if path.suffix.lower() in PICTURES else None


def frames_of(folder: Path) -> tuple[Sequence[Path], Path | None]:
    """Return a session's pictures in the order of their names, or its film.

    Raises:
        InvalidRequest: there is neither, or both.
    """
    pictures = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
    films = sorted(path for path in folder.iterdir() if path.suffix.lower() in FILMS)
    if bool(pictures) == bool(films) or len(films) > 1:
        raise InvalidRequest(f"The session {folder.name} holds neither pictures nor one film, or both.")
    return pictures, films[0] if films else None
