"""dlib's face recognition ResNet as an ONNX graph, from `dlib_face_recognition_resnet_model_v1.dat`.

Architecture: Davis King, dlib, example `dnn_face_recognition_ex.cpp`; the reader below was written from the bytes
of the file itself. The network has 29 convolutions in residual blocks, each followed by a fixed affine layer. All
affine layers and the input's mean and scale are folded into the convolutions; the first convolution does not pad,
so that is exact.

The graph takes ``image``: float32, shape (n, 3, 150, 150), RGB, 0 to 255, and answers ``embedding``: float32,
shape (n, 128), as dlib gives it, not yet of unit length.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import NDArray

from faceauth.embed.convert.graph import GraphBuilder
from faceauth.errors import ModelError

Array = NDArray[np.float32]

SIZE = 150
"""Pixels along one side of a chip."""

_TAGS = {b"con_4", b"affine_", b"relu_", b"max_pool_2", b"avg_pool_2", b"add_prev_", b"fc_2"}
_TAG = re.compile(b"|".join(re.escape(bytes((1, len(tag))) + tag) for tag in sorted(_TAGS)))
_INPUT = b"\x01\x15input_rgb_image_sized"
_INPUT_SCALE = 256.0  # dlib, dnn/input.h: the mean is taken off, then the value is divided by 256


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One step of the network: `kind` is conv, relu, max, average, add or dense."""

    kind: str
    kernel: Array | None = None
    bias: Array | None = None
    size: int = 0
    stride: int = 1
    pad: int = 0


