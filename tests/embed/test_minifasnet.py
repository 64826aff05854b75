"""MiniFASNet from its published weights: the same bytes, parity with what others made of them, and refusals."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from faceauth.embed.convert.minifasnet import PREFIX, STAGES, convert
from faceauth.embed.convert.torch_file import read_torch_file
from faceauth.embed.install import install, verify
from faceauth.embed.manifest import passive_spec
from faceauth.embed.session import OnnxSession
from faceauth.embed.sources import sha256_hex
from faceauth.errors import LicenceNotAccepted, ModelAltered, ModelError
from tests.embed.torch_files import torch_file

Floats = NDArray[np.float32]

PACK = "pad-minifasnet"
PUBLISHED = {
    "minifasnet-v2.onnx": ("2.7_80x80_MiniFASNetV2.pth", "MiniFASNetV2.onnx"),
    "minifasnet-v1se.onnx": ("4_0_0_80x80_MiniFASNetV1SE.pth", "MiniFASNetV1SE.onnx"),
}
WHICH = pytest.mark.parametrize("file", sorted(PUBLISHED))


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "models" / "minifasnet"


@pytest.fixture(scope="module")
def graphs(folder: Path) -> dict[str, bytes]:
    return {file: convert((folder / weights).read_bytes()) for file, (weights, _) in PUBLISHED.items()}


@pytest.fixture(scope="module")
def pictures() -> Floats:
    """Twelve pictures, from smooth to noise, in the range of pixels."""
    chance = np.random.default_rng(7)
    made = []
    for cells in (2, 5, 10, 20, 40, 80) * 2:
        coarse = chance.uniform(0, 255, (3, cells, cells))
        made.append(np.kron(coarse, np.ones((80 // cells, 80 // cells))))
    return np.stack(made).astype(np.float32)


@WHICH
def test_bytes_are_the_manifests(file: str, folder: Path, graphs: dict[str, bytes]) -> None:
    """R22: the same bytes every time, and those that are pinned."""
    assert convert((folder / PUBLISHED[file][0]).read_bytes()) == graphs[file]
    assert sha256_hex(graphs[file]) == passive_spec(PACK).file(file).sha256


@WHICH
def test_parity_with_a_conversion_that_another_made(
    file: str, folder: Path, graphs: dict[str, bytes], pictures: Floats
) -> None:
    """To 1e-5 of each class's probability; in a batch and one by one."""
    ours = OnnxSession(graphs[file], "ours")
    theirs = OnnxSession((folder / PUBLISHED[file][1]).read_bytes(), "theirs")
    logits = np.concatenate([theirs.run({"input": picture[None]})["output"] for picture in pictures])
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    wanted = powers / powers.sum(axis=1, keepdims=True)
    assert np.ptp(wanted[:, 1]) > 0.3  # the pictures differ enough to tell a wrong layer
    np.testing.assert_allclose(ours.run({"image": pictures})["scores"], wanted, atol=1e-5)
    alone = np.concatenate([ours.run({"image": picture[None]})["scores"] for picture in pictures])
    np.testing.assert_allclose(alone, wanted, atol=1e-5)


