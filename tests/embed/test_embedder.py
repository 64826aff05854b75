"""Embeddings have unit length or are refused; a probe is made of what passed liveness."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from faceauth.embed.embedder import OnnxEmbedder, to_input
from faceauth.embed.manifest import PackSpec, pack_spec
from faceauth.embed.probe import make_probe
from faceauth.errors import ModelError
from faceauth.types import AlignedFace, DetectedFace, Frame, Image, LiveCapture, Pose, Quality

Floats = NDArray[np.float32]


class Session:
    """A network that answers what it was told to, and remembers what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[Floats] = []

    def run(self, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        self.asked.append(inputs["image"])
        made = self.answer(inputs["image"]) if callable(self.answer) else self.answer
        return {"embedding": np.asarray(made, dtype=np.float32)}


def spec(**changes: object) -> PackSpec:
    """Return the pack `open` with chips of 4×4 pixels and three numbers an embedding."""
    pack = pack_spec("open")
    fields = {"size": 4, "dimension": 3, "mirror": False, **changes}
    return pack.model_copy(update={"embedder": pack.embedder.model_copy(update=fields), "normaliser": None})


def chip(red: int = 10, green: int = 20, blue: int = 30) -> Image:
    return np.full((4, 4, 3), (red, green, blue), dtype=np.uint8)


def means(image: Floats) -> Floats:
    return np.asarray(image.mean(axis=(2, 3)), dtype=np.float32)


def test_unit_length() -> None:
    vectors = OnnxEmbedder(Session(means), spec()).embed([chip(), chip(200, 0, 0)])
    assert vectors.dtype == np.float32
    assert np.allclose(vectors[1], [1, 0, 0])
    assert np.allclose(vectors[0], np.array([10, 20, 30]) / np.sqrt(1400))


def test_no_chips_no_embeddings() -> None:
    assert OnnxEmbedder(Session(means), spec()).embed([]).shape == (0, 3)


def test_preprocessing_is_the_manifests() -> None:
    """Colour order, mean per channel, scale."""
    fed = to_input(chip()[None], spec(colour="bgr", mean=(1.0, 2.0, 3.0), scale=0.5).embedder)
    assert fed.shape == (1, 3, 4, 4)
    assert fed.dtype == np.float32
    assert fed[0, :, 0, 0].tolist() == [14.5, 9.0, 3.5]


def test_one_at_a_time_where_the_graph_takes_one() -> None:
    session = Session(means)
    OnnxEmbedder(session, spec(batch="one")).embed([chip(), chip(), chip()])
    assert [asked.shape[0] for asked in session.asked] == [1, 1, 1]


def test_mirror_adds_the_mirrored_chips_in_the_same_batch() -> None:
    session = Session(means)
    pictures = list(np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3), dtype=np.uint8))
    OnnxEmbedder(session, spec(mirror=True)).embed(pictures)
    (asked,) = session.asked
    assert len(asked) == 6
    assert np.array_equal(asked[3:], asked[:3, ..., ::-1])


def test_mirror_adds_the_mirrored_chip_where_the_graph_takes_one() -> None:
    session = Session(means)
    pictures = list(np.random.default_rng(1).integers(0, 256, (2, 4, 4, 3), dtype=np.uint8))
    OnnxEmbedder(session, spec(mirror=True, batch="one")).embed(pictures)
    one, other, mirrored, other_mirrored = session.asked
    assert np.array_equal(mirrored, one[..., ::-1])
    assert np.array_equal(other_mirrored, other[..., ::-1])


@pytest.mark.parametrize(
    "answer",
    [
        [[np.nan, 0, 1]],
        [[np.inf, 0, 1]],
        [[0, 0, 0]],
        [[1e-9, 0, 0]],
        [[1, 2]],
        [1, 2, 3],
        [[1, 2, 3], [1, 2, 3]],
    ],
)
def test_what_is_no_embedding_is_refused(answer: Any) -> None:
    """R4: NaN, no length, another shape: an error, never a number to compare."""
    with pytest.raises(ModelError):
        OnnxEmbedder(Session(answer), spec()).embed([chip()])


@pytest.mark.parametrize("bad", [np.zeros((5, 4, 3), np.uint8), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3))])
def test_other_chips_are_refused(bad: Any) -> None:
    with pytest.raises(ModelError, match="4×4"):
        OnnxEmbedder(Session(means), spec()).embed([bad])


def live(*weights: float) -> LiveCapture:
    """Return a live capture of one face for each weight; face i is mostly the i-th colour."""
    faces = []
    for i, weight in enumerate(weights):
        pixels = chip(*(200 if channel == i % 3 else 1 for channel in range(3)))
        frame = Frame(pixels=pixels, t_ms=100 * i, step="center", digest=bytes(32))
        face = DetectedFace(box=(0, 0, 4, 4), landmarks=np.zeros((5, 2), np.float32), score=1.0)
        quality = Quality(60.0, Pose(0.0, 0.0, 0.0), 100.0, 120.0, 40.0, weight)
        faces.append(AlignedFace(frame=frame, face=face, chip=pixels, quality=quality))
    return LiveCapture(session_id="s", profile="motion", faces=tuple(faces))


def test_probe_is_the_weighted_mean() -> None:
    """Parts keep the order; the heavier frame pulls the mean; the length is one."""
    embedder = OnnxEmbedder(Session(means), spec())
    probe = make_probe(live(3.0, 1.0), embedder)
    assert probe.parts.shape == (2, 3)
    assert probe.parts[0].argmax() == 0
    assert probe.parts[1].argmax() == 1
    expected = 3.0 * probe.parts[0] + probe.parts[1]
    assert np.allclose(probe.vector, expected / np.linalg.norm(expected), atol=1e-6)
    assert probe.model_digest == embedder.model_digest
    assert probe.profile == "motion"


def test_chips_cut_for_another_embedder_take_their_faces_places() -> None:
    """A face without a chip is left out; there must be one chip or none for each face, and one at least."""
    embedder, capture = OnnxEmbedder(Session(means), spec()), live(3.0, 1.0)
    probe = make_probe(capture, embedder, chips=[None, chip(1, 1, 200)])
    assert probe.parts.shape == (1, 3)
    assert probe.vector.argmax() == 2
    with pytest.raises(ModelError):
        make_probe(capture, embedder, chips=[None, None])
    with pytest.raises(ValueError, match="zip"):
        make_probe(capture, embedder, chips=[None])


@pytest.mark.parametrize("weights", [(), (0.0,), (0.0, 0.0), (-1.0, 2.0), (float("nan"), 1.0), (float("inf"),)])
def test_nothing_to_embed_is_an_error(weights: tuple[float, ...]) -> None:
    """R4: no face, no weight, no number: no probe."""
    with pytest.raises(ModelError):
        make_probe(live(*weights), OnnxEmbedder(Session(means), spec()))


@pytest.mark.parametrize(
    "parts", [[[2.0, 0, 0]], [[np.nan, 0, 0]], [[1.0, 0, 0], [1.0, 0, 0]], [1.0, 0, 0], np.empty((0, 3))]
)
def test_embedder_that_breaks_its_promise_is_refused(parts: Any) -> None:
    """Any object can claim to be an Embedder; what it answers is checked."""

    class Broken(OnnxEmbedder):
        def embed(self, chips: Sequence[Image]) -> Floats:  # noqa: ARG002  the protocol names it
            return np.asarray(parts, dtype=np.float32)

    with pytest.raises(ModelError):
        make_probe(live(1.0), Broken(Session(means), spec()))
