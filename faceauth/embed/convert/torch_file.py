"""Reader of the weights in a `.pth` file as PyTorch wrote them before 1.6: nothing in it is ever executed.

Such a file is five pickles (a magic number, a format version, the writer's sizes, the named tensors, the order of
the storages) and then the storages' numbers (PyTorch, ``torch/serialization.py``, ``_legacy_save``). A pickle is a
program that may call anything. Here its operations are only read, by `pickletools.genops`, and a machine of ours
answers the two dozen that a mapping of names to tensors needs, with values that can do nothing. Whatever else a
file holds is refused by its name.
"""

import io
import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from faceauth.errors import ModelError

MAGIC: Final = 0x1950A86A20F9469CFC6C
"""PyTorch's ``MAGIC_NUMBER``."""

FORMAT: Final = 1001
"""PyTorch's ``PROTOCOL_VERSION``; there was never another."""

MAX_BYTES: Final = 64_000_000
"""Larger files are refused: those this project reads have 1.9 MB."""

MAX_RANK: Final = 4
"""A convolution's kernel has four axes, and nothing here has more."""


@dataclass(frozen=True, slots=True)
class _Name:
    """Something a pickle names. It stands for itself and cannot be called."""

    text: str


_MAPPING = _Name("collections OrderedDict")
_TENSOR = _Name("torch._utils _rebuild_tensor_v2")
_KINDS: Final[Mapping[_Name, str]] = {_Name("torch FloatStorage"): "<f4", _Name("torch LongStorage"): "<i8"}
_NAMES: Final = {name.text: name for name in (_MAPPING, _TENSOR, *_KINDS)}


