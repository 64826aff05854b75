"""The second cut of a face: by landmarks of its own, and the first one where these are not to be believed."""

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceauth.capture.align import align
from faceauth.capture.quality import measure
from faceauth.embed.embedder import OnnxEmbedder
from faceauth.embed.manifest import PackSpec, RecutSpec, pack_spec
from faceauth.embed.recut import Recut
from faceauth.errors import ModelError
from faceauth.types import ChipTemplate, Image

Floats = NDArray[np.float32]
SPEC = pack_spec("retail-fine")
CHIP = SPEC.embedder.chip_template
SWAPPED = [1, 0, 2, 4, 3]


def recut() -> RecutSpec:
    assert SPEC.embedder.recut is not None
    return SPEC.embedder.recut


class Landmarks:
    """Stands in for MTCNN's last network: it finds coloured dots, each landmark in a colour of its own."""

    def __init__(self, face: float = 0.99, change: Callable[[Any], Any] = lambda points: points) -> None:
        self.face, self.change = face, change

    def run(self, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        found = [self._found(image) for image in inputs["image"]]
        count = len(found)
        return {
            "face": np.full(count, self.face, np.float32),
            "box": np.zeros((count, 4), np.float32),
            "points": self.change(np.asarray(found, np.float32)),
        }

    def _found(self, image: Floats) -> Floats:
        at = []
        for colour in COLOURS:
            weight = np.clip(40 - np.abs(image - np.asarray(colour)).max(axis=2), 0, None)
            rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
            total = max(float(weight.sum()), 1e-9)
            at.append([((columns + 0.5) * weight).sum() / total, ((rows + 0.5) * weight).sum() / total])
        points = np.asarray(at, np.float32) / image.shape[0]
        # A mirror image has the eye at the picture's left first, whichever it was.
        return np.asarray(points if points[0, 0] < points[1, 0] else points[SWAPPED], np.float32)


COLOURS = [(250, 20, 20), (20, 250, 20), (20, 20, 250), (250, 250, 20), (20, 250, 250)]


def picture(points: NDArray[np.floating]) -> Image:
    """Draw the five dots on grey, 256×256."""
    image = np.full((CHIP.size, CHIP.size, 3), 120, np.uint8)
    for (x, y), colour in zip(points, COLOURS, strict=True):
        cv2.circle(image, (round(float(x)), round(float(y))), 7, colour, -1)
    return image


def moved() -> NDArray[np.float64]:
    """Where the landmarks lie in a chip that the detector placed badly: 6 px aside and turned by 4°."""
    turn = np.deg2rad(4)
    about = CHIP.points.mean(axis=0)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.asarray((CHIP.points - about) @ matrix.T + about + 6, np.float64)


def dots(cut: Image) -> NDArray[np.float64]:
    found = []
    for colour in COLOURS:
        weight = np.clip(60 - np.abs(cut.astype(float) - colour).max(axis=2), 0, None)
        rows, columns = np.mgrid[: cut.shape[0], : cut.shape[1]]
        found.append([(columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum()])
    return np.asarray(found)


def test_the_second_cut_puts_the_landmarks_where_they_belong() -> None:
    """The first keeps what the detector did wrong."""
    first, second = Recut(Landmarks(), SPEC.embedder).cuts(picture(moved())[None])[0]
    assert first.shape == second.shape == (SPEC.embedder.size, SPEC.embedder.size, 3)
    wanted = np.asarray(recut().template)
    assert np.linalg.norm(dots(first) - wanted, axis=1).mean() > 4
    # What is left is the shape in which two sets of five points differ: no turn, scale or shift can mend it.
    shape = np.linalg.norm(_fit(moved(), wanted) - wanted, axis=1).mean()
    assert np.linalg.norm(dots(second) - wanted, axis=1).mean() < shape + 0.8


def _fit(points: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b = (one @ np.array([1, 1j]) for one in (points, target))
    turn = np.vdot(a - a.mean(), b - b.mean()) / np.vdot(a - a.mean(), a - a.mean()).real
    c = turn * (a - a.mean()) + b.mean()
    return np.column_stack([c.real, c.imag])


@pytest.mark.parametrize(
    "network",
    [
        Landmarks(face=0.2),
        Landmarks(face=float("nan")),
        Landmarks(change=lambda points: points + 1.5),
        Landmarks(change=lambda points: points * np.nan),
        Landmarks(change=np.zeros_like),
    ],
    ids=["unsure", "no number", "far off", "not finite", "all in one place"],
)
def test_landmarks_that_are_not_to_be_believed_change_nothing(network: Landmarks) -> None:
    """The first cut is taken twice, so that the embedding is that of one cut."""
    first, second = Recut(network, SPEC.embedder).cuts(picture(moved())[None])[0]
    assert np.array_equal(first, second)


def test_another_network_is_refused() -> None:
    with pytest.raises(ModelError, match="shape"):
        Recut(Landmarks(change=lambda points: points[:, :3]), SPEC.embedder).cuts(picture(moved())[None])


class Colour:
    """An embedder whose answer is the mean colour of each half."""

    def __init__(self) -> None:
        self.chips = 0

    def run(self, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        image = inputs["image"]
        self.chips += len(image)
        return {"embedding": np.tile(image.mean(axis=(2, 3)) + 1, (1, 86))[:, :256].astype(np.float32)}


def bare() -> PackSpec:
    return SPEC.model_copy(update={"normaliser": None, "operating_points": {}})


def test_an_embedding_is_the_mean_of_both_cuts() -> None:
    session = Colour()
    embedder = OnnxEmbedder(session, bare(), recut=Recut(Landmarks(), SPEC.embedder))
    chips = [picture(moved()), picture(CHIP.points)]
    vectors = embedder.embed(chips)
    assert vectors.shape == (2, 256)
    assert session.chips == 4
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert np.allclose(embedder.embed(chips[:1]), vectors[:1], atol=1e-6)


def test_the_manifest_and_what_is_loaded_agree() -> None:
    with pytest.raises(ModelError, match="one cut of a face or two"):
        OnnxEmbedder(Colour(), bare())
    with pytest.raises(ModelError):
        Recut(Landmarks(), SPEC.embedder.once)


def test_the_digest_names_the_second_cut() -> None:
    """R23: another second cut makes other embeddings; references of retail never compare with these."""
    digests = {pack_spec("retail").model_digest(), SPEC.model_digest()}
    for change in ({"zoom": 1.5}, {"margin": 41}, {"box": (1.0, 2.0, 3.0, 4.0)}):
        changed = SPEC.embedder.model_copy(update={"recut": recut().model_copy(update=change)})
        digests.add(SPEC.model_copy(update={"embedder": changed}).model_digest())
    other = tuple(
        one.model_copy(update={"sha256": "0" * 64}) if one.name == recut().file else one for one in SPEC.files
    )
    digests.add(SPEC.model_copy(update={"files": other}).model_digest())
    assert len(digests) == 6


def test_quality_is_that_of_the_face_within_the_margin() -> None:
    """A chip with a margin is judged as one without."""
    photo = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    image = np.asarray(cv2.resize(photo, (400, 400), interpolation=cv2.INTER_CUBIC), np.uint8)
    landmarks = (CHIP.points + 60).astype(np.float32)
    inner = ChipTemplate(size=CHIP.size - 2 * CHIP.margin, points=CHIP.points - CHIP.margin)
    wide, plain = (measure(align(image, landmarks, one), landmarks, one) for one in (CHIP, inner))
    assert wide.sharpness == pytest.approx(plain.sharpness, rel=1e-6)
    assert wide.features == pytest.approx(plain.features, rel=1e-6)
    assert wide.weight == pytest.approx(plain.weight, rel=1e-6)
