"""The three MTCNN networks as ONNX graphs, from the weight files of the PyPI package `mtcnn`.

Architecture: Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks",
IEEE Signal Processing Letters 23(10), 2016, figure 2.

All three take ``image``: float32, shape (n, height, width, 3), RGB, 0 to 255; the scaling to (x − 127.5) / 128 is
folded into the first convolution. They answer:

===== ========================= ============================ ================================== ===================
graph image                     face                         box                                points
===== ========================= ============================ ================================== ===================
pnet  (n, h, w, 3), h, w ≥ 12   (n, h', w')                  (n, h', w', 4)
rnet  (n, 24, 24, 3)            (n,)                         (n, 4)
onet  (n, 48, 48, 3)            (n,)                         (n, 4)                             (n, 5, 2)
===== ========================= ============================ ================================== ===================

- ``face``: probability of a face, 0 to 1. Cell (i, j) of pnet looks at the 12×12 pixels whose upper left corner is
  (x, y) = (2j, 2i); h' = ceil((h − 2) / 2) − 4, w' alike.
- ``box``: corrections of the box's edges left, top, right, bottom, in units of the box's width and height.
- ``points``: the eye at the picture's left, the eye at its right, the nose, the mouth corner at the picture's
  left, the one at its right; x then y, 0 at the box's left (top) edge, 1 at its right (bottom). The box is the one
  that was cut out, before ``box`` is applied.
"""

from collections.abc import Sequence
from math import fsum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from faceauth.embed.convert.graph import GraphBuilder
from faceauth.embed.convert.weightlist import read_weight_list
from faceauth.errors import ModelError

Array = NDArray[np.float32]
Network = Literal["pnet", "rnet", "onet"]

SHAPES: dict[Network, tuple[tuple[int, ...], ...]] = {
    "pnet": (
        *((3, 3, 3, 10), (10,), (1, 1, 10), (3, 3, 10, 16), (16,), (1, 1, 16), (3, 3, 16, 32), (32,), (1, 1, 32)),
        *((1, 1, 32, 4), (4,), (1, 1, 32, 2), (2,)),
    ),
    "rnet": (
        *((3, 3, 3, 28), (28,), (1, 1, 28), (3, 3, 28, 48), (48,), (1, 1, 48), (2, 2, 48, 64), (64,), (1, 1, 64)),
        *((576, 128), (128,), (128,), (128, 4), (4,), (128, 2), (2,)),
    ),
    "onet": (
        *((3, 3, 3, 32), (32,), (1, 1, 32), (3, 3, 32, 64), (64,), (1, 1, 64), (3, 3, 64, 64), (64,), (1, 1, 64)),
        *((2, 2, 64, 128), (128,), (1, 1, 128)),
        *((1152, 256), (256,), (256,), (256, 4), (4,), (256, 10), (10,), (256, 2), (2,)),
    ),
}
"""What each weight file holds: kernel, bias, slope of every convolution, then of every dense layer."""


def convert(network: Network, data: bytes) -> bytes:
    """Turn one weight file into its ONNX graph.

    Args:
        network: Which of the three it is.
        data: The weight file's bytes.

    Returns:
        The graph's bytes, the same for the same input.

    Raises:
        ModelError: The file is not the one expected.
    """
    weights = read_weight_list(data)
    found = tuple(array.shape for array in weights)
    if found != SHAPES[network]:
        raise ModelError(f"The weight file of {network} holds arrays of other shapes than MTCNN's.")
    weights[0], weights[1] = _fold_scaling(weights[0], weights[1])
    return {"pnet": _pnet, "rnet": _rnet, "onet": _onet}[network](weights)


def _fold_scaling(kernel: Array, bias: Array) -> tuple[Array, Array]:
    """Take (x − 127.5) / 128 into a convolution without padding; `fsum` gives the same bits on every machine."""
    wide = kernel.astype(np.float64)
    sums = [fsum(wide[..., channel].ravel().tolist()) for channel in range(wide.shape[-1])]
    shifted = bias.astype(np.float64) - np.asarray(sums) * (127.5 / 128.0)
    return (wide / 128.0).astype(np.float32), shifted.astype(np.float32)


def _start(name: str) -> tuple[GraphBuilder, str]:
    graph = GraphBuilder(name)
    return graph, graph.node("Transpose", "image", perm=[0, 3, 1, 2])


def _conv(graph: GraphBuilder, x: str, weights: Sequence[Array]) -> str:
    """Convolve and rectify; Keras keeps kernels as (height, width, in, out)."""
    kernel, bias, slope = weights
    return _prelu(graph, graph.conv(x, kernel.transpose(3, 2, 0, 1), bias), slope.reshape(-1, 1, 1))


