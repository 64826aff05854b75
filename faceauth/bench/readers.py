"""Pairs in other people's forms: InsightFace's ``.bin`` sets and lists in CSV."""

import csv
import pickle
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from faceauth.bench.dataset import Pair, Picture
from faceauth.errors import InvalidRequest

FOLDS = 10
"""InsightFace's sets name no folds; its own evaluation cuts them into ten, in their order."""

COLUMNS = ("first", "second", "mated")
"""Of a CSV list; `fold` may follow."""

_FOLD = re.compile("[0-9]{1,4}")

_TRUTH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class _Plain(pickle.Unpickler):
    """Builds lists, tuples, bytes and bools only: making any other object means running what the file says."""

    def find_class(self, module_name: str, global_name: str, /) -> NoReturn:
        raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}")

    def persistent_load(self, pid: Any) -> NoReturn:
        raise pickle.UnpicklingError(f"it refers to {pid!r} outside itself")


def read_bin(file: Path, folder: Path) -> tuple[tuple[Picture, ...], tuple[Pair, ...]]:
    """Read one of InsightFace's verification sets (``lfw.bin``): a list of encoded pictures, and which pairs mate.

    Args:
        file: The set: a pickle of two lists, of bytes and of bools, two pictures a bool, and of nothing else.
        folder: An empty folder that the pictures are written to; nobody knows whose they are.

    Returns:
        The pictures and the pairs, in ten folds.

    Raises:
        InvalidRequest: The file holds anything else, or cannot be read.
    """
    try:
        with file.open("rb") as handle:
            found = _Plain(handle, encoding="bytes").load()
    except OSError as error:
        raise InvalidRequest(f"{file.name} cannot be read: {error.strerror}.") from None
    except Exception as error:  # noqa: BLE001  what a malformed pickle raises is anything at all
        why = str(error) or type(error).__name__
        raise InvalidRequest(
            f"{file.name} is no set of pairs, or holds more than lists ({why}). Name another with --data."
        ) from None
    encoded, mated = _two_lists(found, file.name)
    if sum(map(len, encoded)) > file.stat().st_size:
        # A pickle may name one picture a million times, and each would be written to the disk.
        raise InvalidRequest(f"{file.name} names a picture again and again. Name another set with --data.")
    pictures = []
    for number, data in enumerate(encoded):
        path = folder / f"{number:06d}.jpg"
        path.write_bytes(data)
        pictures.append(Picture("", path.stem, path))
    count = len(mated)
    pairs = tuple(Pair(2 * at, 2 * at + 1, same, at * FOLDS // count) for at, same in enumerate(mated))
    return tuple(pictures), pairs


def _two_lists(found: object, name: str) -> tuple[Sequence[bytes], Sequence[bool]]:
    if not (isinstance(found, (tuple, list)) and len(found) == 2):
        raise InvalidRequest(f"{name} does not hold two lists.")
    encoded, mated = found
    if not (isinstance(encoded, list) and all(isinstance(one, bytes) for one in encoded)):
        raise InvalidRequest(f"The pictures of {name} are no list of bytes.")
    if not (isinstance(mated, list) and mated and all(isinstance(one, bool) for one in mated)):
        raise InvalidRequest(f"{name} does not say by a list of bools which pairs mate.")
    if len(encoded) != 2 * len(mated):
        raise InvalidRequest(f"{name} holds {len(encoded)} pictures for {len(mated)} pairs.")
    return encoded, mated


def read_csv_pairs(file: Path, data: Path) -> tuple[tuple[Picture, ...], tuple[Pair, ...]]:
    """Read pairs from CSV: a header ``first,second,mated`` and perhaps ``fold``, paths relative to `data`.

    Raises:
        InvalidRequest: A column or a picture is missing, a path leads out of `data`, or it is not said whether a
            pair is mated.
    """
    rows = _csv_rows(file, COLUMNS)
    index: dict[str, int] = {}
    pictures: list[Picture] = []
    pairs = []
    for number, row in enumerate(rows):
        ends = []
        for column in COLUMNS[:2]:
            name = row[column]
            if name not in index:
                index[name] = len(pictures)
                pictures.append(_within(data, name, file.name))
            ends.append(index[name])
        mated = _TRUTH.get(row["mated"].strip().lower())
        if mated is None:
            raise InvalidRequest(f"{file.name}: {row['mated']!r} is neither yes nor no.")
        fold = row.get("fold") or str(number * FOLDS // len(rows))
        if not _FOLD.fullmatch(fold):
            raise InvalidRequest(f"{file.name}: {fold[:20]!r} is no fold's number (0 to 9999).")
        pairs.append(Pair(ends[0], ends[1], mated, int(fold)))
    return tuple(pictures), tuple(pairs)


def read_labels(file: Path) -> dict[str, dict[str, str]]:
    """Read labels from CSV, ``person`` and any other columns: column → person → label; empty ones are left out.

    Raises:
        InvalidRequest: There is no column `person`, or no other; or a person is in it twice.
    """
    rows = _csv_rows(file, ("person",))
    columns = [name for name in rows[0] if name != "person"]
    if not columns:
        raise InvalidRequest(f"{file.name} needs a column beside person.")
    named = Counter(row["person"] for row in rows)
    if twice := next((person for person, count in named.items() if count > 1), None):
        raise InvalidRequest(f"{file.name} has two rows for {twice}. Leave one of them.")
    return {column: {row["person"]: row[column] for row in rows if row[column]} for column in columns}


def _csv_rows(file: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.DictReader(handle, strict=True))
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InvalidRequest(f"{file.name} is not in UTF-8. Save it in that encoding.") from None
    except csv.Error as error:
        raise InvalidRequest(f"{file.name} is no CSV: {error}.") from None
    if not rows or any(column not in rows[0] for column in columns):
        raise InvalidRequest(f"{file.name} needs a header with {', '.join(columns)}, and a row.")
    if any(None in row or None in row.values() for row in rows):
        raise InvalidRequest(f"{file.name} has a row with more or fewer fields than its header.")
    return rows


def _within(data: Path, name: str, listed: str) -> Picture:
    try:
        path = (data / name).resolve()
        there = path.is_file()
    except (OSError, ValueError):
        # A zero byte, or more letters than a file's name may have.
        raise InvalidRequest(f"{listed}: {name[:40]!r} is no file's name.") from None
    if not path.is_relative_to(data.resolve()):
        raise InvalidRequest(f"{listed}: {name} leads out of the folder.")
    if not there:
        raise InvalidRequest(f"{listed}: there is no picture {name}.")
    return Picture(path.parent.name, path.stem, path)
