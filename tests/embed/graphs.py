"""Small ONNX graphs for tests, good and bad."""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper


def tensor(name: str = "w", values: object = (1.0, 2.0, 3.0)) -> Any:
    data = np.asarray(values, dtype="<f4")
    return helper.make_tensor(name, TensorProto.FLOAT, data.shape, data.tobytes(), raw=True)


def model(
    nodes: list[Any] | None = None, weights: list[Any] | None = None, domains: tuple[str, ...] = ("",)
) -> Any:
    """Return a model that adds `w` to its input of three numbers."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])] if nodes is None else nodes,
        "small",
        [value("x", TensorProto.FLOAT, ["n", 3])],
        [value("y", TensorProto.FLOAT, ["n", 3])],
        [tensor()] if weights is None else weights,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid(domain, 17) for domain in domains])
    made.ir_version = 8
    return made


def embedder(size: int = 4, dimension: int = 3) -> bytes:
    """Return a graph that turns (n, 3, size, size) into the channels' means: (n, 3)."""
    assert dimension == 3
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "means",
        [value("image", TensorProto.FLOAT, ["n", 3, size, size])],
        [value("embedding", TensorProto.FLOAT, ["n", 3])],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 8
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())


def liveness() -> bytes:
    """Return a stand-in for InsightFace's liveness addon: one 80×80 picture in, its mean green out as (1,)."""
    value = helper.make_tensor_value_info
    weights = [
        helper.make_tensor("shape", TensorProto.INT64, [1], [1]),
        helper.make_tensor("one", TensorProto.INT64, [], [1]),
    ]
    nodes = [
        helper.make_node("Gather", ["anything", "one"], ["green"], axis=1),
        helper.make_node("ReduceMean", ["green"], ["mean"], keepdims=0),
        helper.make_node("Reshape", ["mean", "shape"], ["probability"]),
    ]
    graph = helper.make_graph(
        nodes,
        "stand_in",
        [value("anything", TensorProto.FLOAT, [1, 3, 80, 80])],
        [value("probability", TensorProto.FLOAT, [1])],
        weights,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 8
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())
