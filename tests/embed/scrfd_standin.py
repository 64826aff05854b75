"""An SCRFD for tests: YuNet's real weights in SCRFD's form, because InsightFace's weights may not be had here.

Inputs, scaling, outputs, anchors and units are SCRFD's, so the insightface package's own class runs it; the faces
it finds are YuNet's.
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

STRIDES = (8, 16, 32)


def as_scrfd(yunet: bytes) -> bytes:
    """Put YuNet, opened for any size, behind SCRFD's input and in front of SCRFD's nine outputs."""
    model = onnx.ModelProto.FromString(yunet)
    graph = model.graph
    made: list[Any] = []

    def node(operator: str, inputs: list[str], output: str, **attributes: object) -> str:
        made.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(name: str, values: object, kind: str = "<f4") -> str:
        array = np.asarray(values, kind)
        graph.initializer.append(onnx.numpy_helper.from_array(array, name))
        return name

    # SCRFD is fed RGB as (x − 127.5) / 128, YuNet BGR as it is.
    scaled = node("Mul", ["image", constant("std", 128.0)], "scaled")
    raw = node("Add", [scaled, constant("mean", 127.5)], "raw")
    node("Gather", [raw, constant("order", [2, 1, 0], "<i8")], "input", axis=1)
    before, made = made, []
    half = constant("half", 0.5)
    shapes: list[tuple[str, int]] = []
    for stride in STRIDES:
        both = node("Mul", [f"cls_{stride}", f"obj_{stride}"], f"both_{stride}")
        score = node("Sqrt", [both], f"score_{stride}")
        # YuNet tells the box's centre and the logarithm of its size; SCRFD how far its edges are.
        made.append(helper.make_node("Split", [f"bbox_{stride}"], [f"at_{stride}", f"log_{stride}"], axis=2))
        reach = node("Mul", [node("Exp", [f"log_{stride}"], f"size_{stride}"), half], f"reach_{stride}")
        first = node("Sub", [reach, f"at_{stride}"], f"first_{stride}")
        last = node("Add", [reach, f"at_{stride}"], f"last_{stride}")
        box = node("Concat", [first, last], f"box_{stride}", axis=2)
        for name, value, width in (("s", score, 1), ("b", box, 4), ("k", f"kps_{stride}", 10)):
            # Two anchors a cell, which say the same.
            twice = node("Concat", [value, value], f"{name}_twice_{stride}", axis=2)
            shape = constant(f"{name}_shape_{stride}", [1, -1, width], "<i8")
            node("Reshape", [twice, shape], f"{name}_{stride}")
    nodes = [*before, *graph.node, *made]
    for name, width in (("s", 1), ("b", 4), ("k", 10)):
        shapes += [(f"{name}_{stride}", width) for stride in STRIDES]
    del graph.node[:], graph.output[:], graph.input[:]
    graph.node.extend(nodes)
    info = helper.make_tensor_value_info
    graph.input.append(info("image", TensorProto.FLOAT, [1, 3, "height", "width"]))
    graph.output.extend(info(name, TensorProto.FLOAT, [1, f"n_{name}", width]) for name, width in shapes)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())
