"""A network published for one picture size, opened for others: the numbers stay, only the declared sizes go.

YuNet's `face_detection_yunet_2023mar.onnx` declares 640×640, but nothing in it depends on that: its Reshapes have
free extents and its Resizes have factors. Opened, it looks at a picture of the camera's own shape.
"""

import onnx

from faceauth.errors import ModelError

_FREE = ("height", "width")

_FIXED_BY_SIZE = {"Constant", "Expand", "Slice", "Tile", "Gather", "Range", "ConstantOfShape", "Gemm", "MatMul"}
"""Operators that may have the declared size written into their inputs; a graph that has one is refused."""


def convert(data: bytes) -> bytes:
    """Free height and width of the graph's one input.

    Args:
        data: The bytes of an ONNX model with one input of shape (1, c, h, w).

    Returns:
        The model's bytes, the same for the same input; height and width are free.

    Raises:
        ModelError: It is no such model, or its size is written into it elsewhere.
    """
    try:
        model = onnx.ModelProto.FromString(data)
    except Exception as error:  # protobuf's DecodeError, which has no stubs
        raise ModelError("This is not an ONNX model.") from error
    graph = model.graph
    if len(graph.input) != 1 or len(graph.input[0].type.tensor_type.shape.dim) != 4:
        raise ModelError("This converter opens networks with one input of four extents.")
    if stubborn := sorted({node.op_type for node in graph.node} & _FIXED_BY_SIZE):
        raise ModelError(f"The size may be written into the network's {', '.join(stubborn)}; it stays closed.")
    _check_reshapes(graph)
    for dim, name in zip(graph.input[0].type.tensor_type.shape.dim[2:], _FREE, strict=True):
        dim.dim_param = name
    for output in graph.output:
        # The extent that counts the cells.
        output.type.tensor_type.shape.dim[1].dim_param = f"cells_{output.name}"
    del graph.value_info[:]
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def _check_reshapes(graph: onnx.GraphProto) -> None:
    """Refuse a Reshape to fixed extents, and a Resize to a size instead of by a factor."""
    values = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    for node in graph.node:
        if node.op_type == "Reshape" and -1 not in values.get(node.input[1], ()):
            raise ModelError("The size is written into the network's Reshape; it stays closed.")
        if node.op_type == "Resize" and len(node.input) > 3 and node.input[3]:
            raise ModelError("The size is written into the network's Resize; it stays closed.")