def _prelu(graph: GraphBuilder, x: str, slope: Array) -> str:
    """Leak below zero as relu(x)·(1 − a) + a·x: half the time of ONNX Runtime 1.32's PRelu, the same result."""
    above = graph.node("Mul", graph.node("Relu", x), graph.weight(np.float32(1) - slope))
    return graph.node("Add", above, graph.node("Mul", x, graph.weight(slope)))


def _pool(graph: GraphBuilder, x: str, size: int, *, partial: bool) -> str:
    """Take maxima at stride 2; `partial` keeps the last, incomplete window, as Keras' "same" does here."""
    return graph.node("MaxPool", x, kernel_shape=[size, size], strides=[2, 2], ceil_mode=int(partial))


def _dense(graph: GraphBuilder, x: str, kernel: Array, bias: Array, output: str | None = None) -> str:
    return graph.node("Gemm", x, graph.weight(kernel), graph.weight(bias), output=output)


def _hidden(graph: GraphBuilder, x: str, weights: Sequence[Array], channels: int) -> str:
    """Flatten 3×3 maps into the dense layer; Keras flattened them as (width, height, channel)."""
    kernel, bias, slope = weights
    ours = kernel.reshape(3, 3, channels, -1).transpose(2, 1, 0, 3).reshape(kernel.shape)
    return _prelu(graph, _dense(graph, graph.node("Flatten", x), ours, bias), slope)


def _difference(pair: Array) -> Array:
    """Turn the two class scores into one: softmax over two is the logistic function of their difference."""
    wide = pair.astype(np.float64)
    return (wide[..., 1:] - wide[..., :1]).astype(np.float32)


def _face(graph: GraphBuilder, x: str, kernel: Array, bias: Array) -> None:
    """Answer ``face`` from the dense layer of the two class scores."""
    score = graph.node("Sigmoid", _dense(graph, x, _difference(kernel), _difference(bias)))
    graph.node("Squeeze", score, graph.weight(np.array([1])), output="face")


def _pnet(w: list[Array]) -> bytes:
    graph, x = _start("pnet")
    x = _pool(graph, _conv(graph, x, w[0:3]), 2, partial=True)
    x = _conv(graph, _conv(graph, x, w[3:6]), w[6:9])
    box = graph.conv(x, w[9].transpose(3, 2, 0, 1), w[10])
    graph.node("Transpose", box, perm=[0, 2, 3, 1], output="box")
    score = graph.conv(x, _difference(w[11]).transpose(3, 2, 0, 1), _difference(w[12]))
    graph.node("Squeeze", graph.node("Sigmoid", score), graph.weight(np.array([1])), output="face")
    return graph.build(
        {"image": ("n", "h", "w", 3)}, {"face": ("n", "rows", "columns"), "box": ("n", "rows", "columns", 4)}
    )


def _rnet(w: list[Array]) -> bytes:
    graph, x = _start("rnet")
    x = _pool(graph, _conv(graph, x, w[0:3]), 3, partial=True)
    x = _pool(graph, _conv(graph, x, w[3:6]), 3, partial=False)
    x = _hidden(graph, _conv(graph, x, w[6:9]), w[9:12], channels=64)
    _dense(graph, x, w[12], w[13], output="box")
    _face(graph, x, w[14], w[15])
    return graph.build({"image": ("n", 24, 24, 3)}, {"face": ("n",), "box": ("n", 4)})


def _onet(w: list[Array]) -> bytes:
    graph, x = _start("onet")
    x = _pool(graph, _conv(graph, x, w[0:3]), 3, partial=True)
    x = _pool(graph, _conv(graph, x, w[3:6]), 3, partial=False)
    x = _pool(graph, _conv(graph, x, w[6:9]), 2, partial=True)
    x = _hidden(graph, _conv(graph, x, w[9:12]), w[12:15], channels=128)
    _dense(graph, x, w[15], w[16], output="box")
    # The file keeps five x, then five y; the graph answers x and y of each point together.
    order = np.arange(10).reshape(2, 5).T.ravel()
    points = _dense(graph, x, w[17][:, order], w[18][order])
    graph.node("Reshape", points, graph.weight(np.array([-1, 5, 2])), output="points")
    _face(graph, x, w[19], w[20])
    return graph.build({"image": ("n", 48, 48, 3)}, {"face": ("n",), "box": ("n", 4), "points": ("n", 5, 2)})
