"""Writes `.pth` files of the old format by hand, so that tests can lie in every part of them."""

import io
import pickle
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C


class Named:
    """A pickle of this names something and calls nothing."""

    def __init__(self, module: str, name: str) -> None:
        self.at = (module, name)


class Call:
    """A pickle of this calls what it names."""

    def __init__(self, called: Named, *arguments: object) -> None:
        self.called, self.arguments = called, arguments

    def __reduce__(self) -> Any:
        return self.called, self.arguments


class Stored:
    """A storage, as PyTorch's pickles refer to it."""

    def __init__(self, key: str, kind: str, length: int) -> None:
        self.told = ("storage", Named("torch", kind), key, "cpu", length, None)


_Pickler: Any = vars(pickle)["_Pickler"]
"""The pickler in Python, which can be taught names; the one in C cannot."""


class Writer(_Pickler):  # type: ignore[misc]  # a private class has no annotations
    """A pickler that writes the names a test chooses."""

    def persistent_id(self, obj: object) -> object:
        return obj.told if isinstance(obj, Stored) else None

    def save(self, obj: object, save_persistent_id: bool = True) -> Any:
        if isinstance(obj, Named):
            self.write(b"c" + "\n".join(obj.at).encode() + b"\n")
            return None
        if isinstance(obj, Call):
            self.save(obj.called)
            self.save(obj.arguments)
            self.write(b"R")
            return None
        return super().save(obj, save_persistent_id)


def pickled(value: object, protocol: int = 2) -> bytes:
    out = io.BytesIO()
    Writer(out, protocol).dump(value)
    return out.getvalue()


def tensor(
    stored: Stored, shape: tuple[int, ...], *, start: int = 0, strides: tuple[int, ...] | None = None
) -> Call:
    rows = tuple(int(np.prod(shape[axis + 1 :], dtype=np.int64)) for axis in range(len(shape)))
    hooks = Call(Named("collections", "OrderedDict"))
    return Call(Named("torch._utils", "_rebuild_tensor_v2"), stored, start, shape, strides or rows, False, hooks)


def torch_file(values: Mapping[str, NDArray[np.float32]]) -> bytes:
    """Return a whole file with these tensors."""
    named = {name: tensor(Stored(name, "FloatStorage", one.size), one.shape) for name, one in values.items()}
    return whole(named, {name: one.astype("<f4").tobytes() for name, one in values.items()})


def whole(
    named: object,
    storages: Mapping[str, bytes],
    *,
    magic: int = MAGIC,
    version: int = 1001,
    little: bool = True,
    size: int = 4,
) -> bytes:
    """Return a file of these parts; `size` is that of one number."""
    pickles = (magic, version, {"protocol_version": version, "little_endian": little}, named, list(storages))
    head = b"".join(pickled(one) for one in pickles)
    return head + b"".join(struct.pack("<q", len(data) // size) + data for data in storages.values())
