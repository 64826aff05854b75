"""An OpenVINO IR network (.xml and .bin) as an ONNX graph.

It knows the operations that face-reidentification-retail-0095 uses; anything else is refused by its name.

The format: OpenVINO's documentation, "OpenVINO IR format" and "Available Operations Sets, opset1", release 2023.0.
A network is a list of layers, joined by edges between numbered ports; constants lie in the .bin file.

The graph takes ``image``, as the IR's one parameter but any number of them, and answers ``embedding``: the IR's
one result, flattened to shape (n, d).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from faceauth.embed.convert.graph import GraphBuilder
from faceauth.errors import ModelError

Array = NDArray[np.float32]
Port = tuple[str, str]
"""A layer's id and its port's."""

_DTYPES: Mapping[str, str] = {"f16": "<f2", "f32": "<f4"}


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One layer: `attributes` are those of its data element, `shape` that of its output, if it has one."""

    layer_id: str
    kind: str
    attributes: Mapping[str, str]
    shape: tuple[int, ...]

    def wants(self, **expected: str) -> None:
        """Refuse an attribute that has another value than expected."""
        for name, value in expected.items():
            if (found := self.attributes.get(name.replace("_", "-"), self.attributes.get(name, value))) != value:
                raise ModelError(f"This converter knows no {self.kind} with {name}={found!r}.")

    def numbers(self, name: str) -> list[int]:
        """Return an attribute that is a list of whole numbers."""
        return [int(part) for part in self.attributes[name].split(",")]


def convert(xml: bytes, weights: bytes) -> bytes:
    """Turn an IR into its ONNX graph.

    Args:
        xml: The bytes of the .xml file.
        weights: The bytes of the .bin file.

    Returns:
        The graph's bytes, the same for the same input.

    Raises:
        ModelError: The IR uses an operation, or a form of one, that is not among those known here, or is damaged.
    """
    try:
        return _Converter(xml, weights).build()
    except ET.ParseError as error:
        raise ModelError(f"The IR's XML cannot be read: {error}.") from error
    except (KeyError, ValueError, StopIteration) as error:
        raise ModelError("The IR is not laid out as OpenVINO lays them out; fetch it again.") from error


