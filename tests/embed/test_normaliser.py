"""The score normaliser: what it takes off, its limits, and that only the file the manifest names is used."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from faceauth.embed.manifest import NormaliserSpec, pack_spec
from faceauth.embed.normaliser import QuadraticNormaliser, load_normaliser
from faceauth.errors import ModelAltered, ModelError, ModelMissing

Floats = NDArray[np.float32]


def matrix(dimension: int = 3) -> Floats:
    made = np.random.default_rng(0).normal(size=(dimension + 1, dimension + 1))
    return (made + made.T).astype(np.float32)


def unit(count: int, dimension: int = 3) -> Floats:
    made = np.random.default_rng(1).normal(size=(count, dimension))
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)


def test_the_offset_is_the_polynomial() -> None:
    vector, m = unit(1)[0], matrix()
    extended = np.append(vector, 1).astype(np.float64)
    wanted = float(extended @ m.astype(np.float64) @ extended)
    assert QuadraticNormaliser(m, low=-99, high=99).offset(vector) == pytest.approx(wanted)


def test_an_odd_picture_earns_no_bonus() -> None:
    """No offset lies outside what was seen in training."""
    normaliser = QuadraticNormaliser(matrix(), low=-0.1, high=0.2)
    offsets = normaliser.offsets(unit(100))
    assert offsets.min() == -0.1
    assert offsets.max() == 0.2


def test_its_strength_is_how_much_is_taken_off() -> None:
    """The limits are those of the fit, before the strength: a weaker one keeps the same order of faces."""
    whole = QuadraticNormaliser(matrix(), low=-0.1, high=0.2)
    part = QuadraticNormaliser(matrix(), low=-0.1, high=0.2, strength=0.8)
    assert part.strength == 0.8
    assert np.allclose(part.offsets(unit(100)), 0.8 * whole.offsets(unit(100)))


@pytest.mark.parametrize("strength", [0.0, -1.0, float("nan"), float("inf")])
def test_a_strength_that_is_none_is_refused(strength: float) -> None:
    with pytest.raises(ModelError):
        QuadraticNormaliser(matrix(), low=0, high=1, strength=strength)


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((4, 3), np.float32),
        np.zeros(4, np.float32),
        np.full((4, 4), np.nan, np.float32),
        np.arange(16, dtype=np.float32).reshape(4, 4),
    ],
)
def test_a_malformed_one_is_refused(bad: Floats) -> None:
    with pytest.raises(ModelError):
        QuadraticNormaliser(bad, low=0, high=1)


def test_another_dimension_is_refused() -> None:
    with pytest.raises(ModelError):
        QuadraticNormaliser(matrix(3), low=0, high=1).offset(unit(1, 4)[0])


def spec(file: Path) -> NormaliserSpec:
    return NormaliserSpec(file=file.name, sha256=hashlib.sha256(file.read_bytes()).hexdigest(), low=0, high=1)


def test_only_the_file_the_manifest_names(tmp_path: Path) -> None:
    """R22: one bit more or less, and it is not loaded."""
    file = tmp_path / "n.npy"
    np.save(file, matrix())
    good = spec(file)
    assert load_normaliser(good, tmp_path).offset(unit(1)[0]) >= 0
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises(ModelAltered):
        load_normaliser(good, tmp_path)


def test_no_pickle_and_no_nothing(tmp_path: Path) -> None:
    file = tmp_path / "n.npy"
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ModelError):
        load_normaliser(spec(file), tmp_path)
    gone = spec(file).model_copy(update={"file": "gone.npy"})
    with pytest.raises(ModelMissing):
        load_normaliser(gone, tmp_path)


def test_the_one_of_open() -> None:
    """It comes with the project, is no larger than it says, and fits the pack's embeddings."""
    pack = pack_spec("open")
    assert pack.normaliser is not None
    normaliser = load_normaliser(pack.normaliser, Path("nowhere"))
    assert normaliser.strength == pack.normaliser.strength
    offsets = normaliser.offsets(unit(50, pack.embedder.dimension)) / normaliser.strength
    assert offsets.min() >= pack.normaliser.low
    assert offsets.max() <= pack.normaliser.high
