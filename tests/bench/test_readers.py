"""Other people's pair lists: what is read, and that nothing in them is run."""

import os
import pickle
from pathlib import Path

import pytest

from faceauth.bench.readers import read_bin, read_csv_pairs, read_labels
from faceauth.errors import InvalidRequest


class _Runs:
    """Makes a folder when it is unpickled by somebody careless."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self._path,)


def _bin(tmp_path: Path, content: object) -> Path:
    file = tmp_path / "set.bin"
    file.write_bytes(pickle.dumps(content, protocol=4))
    return file


def test_a_set_of_insightface(tmp_path: Path) -> None:
    """Two pictures a bool, in ten folds, bytes as they are."""
    (tmp_path / "out").mkdir()
    encoded = [bytes([number]) for number in range(40)]
    pictures, pairs = read_bin(_bin(tmp_path, (encoded, [True, False] * 10)), tmp_path / "out")
    assert [picture.path.read_bytes() for picture in pictures] == encoded
    assert [(pair.first, pair.second, pair.mated, pair.fold) for pair in pairs[:3]] == [
        (0, 1, True, 0),
        (2, 3, False, 0),
        (4, 5, True, 1),
    ]
    assert {pair.fold for pair in pairs} == set(range(10))


def test_a_set_written_by_python_2(tmp_path: Path) -> None:
    """InsightFace's own sets are: their strings come as bytes."""
    (tmp_path / "out").mkdir()
    file = tmp_path / "lfw.bin"
    # Protocol 2: ((two strings), (one bool)); protocol 2 of Python 3 would write another form.
    file.write_bytes(b"\x80\x02]q\x00(U\x02abq\x01U\x01cq\x02e]q\x03\x88a\x86q\x04.")
    pictures, pairs = read_bin(file, tmp_path / "out")
    assert [picture.path.read_bytes() for picture in pictures] == [b"ab", b"c"]
    assert pairs[0].mated


def test_nothing_is_run(tmp_path: Path) -> None:
    """A file that asks for any object is refused before the object is made."""
    made = tmp_path / "made"
    file = _bin(tmp_path, ([_Runs(str(made))], [True]))
    with pytest.raises(InvalidRequest, match="mkdir"):
        read_bin(file, tmp_path)
    assert not made.exists()


@pytest.mark.parametrize(
    "content",
    [
        {"a": 1},
        ([b"a", b"b"], []),
        ([b"a", b"b"], [1]),
        ([b"a"], [True]),
        (["a", "b"], [True]),
        ((b"a", b"b"), [True]),
        ([b"a", b"b"], [True], 3),
    ],
)
def test_what_is_no_set(tmp_path: Path, content: object) -> None:
    with pytest.raises(InvalidRequest, match=r"set\.bin"):
        read_bin(_bin(tmp_path, content), tmp_path)


@pytest.mark.parametrize("data", [b"", b"\x80\x04", b"no pickle at all", b"\x80\x04Pid\n."])
def test_what_is_no_pickle(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "set.bin"
    file.write_bytes(data)
    with pytest.raises(InvalidRequest, match=r"set\.bin"):
        read_bin(file, tmp_path)


def test_a_small_set_of_many_pictures(tmp_path: Path) -> None:
    """A pickle may name one picture a million times: a file of a megabyte would fill the disk."""
    out = tmp_path / "out"
    out.mkdir()
    one = bytes(1000)
    with pytest.raises(InvalidRequest, match="again and again"):
        read_bin(_bin(tmp_path, ([one] * 40, [True] * 20)), out)
    assert not list(out.iterdir())


def test_a_picture_longer_than_memory(tmp_path: Path) -> None:
    """Only its length is in the file; Python's own message is empty."""
    file = tmp_path / "set.bin"
    file.write_bytes(b"\x80\x04\x8e" + (1 << 62).to_bytes(8, "little") + b"x.")
    with pytest.raises(InvalidRequest, match="MemoryError"):
        read_bin(file, tmp_path)


def _csv(tmp_path: Path, *lines: str) -> Path:
    (tmp_path / "a").mkdir(exist_ok=True)
    for name in ("1.jpg", "2.jpg"):
        (tmp_path / "a" / name).write_bytes(b"")
    file = tmp_path / "pairs.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_pairs_in_csv(tmp_path: Path) -> None:
    """A picture that is named twice is one picture; folds are taken where they are given."""
    file = _csv(tmp_path, "first,second,mated,fold", "a/1.jpg,a/2.jpg,1,3", "a/2.jpg,a/1.jpg,No,4")
    pictures, pairs = read_csv_pairs(file, tmp_path)
    assert [picture.name for picture in pictures] == ["1", "2"]
    assert [(one.first, one.second, one.mated, one.fold) for one in pairs] == [(0, 1, True, 3), (1, 0, False, 4)]


@pytest.mark.parametrize(
    "lines",
    [
        ("first,second", "a/1.jpg,a/2.jpg"),
        ("first,second,mated",),
        ("first,second,mated", "a/1.jpg,a/2.jpg,perhaps"),
        ("first,second,mated", "a/1.jpg,a/3.jpg,1"),
        ("first,second,mated", "a/1.jpg,../../etc/passwd,1"),
        ("first,second,mated", "a/1.jpg,a/2.jpg"),
        ("first,second,mated", "a/1.jpg,a/2.jpg,1,9"),
        ("first,second,mated,fold", "a/1.jpg,a/2.jpg,1,-1"),
        ("first,second,mated,fold", f"a/1.jpg,a/2.jpg,1,{'9' * 5000}"),
        ("first,second,mated", "a/1\0.jpg,a/2.jpg,1"),
        ("first,second,mated", f"a/1.jpg,{'a' * 5000},1"),
        ("first,second,mated", f"a/1.jpg,{'a' * 200_000},1"),
    ],
)
def test_what_is_no_list_of_pairs(tmp_path: Path, lines: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequest, match=r"pairs\.csv"):
        read_csv_pairs(_csv(tmp_path, *lines), tmp_path)


def test_labels(tmp_path: Path) -> None:
    """Every column beside `person` is a way to group; nobody is labelled by an empty field."""
    file = _csv(tmp_path, "person,age,site", "A,old,x", "B,,y")
    assert read_labels(file) == {"age": {"A": "old"}, "site": {"A": "x", "B": "y"}}
    with pytest.raises(InvalidRequest, match="person"):
        read_labels(_csv(tmp_path, "name,age", "A,old"))
    with pytest.raises(InvalidRequest, match="beside person"):
        read_labels(_csv(tmp_path, "person", "A"))
    with pytest.raises(InvalidRequest, match="two rows for A"):
        read_labels(_csv(tmp_path, "person,age", "A,old", "B,old", "A,young"))