class _Converter:
    """Walks the layers in their order, which is the order of computation, and adds each to the graph."""

    def __init__(self, xml: bytes, weights: bytes) -> None:
        root = ET.fromstring(xml)  # noqa: S314  an XML bomb would need the digest that was checked
        if root.tag != "net" or root.get("version") not in {"10", "11"}:
            raise ModelError(f"This converter reads IR versions 10 and 11, not {root.get('version')!r}.")
        self._layers = [_layer(element) for element in root.iterfind("layers/layer")]
        self._from: dict[Port, str] = {
            (edge.attrib["to-layer"], edge.attrib["to-port"]): edge.attrib["from-layer"]
            for edge in root.iterfind("edges/edge")
        }
        self._weights = weights
        self._graph = GraphBuilder(root.attrib["name"])
        self._names: dict[str, str] = {}
        self._constants: dict[str, Array] = {}
        self._known: Mapping[str, Callable[[Layer], str]] = {
            "Convolution": self._convolution,
            "GroupConvolution": self._group_convolution,
            "Add": lambda layer: self._elementwise("Add", layer),
            "Multiply": lambda layer: self._elementwise("Mul", layer),
            "PReLU": self._prelu,
            "Sigmoid": lambda layer: self._graph.node("Sigmoid", self._value(layer, 0)),
            "AvgPool": self._average,
        }

    def build(self) -> bytes:
        image: tuple[int, ...] = ()
        dimension = 0
        for layer in self._layers:
            if layer.kind == "Parameter":
                if image:
                    raise ModelError("This converter knows networks with one input only.")
                layer.wants(element_type="f32")
                image, self._names[layer.layer_id] = layer.shape, "image"
            elif layer.kind in {"Const", "Convert"}:
                self._constants[layer.layer_id] = self._constant(layer)
            elif layer.kind == "Result":
                if dimension:
                    raise ModelError("This converter knows networks with one output only.")
                dimension = self._result(layer)
            elif layer.kind in self._known:
                self._names[layer.layer_id] = self._known[layer.kind](layer)
            else:
                raise ModelError(f"This converter does not know the operation {layer.kind!r}.")
        if not image or not dimension:
            raise ModelError("The IR has no input or no output.")
        return self._graph.build({"image": ("n", *image[1:])}, {"embedding": ("n", dimension)})

    def _source(self, layer: Layer, port: int) -> str:
        return self._from[layer.layer_id, str(port)]

    def _value(self, layer: Layer, port: int) -> str:
        """Return the name, in the graph, of what comes in at a port."""
        source = self._source(layer, port)
        if source in self._constants:
            return self._graph.weight(self._constants[source])
        return self._names[source]

    def _fixed(self, layer: Layer, port: int) -> Array:
        source = self._source(layer, port)
        if source not in self._constants:
            raise ModelError(f"This converter knows no {layer.kind} whose weights are computed.")
        return self._constants[source]

    def _constant(self, layer: Layer) -> Array:
        if layer.kind == "Convert":
            layer.wants(destination_type="f32")
            return self._fixed(layer, 0)
        kind = layer.attributes["element_type"]
        if kind not in _DTYPES:
            raise ModelError(f"This converter knows no constants of type {kind!r}.")
        shape = layer.numbers("shape")
        start, size = int(layer.attributes["offset"]), int(layer.attributes["size"])
        data = self._weights[start : start + size]
        return np.frombuffer(data, _DTYPES[kind]).astype(np.float32).reshape(shape)

    def _elementwise(self, operator: str, layer: Layer) -> str:
        layer.wants(auto_broadcast="numpy")
        return self._graph.node(operator, self._value(layer, 0), self._value(layer, 1))

    def _convolution(self, layer: Layer) -> str:
        return self._convolve(layer, self._fixed(layer, 1), group=1)

    def _group_convolution(self, layer: Layer) -> str:
        """OpenVINO keeps the groups apart, (groups, out, in, height, width); ONNX in one axis with the outputs."""
        kernel = self._fixed(layer, 1)
        return self._convolve(layer, kernel.reshape(-1, *kernel.shape[2:]), group=kernel.shape[0])

    def _convolve(self, layer: Layer, kernel: Array, *, group: int) -> str:
        layer.wants(auto_pad="explicit")
        return self._graph.node(
            "Conv",
            self._value(layer, 0),
            self._graph.weight(kernel),
            kernel_shape=list(kernel.shape[2:]),
            strides=layer.numbers("strides"),
            dilations=layer.numbers("dilations"),
            pads=[*layer.numbers("pads_begin"), *layer.numbers("pads_end")],
            group=group,
        )

    def _prelu(self, layer: Layer) -> str:
        """Leak below zero; with one slope for all channels that is a LeakyRelu, which costs far less to run."""
        slope = self._fixed(layer, 1)
        if slope.size != 1:
            raise ModelError("This converter knows no PReLU with a slope for each channel.")
        return self._graph.node("LeakyRelu", self._value(layer, 0), alpha=float(slope.ravel()[0]))

    def _average(self, layer: Layer) -> str:
        layer.wants(auto_pad="explicit", rounding_type="floor", exclude_pad="true")
        return self._graph.node(
            "AveragePool",
            self._value(layer, 0),
            kernel_shape=layer.numbers("kernel"),
            strides=layer.numbers("strides"),
            pads=[*layer.numbers("pads_begin"), *layer.numbers("pads_end")],
        )

    def _result(self, layer: Layer) -> int:
        source = self._source(layer, 0)
        made = next(one for one in self._layers if one.layer_id == source)
        self._graph.node("Flatten", self._names[source], output="embedding", axis=1)
        return int(np.prod(made.shape[1:]))


def _layer(element: ET.Element) -> Layer:
    data = element.find("data")
    dims = element.iterfind("output/port/dim")
    return Layer(
        layer_id=element.attrib["id"],
        kind=element.attrib["type"],
        attributes={} if data is None else dict(data.attrib),
        shape=tuple(int(one.text or "") for one in dims),
    )
