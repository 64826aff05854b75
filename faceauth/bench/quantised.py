"""A pack's embedder at any number of threads, and in int8: is that quicker, and what does it cost in accuracy?

Nothing here is shipped: a quantised graph has another digest, so it is another model, with thresholds of its own.
"""

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from faceauth.embed.embedder import OnnxEmbedder, to_input
from faceauth.embed.manifest import PackSpec
from faceauth.embed.session import check_graph, read_pinned
from faceauth.types import Image


class ThreadedSession:
    """A network on several threads; the service itself uses one a network, and several networks."""

    def __init__(self, data: bytes, name: str, *, threads: int) -> None:
        check_graph(data, name)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        self._outputs = [one.name for one in self._session.get_outputs()]

    def run(self, inputs: Any) -> dict[str, NDArray[np.float32]]:
        """Return every output by its name."""
        return dict(zip(self._outputs, self._session.run(None, dict(inputs)), strict=True))


def embedder_bytes(spec: PackSpec, folder: Path) -> bytes:
    """Return the embedder's graph, its SHA-256 checked."""
    file = spec.embedder.file
    return read_pinned(folder / file, expected_sha256=spec.file(file).sha256)


def embedder_on(spec: PackSpec, data: bytes, *, threads: int) -> OnnxEmbedder:
    """Return the pack's embedder over the graph `data`, on so many threads; it cuts once and decides nothing."""
    alone = spec.model_copy(update={"normaliser": None, "embedder": spec.embedder.once})
    return OnnxEmbedder(ThreadedSession(data, spec.embedder.file, threads=threads), alone)


class _Chips:
    """Hands chips to the calibration, one at a time; what onnxruntime calls a CalibrationDataReader."""

    def __init__(self, chips: Sequence[Image], spec: PackSpec) -> None:
        self._feeds: Iterator[dict[str, NDArray[np.float32]]] = (
            {spec.embedder.input: to_input(chip[None], spec.embedder)} for chip in chips
        )

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self._feeds, None)


@contextmanager
def _without_advice() -> Iterator[None]:
    """Keep ONNX Runtime's advice to pre-process a graph off the terminal: ours are folded already."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)


def quantise(spec: PackSpec, data: bytes, chips: Sequence[Image]) -> bytes:
    """Return the graph in int8: convolutions and products, a scale a channel, ranges from `chips`.

    Args:
        spec: The pack's entry.
        data: Its embedder's graph.
        chips: Faces to calibrate with, not those accuracy is then measured on.
    """
    from onnxruntime.quantization import (  # noqa: PLC0415  imports much that nobody else needs
        QuantFormat,
        QuantType,
        quantize_static,
    )

    with tempfile.TemporaryDirectory() as folder, _without_advice():
        target = Path(folder) / "int8.onnx"
        quantize_static(
            onnx.ModelProto.FromString(data),
            target,
            _Chips(chips, spec),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            weight_type=QuantType.QInt8,
            activation_type=QuantType.QUInt8,
        )
        return target.read_bytes()
