"""Loading a network: pinned by SHA-256, closed in itself, one thread, one provider and no other (R22)."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from faceauth.errors import ModelAltered, ModelError, ModelMissing

Provider = Literal["cpu", "cuda", "coreml", "openvino"]

PROVIDERS: Mapping[Provider, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
"""ONNX Runtime's names of them."""

_STANDARD_DOMAINS = {"", "ai.onnx"}


def read_pinned(path: Path, *, expected_sha256: str) -> bytes:
    """Read a file whose SHA-256 is known.

    Args:
        path: The file.
        expected_sha256: Its digest, in hexadecimal.

    Returns:
        The bytes whose digest was checked; use these and do not read the file again.

    Raises:
        ModelMissing: There is no such file.
        ModelAltered: Its digest is another.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ModelMissing(f"{path.name} is not installed. Run: faceauth models install") from None
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read: {error.strerror}.") from error
    if hashlib.sha256(data).hexdigest() != expected_sha256:
        raise ModelAltered(
            f"{path.name} is not the file the manifest names. Remove it and install the pack again."
        )
    return data


def check_graph(data: bytes, name: str) -> None:
    """Refuse a graph that reaches outside itself.

    Custom-operator domains run other people's native code, local functions can hide them, and an external-data
    path reads other files (onnx issue 3991, onnxruntime issue 28709).

    Args:
        data: The bytes of an ONNX model.
        name: What the error calls it.

    Raises:
        ModelAltered: It is no ONNX model, or it names a custom domain, a local function or external data.
    """
    try:
        model = onnx.ModelProto.FromString(data)
    except Exception as error:  # protobuf's DecodeError, which has no stubs
        raise ModelAltered(f"{name} is not an ONNX model.") from error
    if not model.graph.node or model.functions or model.training_info:
        raise ModelAltered(f"{name} is not a plain ONNX graph; refused.")
    domains = {entry.domain for entry in model.opset_import}
    for graph in _graphs(model.graph):
        domains |= {node.domain for node in graph.node}
        for tensor in _tensors(graph):
            if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
                raise ModelAltered(f"{name} keeps weights in another file; refused.")
    if domains - _STANDARD_DOMAINS:
        raise ModelAltered(f"{name} uses operators outside the ONNX standard; refused.")


def _graphs(graph: Any) -> Iterator[Any]:
    """Walk a graph and those inside its control-flow operators."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                if inner.node or inner.initializer or inner.sparse_initializer:
                    yield from _graphs(inner)


def _tensors(graph: Any) -> Iterator[Any]:
    """Walk every tensor a graph holds."""
    sparse = list(graph.sparse_initializer)
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            sparse += (attribute.sparse_tensor, *attribute.sparse_tensors)
    for tensor in sparse:
        yield from (tensor.values, tensor.indices)


def open_onnxruntime(data: bytes, name: str, provider: Provider = "cpu") -> Any:
    """Make an ONNX Runtime session from checked bytes: one provider, one thread, no spinning.

    Args:
        data: The bytes of an ONNX model.
        name: What an error calls it.
        provider: What runs it, whole: a node that would run on the CPU instead is an error.

    Raises:
        ModelAltered: The graph reaches outside itself.
        ModelError: ONNX Runtime does not take it, or does not have the provider.
    """
    check_graph(data, name)
    wanted = PROVIDERS[provider]
    if wanted not in (offered := onnxruntime.get_available_providers()):
        raise ModelError(_not_offered(provider, offered))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # Spinning threads take the core from the other workers while they wait.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    if provider != "cpu":
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(data, options, providers=[wanted])
    except Exception as error:  # onnxruntime's own errors share no base class
        where = "" if provider == "cpu" else f" on the provider {provider}"
        raise ModelError(f"{name} cannot be loaded{where} by ONNX Runtime {onnxruntime.__version__}.") from error
    session.disable_fallback()
    # The runtime itself appends the CPU to every other provider, and drops one whose libraries do not load.
    if session.get_providers()[0] != wanted:
        raise ModelError(
            f"{name} would not run on the provider {provider}: ONNX Runtime cannot start it on this machine. "
            "Install what it needs, or set FACEAUTH_INFERENCE__PROVIDER=cpu."
        )
    return session


def _not_offered(provider: Provider, offered: Sequence[str]) -> str:
    known = [ours for ours, theirs in PROVIDERS.items() if theirs in offered]
    return (
        f"This ONNX Runtime {onnxruntime.__version__} has no provider {provider}; it has: {', '.join(known)}. "
        "Install one that has it (docs/models.md), or set FACEAUTH_INFERENCE__PROVIDER to one of these."
    )


class OnnxSession:
    """A network in ONNX Runtime; a `faceauth.types.ModelSession`. `run` may be called from several threads."""

    def __init__(self, data: bytes, name: str, provider: Provider = "cpu") -> None:
        """Load the graph from bytes whose digest was checked (see `read_pinned`).

        Raises:
            ModelAltered: The graph reaches outside itself.
            ModelError: ONNX Runtime does not take it, or does not have the provider.
        """
        self.name = name
        self._session = open_onnxruntime(data, name, provider)
        self.inputs: tuple[str, ...] = tuple(one.name for one in self._session.get_inputs())
        self.outputs: tuple[str, ...] = tuple(one.name for one in self._session.get_outputs())

    def run(self, inputs: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """Return every output of the graph by its name.

        Args:
            inputs: Arrays by the names of the graph's inputs.

        Raises:
            ModelError: The network failed, or an input has the wrong name or shape.
        """
        try:
            answers = self._session.run(None, dict(inputs))
        except Exception as error:  # onnxruntime's own errors share no base class
            raise ModelError(f"{self.name} failed on its input.") from error
        return dict(zip(self.outputs, answers, strict=True))


def load_session(path: Path, *, expected_sha256: str, provider: Provider = "cpu") -> OnnxSession:
    """Load a network from a file, its digest checked first.

    Raises:
        ModelMissing: There is no such file.
        ModelAltered: It is not the file expected, or its graph reaches outside itself.
        ModelError: ONNX Runtime does not take it, or does not have the provider.
    """
    return OnnxSession(read_pinned(path, expected_sha256=expected_sha256), path.name, provider)
