"""Reader of the `mtcnn` package's weight files: an LZ4 frame holding a joblib pickle of a list of arrays.

A pickle is a program. This one is run with three names it may call and no others, each answered by a class of
ours, and its digest was checked before: two locks on one door.
"""

import io
import pickle
from typing import Any, NoReturn

import lz4.frame
import numpy as np
from numpy.typing import NDArray

from faceauth.errors import ModelError

MAX_BYTES = 16_000_000
"""Bytes of the unpacked stream that are looked at; the largest of the three files unpacks to 1.6 MB."""


class _Stream(io.RawIOBase):
    """The unpacked bytes. It has no `peek`, so the unpickler never reads past what it needs."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        end = len(self._data) if size < 0 else self._at + size
        part = self._data[self._at : end]
        self._at += len(part)
        return part

    def readline(self, size: int | None = -1) -> NoReturn:  # noqa: ARG002  the signature is the base class's
        raise ModelError("A weight file uses a text opcode; it is not the one this project converts.")


class _Float32:
    """Stands for ``numpy.dtype``: only little-endian float32 is read."""

    def __init__(self, code: str, align: object = None, copy: object = None) -> None:  # noqa: ARG002  numpy's
        if code != "f4":
            raise ModelError(f"A weight file holds numbers of type {code!r}, not float32.")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] != "<":
            raise ModelError("A weight file is not little-endian.")


class _NdArray:
    """Stands for ``numpy.ndarray``, which the stream names as the wrapper's subclass."""


def _wrapper(stream: _Stream) -> type:
    """Make the class that stands for joblib's wrapper: the array's bytes follow it in the stream."""

    class Wrapper:
        array: NDArray[np.float32]

        def __setstate__(self, state: dict[str, Any]) -> None:
            if state["subclass"] is not _NdArray or not isinstance(state["dtype"], _Float32):
                raise ModelError("A weight file wraps something that is not a float32 array.")
            if state.get("numpy_array_alignment_bytes") is not None:
                stream.read(stream.read(1)[0])
            shape = tuple(int(n) for n in state["shape"])
            count = int(np.prod(shape, dtype=np.int64))
            data = stream.read(4 * count)
            if min(shape, default=1) < 1 or len(data) != 4 * count:
                raise ModelError("A weight file is truncated.")
            self.array = np.frombuffer(data, dtype="<f4").reshape(shape, order=state["order"])

    return Wrapper


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: _Stream) -> None:
        super().__init__(stream)
        self._allowed: dict[tuple[str, str], type] = {
            ("numpy", "ndarray"): _NdArray,
            ("numpy", "dtype"): _Float32,
            ("joblib.numpy_pickle", "NumpyArrayWrapper"): _wrapper(stream),
        }

    def find_class(self, module_name: str, global_name: str, /) -> type:
        try:
            return self._allowed[module_name, global_name]
        except KeyError:
            raise ModelError(f"A weight file asks for {module_name}.{global_name}; refused.") from None


def read_weight_list(data: bytes) -> list[NDArray[np.float32]]:
    """Read one weight file.

    Args:
        data: The file's bytes.

    Returns:
        The arrays, float32, in the order of the Keras layers.

    Raises:
        ModelError: The file is damaged, or names anything but numpy arrays in joblib's wrapper.
    """
    try:
        with lz4.frame.open(io.BytesIO(data)) as packed:
            plain = packed.read(MAX_BYTES)
        items = _Unpickler(_Stream(plain)).load()
        return [item.array for item in items]
    except ModelError:
        raise
    except Exception as error:
        raise ModelError("A weight file cannot be read; fetch the package mtcnn again.") from error