@WHICH
def test_parity_with_pytorch(file: str, folder: Path, graphs: dict[str, bytes], pictures: Floats) -> None:
    """PyTorch's own reader and its own layers, to 1e-5; `make parity` installs PyTorch for it."""
    torch: Any = pytest.importorskip("torch", reason="needs PyTorch: make parity")
    weights = torch.load(folder / PUBLISHED[file][0], map_location="cpu", weights_only=True)
    for name, values in read_torch_file((folder / PUBLISHED[file][0]).read_bytes()).items():
        np.testing.assert_array_equal(values, weights[name].numpy())
    with torch.no_grad():
        wanted = _in_pytorch(torch, weights, torch.from_numpy(pictures)).numpy()
    found = OnnxSession(graphs[file], "ours").run({"image": pictures})["scores"]
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def _in_pytorch(torch: Any, weights: Mapping[str, Any], x: Any) -> Any:
    """Run the network layer by layer with PyTorch's operators, nothing folded."""
    functional = torch.nn.functional

    def normal(name: str, x: Any) -> Any:
        parts = (weights[f"{PREFIX}{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        return functional.batch_norm(x, *parts)

    def conv(name: str, x: Any, stride: int = 1, pad: int = 0) -> Any:
        kernel = weights[f"{PREFIX}{name}.conv.weight"]
        groups = len(kernel) if kernel.shape[1] == 1 else 1
        x = normal(f"{name}.bn", functional.conv2d(x, kernel, stride=stride, padding=pad, groups=groups))
        slope = weights.get(f"{PREFIX}{name}.prelu.weight")
        return x if slope is None else functional.prelu(x, slope)

    def block(name: str, x: Any, stride: int) -> Any:
        x = conv(f"{name}.conv_dw", conv(f"{name}.conv", x), stride, 1)
        x = conv(f"{name}.project", x)
        module = f"{name}.se_module"
        if f"{PREFIX}{module}.fc1.weight" not in weights:
            return x
        mean = x.mean((2, 3), keepdim=True)
        small = normal(f"{module}.bn1", functional.conv2d(mean, weights[f"{PREFIX}{module}.fc1.weight"]))
        wide = functional.conv2d(small.relu(), weights[f"{PREFIX}{module}.fc2.weight"])
        return x * normal(f"{module}.bn2", wide).sigmoid()

    x = conv("conv2_dw", conv("conv1", x, 2, 1), 1, 1)
    for halving, residual in STAGES:
        x = block(halving, x, 2)
        number = 0
        while f"{PREFIX}{residual}.model.{number}.conv.conv.weight" in weights:
            x = x + block(f"{residual}.model.{number}", x, 1)
            number += 1
    x = conv("conv_6_dw", conv("conv_6_sep", x)).flatten(1)
    x = normal("bn", functional.linear(x, weights[f"{PREFIX}linear.weight"]))
    return functional.linear(x, weights[f"{PREFIX}prob.weight"]).softmax(1)


def test_install_from_a_folder_of_the_published_files(folder: Path, tmp_path: Path) -> None:
    """`faceauth models install pad-minifasnet --from DIR`."""
    install(PACK, tmp_path, from_dir=folder)
    assert sorted(one.name for one in (tmp_path / PACK).iterdir()) == sorted(PUBLISHED)
    assert verify(PACK, tmp_path) == []


def test_altered_weights_are_not_installed(folder: Path, tmp_path: Path) -> None:
    """R22: one bit in 1.85 MB."""
    for weights, _ in PUBLISHED.values():
        data = bytearray((folder / weights).read_bytes())
        data[-100] ^= 1
        (tmp_path / weights).write_bytes(data)
    with pytest.raises(ModelAltered):
        install(PACK, tmp_path / "models", from_dir=tmp_path)
    assert not (tmp_path / "models" / PACK).exists()


def test_insightfaces_addon_asks_for_its_licence(tmp_path: Path) -> None:
    with pytest.raises(LicenceNotAccepted, match="on-commercial"):
        install("pad-insightface", tmp_path)


def test_other_networks_are_refused(folder: Path) -> None:
    """A layer too many, one too few, one of another shape."""
    read = read_torch_file((folder / PUBLISHED["minifasnet-v2.onnx"][0]).read_bytes())
    with pytest.raises(ModelError, match="does not have"):
        convert(torch_file({**read, "module.extra.weight": np.zeros(3, dtype=np.float32)}))
    with pytest.raises(ModelError, match="not a MiniFASNet"):
        convert(torch_file({name: one for name, one in read.items() if name != "module.bn.bias"}))
    with pytest.raises(ModelError, match="not a MiniFASNet"):
        convert(torch_file({**read, "module.prob.weight": np.zeros((3, 127), dtype=np.float32)}))
