"""The restricted unpickler: arrays come out, programs do not run."""

import io
import os
import pickle
from typing import Any

import lz4.frame
import numpy as np
import pytest

from faceauth.embed.convert.weightlist import read_weight_list
from faceauth.errors import ModelError
from tests.embed.conftest import Origin


def opened(data: bytes) -> bytes:
    plain: bytes = lz4.frame.decompress(data)
    return plain


def packed(data: bytes) -> bytes:
    frame: bytes = lz4.frame.compress(data)
    return frame


class Runs:
    """A pickle of this calls a function when it is loaded."""

    def __init__(self, function: Any, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    "value",
    [
        Runs(os.system, "touch pwned"),
        Runs(eval, "open('pwned', 'w')"),
        Runs(getattr, "x", "upper"),
        [Runs(io.BytesIO, b"x")],
        [np.zeros(3)],
        [np.float32(1)],
        [os.sep],
        {"a": 1},
        7,
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_anything_but_wrapped_arrays_is_refused(value: object, protocol: int, tmp_path: Any) -> None:
    """No function of the stream's choosing is called."""
    here = os.getcwd()  # noqa: PTH109  restored below
    os.chdir(tmp_path)
    try:
        data = packed(pickle.dumps(value, protocol=protocol))
        with pytest.raises(ModelError):
            read_weight_list(data)
    finally:
        os.chdir(here)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("data", [b"", b"not lz4", packed(b""), packed(b"\x80\x04")])
def test_no_weight_file_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError):
        read_weight_list(data)


def test_real_file(origin: Origin) -> None:
    """The arrays of the real file are whole."""
    arrays = read_weight_list(origin("pnet.onnx"))
    assert len(arrays) == 13
    assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in arrays)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\x8c\x05numpy\x94\x8c\x07ndarray", b"\x8c\x02os\x94\x8c\x06system"),
        (b"\x8c\x02f4", b"\x8c\x02O8"),
        (b"\x8c\x02f4", b"\x8c\x02f8"),
        (b"\x8c\x01<", b"\x8c\x01>"),
        (b"NumpyArrayWrapper", b"NDArrayWrapper\x00\x00\x00"),
        (b"K\x03K\x03K\x03K\n", b"K\x03K\x03K\xffK\xff"),
    ],
)
def test_altered_head_is_refused(origin: Origin, old: bytes, new: bytes) -> None:
    """Another class, another number type, another byte order, more numbers than there are: all refused."""
    plain = opened(origin("pnet.onnx"))
    assert old in plain
    # The frame's length is in the stream: keep it right, so that the change itself is what is refused.
    change = len(new) - len(old)
    framed = plain[:3] + (int.from_bytes(plain[3:11], "little") + change).to_bytes(8, "little") + plain[11:]
    with pytest.raises(ModelError):
        read_weight_list(packed(framed.replace(old, new, 1)))


def test_flipped_bytes_never_escape(origin: Origin) -> None:
    """Whatever is flipped in the first kilobyte: arrays, or an error of ours."""
    plain = opened(origin("pnet.onnx"))
    random = np.random.default_rng(11)
    for _ in range(300):
        bad = bytearray(plain)
        for place in random.integers(0, 1400, 3):
            bad[place] ^= int(random.integers(1, 256))
        try:
            found = read_weight_list(packed(bytes(bad)))
        except ModelError:
            continue
        assert all(isinstance(array, np.ndarray) for array in found)
