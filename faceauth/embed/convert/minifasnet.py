"""MiniFASNet, the passive presentation-attack networks of Silent-Face-Anti-Spoofing, as ONNX graphs.

Built from the published `.pth` files alone. How the layers follow each other was read from the names and shapes of
their tensors: depth-wise separable blocks of three convolutions, residual within a stage, halving the picture
between stages, some with squeeze and excitation (Hu et al., "Squeeze-and-Excitation Networks", 2018).

A graph takes ``image``, (n, 3, 80, 80) float32, BGR, 0 to 255, and answers ``scores``, (n, 3): the softmax over
its three classes, of which number 1 is a living person.

Every batch normalisation is folded into the convolution before it, and the two last layers with the one between
them into one, in float64. PReLU is written as what it is, ``relu(x)·(1−a) + a·x``: ONNX Runtime runs that faster
than its own operator (docs/passive.md has both times).
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from faceauth.embed.convert.graph import GraphBuilder
from faceauth.embed.convert.torch_file import read_torch_file
from faceauth.errors import ModelError

Array = NDArray[np.float32]
Wide = NDArray[np.float64]

PREFIX: Final = "module."
"""What PyTorch's DataParallel, which trained them, puts before every name."""

EPSILON: Final = 1e-5
"""Of a batch normalisation in PyTorch, unless told otherwise."""

SIDE: Final = 80
"""Pixels of the square picture."""

CLASSES: Final = 3

STAGES: Final = (("conv_23", "conv_3"), ("conv_34", "conv_4"), ("conv_45", "conv_5"))
"""Each: the block that halves the picture, and the residual blocks after it."""


def convert(data: bytes) -> bytes:
    """Turn one `.pth` file, V2 or V1SE, into its ONNX graph.

    Args:
        data: The file's bytes.

    Returns:
        The graph's bytes, the same for the same file.

    Raises:
        ModelError: The file is damaged, or is not one of these networks.
    """
    tensors = read_torch_file(data)
    try:
        return _Network({name.removeprefix(PREFIX): values for name, values in tensors.items()}).build()
    except ModelError:
        raise
    except (KeyError, ValueError) as error:
        raise ModelError("A weight file is not a MiniFASNet; fetch it again.") from error


class _Network:
    """Adds one layer after the other, and takes each tensor once."""

    def __init__(self, tensors: Mapping[str, Array]) -> None:
        self._left = dict(tensors)
        self._graph = GraphBuilder("minifasnet")

    def build(self) -> bytes:
        x = self._convolution("conv1", "image", stride=2, pad=1)
        x = self._convolution("conv2_dw", x, pad=1)
        for halving, residual in STAGES:
            x = self._block(halving, x, stride=2)
            number = 0
            while f"{residual}.model.{number}.conv.conv.weight" in self._left:
                block = f"{residual}.model.{number}"
                x = self._graph.node("Add", x, self._excited(block, self._block(block, x, stride=1)))
                number += 1
        x = self._convolution("conv_6_sep", x)
        x = self._convolution("conv_6_dw", x)
        self._classes(self._graph.node("Flatten", x, axis=1))
        if self._left:
            raise ModelError(f"A weight file holds {min(self._left)}, which MiniFASNet does not have; refused.")
        return self._graph.build({"image": ("n", 3, SIDE, SIDE)}, {"scores": ("n", CLASSES)})

    def _take(self, name: str) -> Wide:
        return self._left.pop(name).astype(np.float64)

    def _normalisation(self, name: str) -> tuple[Wide, Wide]:
        """Return the factor and the summand of a batch normalisation."""
        factor = self._take(f"{name}.weight") / np.sqrt(self._take(f"{name}.running_var") + EPSILON)
        return factor, self._take(f"{name}.bias") - factor * self._take(f"{name}.running_mean")

    def _convolution(self, name: str, x: str, *, stride: int = 1, pad: int = 0) -> str:
        """Convolve, normalise and, where the file has slopes for it, leak."""
        x = self._folded(f"{name}.conv.weight", f"{name}.bn", x, stride=stride, pad=pad)
        return self._leak(name, x) if f"{name}.prelu.weight" in self._left else x

    def _folded(
        self, weight: str, normalisation: str, x: str, *, bias: str = "", stride: int = 1, pad: int = 0
    ) -> str:
        kernel, (factor, summand) = self._take(weight), self._normalisation(normalisation)
        if bias:
            summand += factor * self._take(bias)
        return self._graph.node(
            "Conv",
            x,
            self._graph.weight((kernel * factor[:, None, None, None]).astype(np.float32)),
            self._graph.weight(summand.astype(np.float32)),
            kernel_shape=list(kernel.shape[2:]),
            strides=[stride, stride],
            pads=[pad] * 4,
            # The depth-wise kernels have one input channel each; no other layer here has so few.
            group=kernel.shape[0] if kernel.shape[1] == 1 else 1,
        )

    def _leak(self, name: str, x: str) -> str:
        slope = self._take(f"{name}.prelu.weight")[:, None, None]
        above = self._graph.node("Mul", self._graph.node("Relu", x), self._constant(1.0 - slope))
        return self._graph.node("Add", above, self._graph.node("Mul", x, self._constant(slope)))

    def _constant(self, values: Wide) -> str:
        return self._graph.weight(values.astype(np.float32))

    def _block(self, name: str, x: str, *, stride: int) -> str:
        """Widen, filter each channel, and bring the channels together again."""
        x = self._convolution(f"{name}.conv", x)
        x = self._convolution(f"{name}.conv_dw", x, stride=stride, pad=1)
        return self._convolution(f"{name}.project", x)

    def _excited(self, name: str, x: str) -> str:
        """Weigh the channels by what the whole picture says, where the file has the layers for it."""
        module = f"{name}.se_module"
        if f"{module}.fc1.weight" not in self._left:
            return x
        weights = self._graph.node("GlobalAveragePool", x)
        weights = self._folded(f"{module}.fc1.weight", f"{module}.bn1", weights)
        weights = self._folded(f"{module}.fc2.weight", f"{module}.bn2", self._graph.node("Relu", weights))
        return self._graph.node("Mul", x, self._graph.node("Sigmoid", weights))

    def _classes(self, x: str) -> None:
        linear, (factor, summand), classes = (
            self._take("linear.weight"),
            self._normalisation("bn"),
            self._take("prob.weight"),
        )
        weights = classes @ (factor[:, None] * linear)
        logits = self._graph.node("Gemm", x, self._constant(weights.T), self._constant(classes @ summand))
        self._graph.node("Softmax", logits, output="scores", axis=1)
