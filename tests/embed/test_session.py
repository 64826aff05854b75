"""R22: every model file is pinned, and a graph that reaches outside itself is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from faceauth.embed.session import OnnxSession, check_graph, load_session
from faceauth.embed.sources import sha256_hex
from faceauth.errors import ModelAltered, ModelError, ModelMissing
from tests.embed.graphs import model, tensor


def test_runs_what_it_was_given(tmp_path: Path) -> None:
    """The file whose digest is right is loaded and answers by name."""
    data = model().SerializeToString()
    (tmp_path / "m.onnx").write_bytes(data)
    session = load_session(tmp_path / "m.onnx", expected_sha256=sha256_hex(data))
    assert (session.inputs, session.outputs) == (("x",), ("y",))
    assert session.run({"x": np.zeros((1, 3), np.float32)})["y"].tolist() == [[1.0, 2.0, 3.0]]


def test_altered_file_is_refused(tmp_path: Path) -> None:
    """R22: one flipped bit anywhere is another file."""
    data = model().SerializeToString()
    for place in (0, len(data) // 2, len(data) - 1):
        bad = bytearray(data)
        bad[place] ^= 1
        (tmp_path / "m.onnx").write_bytes(bytes(bad))
        with pytest.raises(ModelAltered, match="not the file"):
            load_session(tmp_path / "m.onnx", expected_sha256=sha256_hex(data))


def test_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="faceauth models install"):
        load_session(tmp_path / "m.onnx", expected_sha256="0" * 64)


def external() -> Any:
    made = model()
    weight = made.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    entry = weight.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"
    return made


def external_in_attribute() -> Any:
    constant = tensor()
    constant.ClearField("raw_data")
    constant.data_location = TensorProto.EXTERNAL
    nodes = [
        helper.make_node("Constant", [], ["w"], value=constant),
        helper.make_node("Add", ["x", "w"], ["y"]),
    ]
    return model(nodes, weights=[])


def external_in_sparse() -> Any:
    made = model()
    sparse = made.graph.sparse_initializer.add()
    sparse.values.CopyFrom(tensor("s"))
    sparse.values.data_location = TensorProto.EXTERNAL
    return made


def custom_domain() -> Any:
    return model([helper.make_node("Add", ["x", "w"], ["y"], domain="com.example")], domains=("", "com.example"))


def custom_domain_in_branch() -> Any:
    """Hide the operator inside an If."""
    value = helper.make_tensor_value_info("b", TensorProto.FLOAT, ["n", 3])
    branch = helper.make_graph([helper.make_node("Evil", ["x"], ["b"], domain="com.microsoft")], "b", [], [value])
    condition = helper.make_tensor("c", TensorProto.BOOL, [], [True])
    return model(
        [helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)], weights=[condition]
    )


def local_function() -> Any:
    made = model()
    made.functions.append(
        helper.make_function("", "Add2", ["a"], ["b"], [helper.make_node("Identity", ["a"], ["b"])], [])
    )
    return made


@pytest.mark.parametrize(
    "make",
    [external, external_in_attribute, external_in_sparse, custom_domain, custom_domain_in_branch, local_function],
)
def test_graph_that_reaches_outside_is_refused(make: Any) -> None:
    """R22: external data and custom operators, wherever they hide."""
    with pytest.raises(ModelAltered, match="refused"):
        check_graph(make().SerializeToString(), "m.onnx")


@pytest.mark.parametrize("data", [b"", b"\x00" * 64, b"PK\x03\x04 not a model", b"\x08"])
def test_no_graph_is_refused(data: bytes) -> None:
    with pytest.raises(ModelAltered):
        OnnxSession(data, "m.onnx")


def test_graph_that_does_not_hold_together_is_refused() -> None:
    broken = model([helper.make_node("Add", ["x", "nowhere"], ["y"])])
    with pytest.raises(ModelError, match="cannot be loaded"):
        OnnxSession(broken.SerializeToString(), "m.onnx")


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"z": np.zeros((1, 3), np.float32)},
        {"x": np.zeros((1, 4), np.float32)},
        {"x": np.zeros((1, 3), np.float64)},
        {"x": np.zeros(3, np.float32)},
    ],
)
def test_wrong_input_is_an_error_of_ours(inputs: Any) -> None:
    """R4: a failing network raises, it does not answer."""
    session = OnnxSession(model().SerializeToString(), "m.onnx")
    with pytest.raises(ModelError, match=r"m\.onnx failed"):
        session.run(inputs)
