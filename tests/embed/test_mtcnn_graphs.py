"""The three MTCNN graphs against a plain NumPy reading of the same weights."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from faceauth.embed.convert.mtcnn import Network, convert
from faceauth.embed.convert.weightlist import read_weight_list
from faceauth.embed.manifest import pack_spec
from faceauth.embed.session import OnnxSession
from faceauth.embed.sources import sha256_hex
from faceauth.errors import ModelError
from tests.embed.conftest import Origin

Array = NDArray[np.float64]


def conv(x: Array, kernel: Array, bias: Array) -> Array:
    """Convolve (n, h, w, in) with Keras' (h, w, in, out), without padding."""
    windows = sliding_window_view(x, kernel.shape[:2], axis=(1, 2))
    return np.asarray(np.einsum("nyxcij,ijco->nyxo", windows, kernel, optimize=True) + bias)


def prelu(x: Array, slope: Array) -> Array:
    return np.where(x > 0, x, x * slope)


def pool(x: Array, size: int, *, same: bool) -> Array:
    """Take maxima at stride 2; Keras' "same" pads at the end first when the amount is odd, as here."""
    if same:
        more = [max((-(-n // 2) - 1) * 2 + size - n, 0) for n in x.shape[1:3]]
        x = np.pad(x, ((0, 0), (0, more[0]), (0, more[1]), (0, 0)), constant_values=-np.inf)
    return np.asarray(sliding_window_view(x, (size, size), axis=(1, 2))[:, ::2, ::2].max(axis=(-2, -1)))


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def flat(x: Array) -> Array:
    """Flatten after Keras' Permute((2, 1, 3))."""
    return x.transpose(0, 2, 1, 3).reshape(len(x), -1)


def reference(network: Network, w: list[Array], x: Array) -> dict[str, Array]:
    """Run the network as its Keras definition says."""
    x = (x - 127.5) / 128
    x = prelu(conv(x, w[0], w[1]), w[2])
    x = pool(x, 2 if network == "pnet" else 3, same=True)
    x = prelu(conv(x, w[3], w[4]), w[5])
    if network == "pnet":
        x = prelu(conv(x, w[6], w[7]), w[8])
        return {"box": conv(x, w[9], w[10]), "face": softmax(conv(x, w[11], w[12]))[..., 1]}
    x = prelu(conv(pool(x, 3, same=False), w[6], w[7]), w[8])
    if network == "rnet":
        x = prelu(flat(x) @ w[9] + w[10], w[11])
        return {"box": x @ w[12] + w[13], "face": softmax(x @ w[14] + w[15])[:, 1]}
    x = prelu(conv(pool(x, 2, same=True), w[9], w[10]), w[11])
    x = prelu(flat(x) @ w[12] + w[13], w[14])
    points = (x @ w[17] + w[18]).reshape(-1, 2, 5).transpose(0, 2, 1)
    return {"box": x @ w[15] + w[16], "points": points, "face": softmax(x @ w[19] + w[20])[:, 1]}


@pytest.mark.parametrize(
    ("network", "shape"),
    [("pnet", (2, 25, 32, 3)), ("pnet", (1, 12, 13, 3)), ("rnet", (3, 24, 24, 3)), ("onet", (2, 48, 48, 3))],
)
def test_same_answers_as_the_weights_say(origin: Origin, network: Network, shape: tuple[int, ...]) -> None:
    """Layout, scaling, pooling at the border, flattening and order of landmarks are those of the definition."""
    data = origin(f"{network}.onnx")
    graph = convert(network, data)
    assert sha256_hex(graph) == pack_spec("open").file(f"{network}.onnx").sha256
    x = np.random.default_rng(3).integers(0, 256, shape).astype(np.float32)
    weights = [array.astype(np.float64) for array in read_weight_list(data)]
    expected = reference(network, weights, x.astype(np.float64))
    answer = OnnxSession(graph, network).run({"image": x})
    assert set(answer) == set(expected)
    for name, values in expected.items():
        assert answer[name].shape == values.shape
        assert np.abs(answer[name] - values).max() < 1e-4


def test_weights_of_another_network_are_refused(origin: Origin) -> None:
    """The shapes are checked, not believed."""
    with pytest.raises(ModelError, match="other shapes"):
        convert("rnet", origin("onet.onnx"))