@dataclass(frozen=True, slots=True)
class _Storage:
    """A row of numbers that follows the pickles."""

    key: str
    kind: str
    length: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A part of a storage, in rows."""

    storage: _Storage
    start: int
    shape: tuple[int, ...]


class _Mark:
    """Where a list of operands begins on the stack."""


def read_torch_file(data: bytes) -> dict[str, NDArray[np.float32]]:
    """Read the float tensors of a `.pth` file that holds a mapping of names to tensors.

    Args:
        data: The file's bytes.

    Returns:
        The tensors by name; counters, which are whole numbers, are left out.

    Raises:
        ModelError: The file is damaged, too large, or holds anything but such a mapping.
    """
    if len(data) > MAX_BYTES:
        raise ModelError("A weight file is larger than any this project reads; refused.")
    stream = io.BytesIO(data)
    try:
        return _read(stream)
    except ModelError:
        raise
    except Exception as error:  # whatever a damaged file leads to
        raise ModelError("A weight file cannot be read; fetch it again.") from error


def _read(stream: io.BytesIO) -> dict[str, NDArray[np.float32]]:
    if _Machine(stream).run() != MAGIC or _Machine(stream).run() != FORMAT:
        raise ModelError("A weight file is no PyTorch file of the format before 1.6; refused.")
    if _Machine(stream).run()["little_endian"] is not True:
        raise ModelError("A weight file is not little-endian; refused.")
    machine = _Machine(stream)
    tensors = machine.run()
    order = _Machine(stream).run()
    if not isinstance(tensors, dict) or not isinstance(order, list):
        raise ModelError("A weight file holds no mapping of names to tensors; refused.")
    if len(set(order)) != len(order) or set(order) != set(machine.storages):
        raise ModelError("A weight file's storages are not those its tensors name; refused.")
    numbers = {key: _numbers(stream, machine.storages[key]) for key in order}
    if stream.read(1):
        raise ModelError("A weight file goes on after its end; refused.")
    read: dict[str, NDArray[np.float32]] = {}
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not isinstance(tensor, _Tensor):
            raise ModelError("A weight file holds something beside named tensors; refused.")
        if tensor.storage.kind == "<f4":
            read[name] = _values(tensor, numbers[tensor.storage.key])
    return read


def _numbers(stream: io.BytesIO, storage: _Storage) -> NDArray[Any]:
    length = int.from_bytes(stream.read(8), "little")
    size = storage.length * np.dtype(storage.kind).itemsize
    held = stream.read(size) if length == storage.length else b""
    if len(held) != size:
        raise ModelError("A weight file is truncated.")
    return np.frombuffer(held, storage.kind)


def _values(tensor: _Tensor, numbers: NDArray[Any]) -> NDArray[np.float32]:
    count = int(np.prod(tensor.shape, dtype=np.int64))
    part = numbers[tensor.start : tensor.start + count]
    if len(part) != count or not np.isfinite(part).all():
        raise ModelError("A weight file's tensor reaches past its storage, or holds no numbers; refused.")
    return np.asarray(part, dtype=np.float32).reshape(tensor.shape)


class _Machine:
    """Runs one pickle on values that can do nothing."""

    def __init__(self, stream: io.BytesIO) -> None:
        self.storages: dict[str, _Storage] = {}
        self._stream = stream
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._known: Mapping[str, Callable[[Any], None]] = {
            "PROTO": self._protocol,
            "GLOBAL": self._global,
            "BINPUT": self._put,
            "LONG_BINPUT": self._put,
            "BINGET": self._get,
            "LONG_BINGET": self._get,
            "BINPERSID": self._storage,
            "REDUCE": self._reduce,
            "BUILD": self._build,
            "SETITEM": self._set_one,
            "SETITEMS": self._set_many,
            "APPEND": lambda _: self._append([self._stack.pop()]),
            "APPENDS": lambda _: self._append(self._to_mark()),
            "TUPLE": lambda _: self._stack.append(tuple(self._to_mark())),
            "TUPLE1": lambda _: self._tuple(1),
            "TUPLE2": lambda _: self._tuple(2),
            "TUPLE3": lambda _: self._tuple(3),
            "MARK": lambda _: self._stack.append(_Mark()),
            "EMPTY_TUPLE": lambda _: self._stack.append(()),
            "EMPTY_DICT": lambda _: self._stack.append({}),
            "EMPTY_LIST": lambda _: self._stack.append([]),
            "NONE": lambda _: self._stack.append(None),
            "NEWTRUE": lambda _: self._stack.append(True),
            "NEWFALSE": lambda _: self._stack.append(False),
        }

    def run(self) -> Any:
        """Read operations to the end of the pickle and return what is left."""
        for operation, argument, _ in pickletools.genops(self._stream):
            if operation.name in {"BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1"}:
                self._stack.append(argument)
            elif operation.name in self._known:
                self._known[operation.name](argument)
            elif operation.name != "STOP":
                raise ModelError(f"A weight file uses the operation {operation.name}; refused.")
        if len(self._stack) != 1:
            raise ModelError("A weight file's pickle leaves more than one value; refused.")
        return self._stack[0]

    def _protocol(self, version: int) -> None:
        if version != 2:
            raise ModelError(f"A weight file is a pickle of protocol {version}, not 2; refused.")

    def _global(self, text: str) -> None:
        if text not in _NAMES:
            raise ModelError(f"A weight file asks for {text.replace(' ', '.')}; refused.")
        self._stack.append(_NAMES[text])

    def _put(self, place: int) -> None:
        self._memo[place] = self._stack[-1]

    def _get(self, place: int) -> None:
        self._stack.append(self._memo[place])

    def _to_mark(self) -> list[Any]:
        taken: list[Any] = []
        while not isinstance(top := self._stack.pop(), _Mark):
            taken.append(top)
        return taken[::-1]

    def _tuple(self, length: int) -> None:
        taken = [self._stack.pop() for _ in range(length)]
        self._stack.append(tuple(taken[::-1]))

    def _storage(self, _: None) -> None:
        word, kind, key, _where, length, view = self._stack.pop()
        if word != "storage" or kind not in _KINDS or view is not None or not _is_count(length):
            raise ModelError("A weight file's storage is none this reader knows; refused.")
        storage = _Storage(key, _KINDS[kind], length)
        if self.storages.setdefault(key, storage) != storage:
            raise ModelError("A weight file names one storage twice, in two ways; refused.")
        self._stack.append(storage)

    def _reduce(self, _: None) -> None:
        """Answer the two calls there are: an empty mapping, and a tensor that lies in rows in its storage."""
        called, arguments = self._stack[-2], self._stack[-1]
        del self._stack[-2:]
        if called == _MAPPING and arguments == ():
            self._stack.append({})
            return
        if called != _TENSOR:
            raise ModelError("A weight file calls something that is no call; refused.")
        storage, start, shape, strides, needs_gradient, hooks = arguments
        whole = isinstance(storage, _Storage) and needs_gradient is False and hooks == {}
        if not whole or not all(_is_count(number) for number in (start, *shape)) or len(shape) > MAX_RANK:
            raise ModelError("A weight file's tensor is none this reader knows; refused.")
        rows = tuple(int(np.prod(shape[axis + 1 :], dtype=np.int64)) for axis in range(len(shape)))
        if strides != rows:
            raise ModelError("A weight file's tensor does not lie in rows; refused.")
        self._stack.append(_Tensor(storage, start, shape))

    def _build(self, _: None) -> None:
        """Drop the attributes of a mapping: the versions of the layers that wrote it."""
        self._stack.pop()
        self._mapping()

    def _mapping(self) -> dict[Any, Any]:
        if not isinstance(top := self._stack[-1], dict):
            raise ModelError("A weight file fills something that is no mapping; refused.")
        return top

    def _set_one(self, _: None) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._mapping()[key] = value

    def _set_many(self, _: None) -> None:
        taken = self._to_mark()
        self._mapping().update(zip(taken[::2], taken[1::2], strict=True))

    def _append(self, taken: list[Any]) -> None:
        if not isinstance(top := self._stack[-1], list):
            raise ModelError("A weight file fills something that is no list; refused.")
        top += taken


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_BYTES
