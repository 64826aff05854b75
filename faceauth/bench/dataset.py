"""Data sets on disk: a folder of people, and LFW's list of pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from faceauth.errors import InvalidRequest

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of one person; `name` is the file's name without its suffix."""

    person: str
    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Pair:
    """One comparison of the protocol: indices of two pictures, whether they are mated, and the fold it is in."""

    first: int
    second: int
    mated: bool
    fold: int


def read_folder(data: Path, *, limit: int | None = None) -> tuple[Picture, ...]:
    """Return the pictures of a folder of folders named by person, in the order of their names.

    Args:
        data: The folder.
        limit: Take only the first so many.

    Raises:
        InvalidRequest: There are none.
    """
    found = [
        Picture(path.parent.name, path.stem, path)
        for path in sorted(data.glob("*/*"))
        if path.suffix.lower() in SUFFIXES and path.is_file()
    ]
    if not found:
        raise InvalidRequest(f"{data} holds no pictures. It must be a folder of folders, one a person.")
    return tuple(found[:limit])


def several_each(pictures: Sequence[Picture]) -> list[Picture]:
    """Return the pictures of those who have more than one: the others make no mated comparison."""
    counts: dict[str, int] = {}
    for picture in pictures:
        counts[picture.person] = counts.get(picture.person, 0) + 1
    return [picture for picture in pictures if counts[picture.person] > 1]


def read_pairs(file: Path, pictures: tuple[Picture, ...]) -> tuple[Pair, ...]:
    """Read LFW's ``pairs.txt``: folds and pairs a fold, then lines `name n m` (mated) or `name n other m`.

    Pairs with a picture that is not among `pictures` are left out, so that a part of the set can be measured.

    Raises:
        InvalidRequest: The file is not of that form, or no pair is left.
    """
    index = {(picture.person, picture.name): number for number, picture in enumerate(pictures)}
    lines = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    try:
        folds, half = (int(value) for value in lines[0])
        named = [_names(line) for line in lines[1:]]
    except (ValueError, IndexError) as error:
        raise InvalidRequest(f"{file.name} is no list of pairs as LFW's is ({error}).") from None
    if len(named) != 2 * folds * half:
        raise InvalidRequest(f"{file.name} promises {2 * folds * half} pairs and holds {len(named)}.")
    pairs = [
        Pair(index[one], index[other], one[0] == other[0], number // (2 * half))
        for number, (one, other) in enumerate(named)
        if one in index and other in index
    ]
    if not pairs:
        raise InvalidRequest(f"No pair of {file.name} has both its pictures here. Take more with --limit.")
    return tuple(pairs)


def _names(line: list[str]) -> tuple[tuple[str, str], tuple[str, str]]:
    if len(line) == 3:
        person, one, other = line
        return (person, f"{person}_{int(one):04d}"), (person, f"{person}_{int(other):04d}")
    person, one, stranger, other = line
    return (person, f"{person}_{int(one):04d}"), (stranger, f"{stranger}_{int(other):04d}")
