"""The restricted reader of `.pth` files: tensors come out, programs do not run."""

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faceauth.embed.convert.torch_file import MAX_BYTES, read_torch_file
from faceauth.errors import ModelError
from tests.embed.torch_files import MAGIC, Call, Named, Stored, pickled, tensor, torch_file, whole

VALUES = {
    "kernel": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2),
    "bias": np.array([1.5, -2.0], dtype=np.float32),
}
STORED = Stored("a", "FloatStorage", 6)
SIX = np.arange(6, dtype="<f4").tobytes()


def test_tensors_come_out() -> None:
    read = read_torch_file(torch_file(VALUES))
    assert list(read) == ["kernel", "bias"]
    for name, values in VALUES.items():
        np.testing.assert_array_equal(read[name], values)


def test_parts_of_one_storage_and_counters() -> None:
    """Two tensors may lie in one storage; a counter, which is a whole number, is left out."""
    two = {"first": tensor(STORED, (2,)), "second": tensor(STORED, (2, 2), start=2)}
    read = read_torch_file(whole(two, {"a": SIX}))
    np.testing.assert_array_equal(read["second"], [[2.0, 3.0], [4.0, 5.0]])
    count = {"count": tensor(Stored("n", "LongStorage", 1), ())}
    assert read_torch_file(whole(count, {"n": bytes(8)}, size=8)) == {}


class Runs:
    """A pickle of this calls a function when it is loaded."""

    def __init__(self, function: Any, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("part", range(5))
@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_no_function_of_the_files_choosing_runs(
    part: int, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R22: whichever of the five pickles is a program, in whichever protocol, it is refused and not run."""
    monkeypatch.chdir(tmp_path)
    parts: list[object] = [MAGIC, 1001, {"little_endian": True}, {}, []]
    pickles = [pickled(one) for one in parts]
    pickles[part] = pickle.dumps(Runs(os.system, "touch pwned"), protocol=protocol)
    with pytest.raises(ModelError):
        read_torch_file(b"".join(pickles))
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({"x": Call(Named("os", "system"), "true")}, "os.system"),
        ({"x": Call(Named("builtins", "eval"), "1")}, "builtins.eval"),
        ({"x": Call(Named("torch", "load"), "x")}, "torch.load"),
        ({"x": Call(Named("torch._utils", "_rebuild_parameter"), 1)}, "_rebuild_parameter"),
        ({"x": Call(Named("torch", "FloatStorage"), 4)}, "no call"),
        ({"x": Call(Named("collections", "OrderedDict"), [("a", 1)])}, "no call"),
        ({"x": tensor(STORED, (6,)), "y": Named("collections", "OrderedDict")}, "beside named tensors"),
        ({"x": 1.5}, "BINFLOAT"),
        ({"x": b"abc"}, "refused"),
        ({"x": tensor(STORED, (6,)), "y": 7}, "beside named tensors"),
        ({7: tensor(STORED, (6,))}, "beside named tensors"),
        ([1, 2], "no mapping"),
        ({"x": tensor(STORED, (2, 3), strides=(1, 2))}, "in rows"),
        ({"x": tensor(STORED, (7,))}, "past its storage"),
        ({"x": tensor(STORED, (6,), start=1)}, "past its storage"),
        ({"x": tensor(STORED, (-6,))}, "none this reader knows"),
        ({"x": tensor(STORED, (1, 1, 1, 1, 6))}, "none this reader knows"),
        ({"x": tensor(STORED, (6,), start=-1)}, "none this reader knows"),
        ({"x": tensor(STORED, (MAX_BYTES + 1,))}, "none this reader knows"),
        ({"x": tensor(STORED, (6,)), "y": tensor(Stored("a", "LongStorage", 3), (3,))}, "in two ways"),
        ({"x": tensor(Stored("a", "ByteStorage", 6), (6,))}, "ByteStorage"),
        ({"x": tensor(Stored("b", "FloatStorage", 6), (6,))}, "not those its tensors name"),
    ],
)
def test_anything_but_named_tensors_is_refused(named: object, told: str) -> None:
    """R22: what is refused is named."""
    with pytest.raises(ModelError, match=told):
        read_torch_file(whole(named, {"a": SIX}))


@pytest.mark.parametrize(
    "data",
    [
        whole({}, {}, magic=1),
        whole({}, {}, version=1002),
        whole({}, {}, little=False),
        whole({"x": tensor(STORED, (6,))}, {"a": SIX[:-4]}),
        torch_file(VALUES) + b"\0",
        torch_file(VALUES)[:-1],
        torch_file({"x": np.array([np.nan], dtype=np.float32)}),
        b"",
        b"\x80",
        bytes(MAX_BYTES + 1),
    ],
    ids=["magic", "version", "endian", "short", "trailing", "truncated", "nan", "empty", "stub", "large"],
)
def test_damage_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError):
        read_torch_file(data)


def test_the_newer_format_is_refused(tmp_path: Path) -> None:
    """A ZIP, as PyTorch writes since 1.6, is not what is published, so nothing here reads it."""
    path = tmp_path / "new.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled({}))
    with pytest.raises(ModelError):
        read_torch_file(path.read_bytes())


def test_every_truncation_and_flip_ends() -> None:
    """R58: a damaged file gives an error or other numbers, never another exception."""
    data = torch_file(VALUES)
    chance = np.random.default_rng(0)
    for end in chance.integers(0, len(data), 400):
        with pytest.raises(ModelError):
            read_torch_file(data[:end])
    for at in chance.integers(0, len(data), 400):
        flipped = bytearray(data)
        flipped[at] ^= 1 << int(chance.integers(0, 8))
        try:
            read_torch_file(bytes(flipped))
        except ModelError:
            continue
