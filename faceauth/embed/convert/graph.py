"""A small builder of ONNX graphs: standard operators only, weights inside, the same bytes every time."""

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

OPSET = 17
"""Old enough for every ONNX Runtime that the project's lower bounds allow, new enough for what is used here."""

IR_VERSION = 8
"""The format version that belongs to opset 17 (onnx, docs/Versioning.md)."""

Shape = Sequence[int | str]


class GraphBuilder:
    """Collects nodes and weights. Each method adds one operator and returns the name of its output."""

    def __init__(self, name: str) -> None:
        """Start an empty graph called `name`."""
        self._name = name
        self._nodes: list[object] = []
        self._weights: list[object] = []

    def weight(self, values: NDArray[np.generic]) -> str:
        """Put an array (float32 or int64) into the graph."""
        name = f"w{len(self._weights)}"
        kind = TensorProto.INT64 if values.dtype == np.int64 else TensorProto.FLOAT
        data = np.ascontiguousarray(values, dtype="<i8" if kind == TensorProto.INT64 else "<f4").tobytes()
        self._weights.append(helper.make_tensor(name, kind, values.shape, data, raw=True))
        return name

    def node(self, operator: str, *inputs: str, output: str | None = None, **attributes: object) -> str:
        """Add one operator with one output."""
        name = output or f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def conv(
        self, x: str, kernel: NDArray[np.float32], bias: NDArray[np.float32], *, stride: int = 1, pad: int = 0
    ) -> str:
        """Convolve; `kernel` has shape (out, in, height, width), `bias` (out,)."""
        return self.node(
            "Conv",
            x,
            self.weight(kernel),
            self.weight(bias),
            kernel_shape=list(kernel.shape[2:]),
            strides=[stride, stride],
            pads=[pad] * 4,
        )

    def build(self, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape]) -> bytes:
        """Return the finished model; all inputs and outputs are float32."""

        def infos(shapes: Mapping[str, Shape]) -> list[object]:
            return [helper.make_tensor_value_info(k, TensorProto.FLOAT, list(s)) for k, s in shapes.items()]

        graph = helper.make_graph(self._nodes, self._name, infos(inputs), infos(outputs), self._weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="faceauth")
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString(deterministic=True))