class _Cursor:
    """dlib's serialisation: an integer is a count byte (top bit: negative) and that many little-endian bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def integer(self) -> int:
        head = self.data[self.at]
        end = self.at + 1 + (head & 0x0F)
        value = int.from_bytes(self.data[self.at + 1 : end], "little")
        self.at = end
        return -value if head & 0x80 else value

    def number(self) -> float:
        """Read a portable float: mantissa, then the power of two it is multiplied by."""
        return float(self.integer()) * 2.0 ** self.integer()

    def tensor(self) -> Array:
        """Read a tensor, version 2: four extents, then little-endian float32."""
        if self.integer() != 2:
            raise ModelError("The dlib file holds a tensor of an unknown version.")
        shape = [self.integer() for _ in range(4)]
        count = int(np.prod(shape))
        values = np.frombuffer(self.data, dtype="<f4", count=count, offset=self.at).astype(np.float32)
        self.at += 4 * count
        return values


def read_layers(data: bytes) -> list[Layer]:
    """Read dlib's file, from the picture to the embedding, everything foldable folded.

    Args:
        data: The file's bytes.

    Returns:
        The layers in order; a convolution's kernel has shape (out, in, height, width), the dense one's (in, out).

    Raises:
        ModelError: The file is not the one expected.
    """
    try:
        layers = list(_layers(data))
    except ModelError:
        raise
    except (ValueError, IndexError, OverflowError) as error:
        raise ModelError("The dlib file cannot be read; fetch face_recognition_models again.") from error
    kinds = [layer.kind for layer in layers]
    if kinds.count("conv") != 29 or kinds.count("add") != 14 or kinds[-1:] != ["dense"]:
        raise ModelError("The dlib file holds another network than dlib's face recognition ResNet.")
    return layers


def _layers(data: bytes) -> Iterator[Layer]:
    cursor = _Cursor(data)
    cursor.at = data.index(_INPUT) + len(_INPUT)
    mean = [cursor.number() for _ in range(3)]
    pending: Layer | None = None
    first = True
    while (tag := _TAG.search(data, cursor.at)) is not None:
        cursor.at = tag.end()
        name = tag.group()[2:]
        if name == b"con_4":
            pending = _convolution(cursor)
        elif name == b"affine_" and pending is not None:
            yield _fold_input(_fold_affine(pending, cursor.tensor()), mean if first else None)
            pending, first = None, False
        elif name == b"fc_2":
            outputs, inputs = cursor.integer(), cursor.integer()
            yield Layer("dense", kernel=cursor.tensor().reshape(inputs, outputs))
        elif name in (b"max_pool_2", b"avg_pool_2"):
            rows, _, stride, _, pad, _ = (cursor.integer() for _ in range(6))
            yield Layer("max" if name == b"max_pool_2" else "average", size=rows, stride=stride, pad=pad)
        else:
            yield Layer("relu" if name == b"relu_" else "add")


def _convolution(cursor: _Cursor) -> Layer:
    values = cursor.tensor()
    filters, rows, columns, stride, stride_x, pad, pad_x = (cursor.integer() for _ in range(7))
    if (stride, pad) != (stride_x, pad_x):
        raise ModelError("The dlib file holds another network than dlib's face recognition ResNet.")
    kernel = values[:-filters].reshape(filters, -1, rows, columns)
    return Layer("conv", kernel=kernel, bias=values[-filters:], stride=stride, pad=pad)


def _fold_affine(layer: Layer, values: Array) -> Layer:
    """Take γ·(Wx + b) + β into one convolution, in float64."""
    assert layer.kernel is not None  # noqa: S101  both are convolutions; for the type checker
    assert layer.bias is not None  # noqa: S101  the same
    gamma, beta = values.astype(np.float64).reshape(2, -1)
    kernel = layer.kernel.astype(np.float64) * gamma[:, None, None, None]
    bias = layer.bias.astype(np.float64) * gamma + beta
    return Layer(
        "conv",
        kernel=kernel.astype(np.float32),
        bias=bias.astype(np.float32),
        stride=layer.stride,
        pad=layer.pad,
    )


def _fold_input(layer: Layer, mean: list[float] | None) -> Layer:
    """Take (x − mean) / 256 into the first convolution; `fsum` gives the same bits on every machine."""
    if mean is None:
        return layer
    assert layer.kernel is not None  # noqa: S101  a convolution; for the type checker
    assert layer.bias is not None  # noqa: S101  the same
    wide = layer.kernel.astype(np.float64) / _INPUT_SCALE
    weighted = wide * np.asarray(mean)[None, :, None, None]
    shift = np.asarray([fsum(one.ravel().tolist()) for one in weighted])
    bias = (layer.bias.astype(np.float64) - shift).astype(np.float32)
    return Layer("conv", kernel=wide.astype(np.float32), bias=bias, stride=layer.stride, pad=layer.pad)


def convert(data: bytes) -> bytes:
    """Turn dlib's file into its ONNX graph.

    Args:
        data: The bytes of `dlib_face_recognition_resnet_model_v1.dat`.

    Returns:
        The graph's bytes, the same for the same input.

    Raises:
        ModelError: The file is not the one expected.
    """
    builder = _ResnetBuilder()
    for layer in read_layers(data):
        builder.add(layer)
    return builder.graph.build({"image": ("n", 3, SIZE, SIZE)}, {"embedding": ("n", 128)})


@dataclass(frozen=True, slots=True)
class _Value:
    """A tensor in the graph, with its channels and its side in pixels."""

    name: str
    channels: int
    side: int


class _ResnetBuilder:
    """Lays the layers out; keeps where the current residual block began."""

    def __init__(self) -> None:
        self.graph = GraphBuilder("dlib_resnet")
        self._x = _Value("image", 3, SIZE)
        self._block = self._x
        self._ends_block = False

    def add(self, layer: Layer) -> None:
        """Append one layer."""
        ends = False
        if layer.kind == "conv":
            self._convolve(layer)
        elif layer.kind == "relu":
            self._x = _Value(self.graph.node("Relu", self._x.name), self._x.channels, self._x.side)
            if self._ends_block:
                self._block = self._x
        elif layer.kind == "max":
            self._block = self._x = self._pool("MaxPool", self._x, layer)
        elif layer.kind == "average" and layer.size:
            self._block = self._pool("AveragePool", self._block, layer)
        elif layer.kind == "average":
            self._x = _Value(self.graph.node("GlobalAveragePool", self._x.name), self._x.channels, 1)
        elif layer.kind == "add":
            self._add()
            ends = True
        elif layer.kernel is not None:
            flat = self.graph.node("Flatten", self._x.name)
            self.graph.node("MatMul", flat, self.graph.weight(layer.kernel), output="embedding")
        self._ends_block = ends

    def _convolve(self, layer: Layer) -> None:
        assert layer.kernel is not None  # noqa: S101  a convolution; for the type checker
        assert layer.bias is not None  # noqa: S101  the same
        name = self.graph.conv(self._x.name, layer.kernel, layer.bias, stride=layer.stride, pad=layer.pad)
        side = (self._x.side + 2 * layer.pad - layer.kernel.shape[2]) // layer.stride + 1
        self._x = _Value(name, layer.kernel.shape[0], side)

    def _pool(self, operator: str, x: _Value, layer: Layer) -> _Value:
        if layer.pad:
            raise ModelError("The dlib file holds another network than dlib's face recognition ResNet.")
        kernel, strides = [layer.size] * 2, [layer.stride] * 2
        name = self.graph.node(operator, x.name, kernel_shape=kernel, strides=strides)
        return _Value(name, x.channels, (x.side - layer.size) // layer.stride + 1)

    def _add(self) -> None:
        """Add block and shortcut as dlib does: the smaller is filled with zeros to the larger shape."""
        channels = max(self._x.channels, self._block.channels)
        side = max(self._x.side, self._block.side)
        parts = [self._fill(value, channels, side) for value in (self._x, self._block)]
        self._x = _Value(self.graph.node("Add", *parts), channels, side)

    def _fill(self, x: _Value, channels: int, side: int) -> str:
        if (x.channels, x.side) == (channels, side):
            return x.name
        more = [0, 0, 0, 0, 0, channels - x.channels, side - x.side, side - x.side]
        return self.graph.node("Pad", x.name, self.graph.weight(np.array(more)), mode="constant")
