"""What the passive networks are shown, and the traps: channel order, noise, the picture's edge."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceauth.capture.detect import build_detector
from faceauth.embed.fileset import ModelFile
from faceauth.embed.install import install
from faceauth.embed.manifest import passive_spec
from faceauth.embed.origins import LocalFile
from faceauth.embed.packs import load_pack
from faceauth.embed.passive_packs import PassivePack, load_if_installed, load_passive_pack, load_passive_spec
from faceauth.embed.sources import sha256_hex
from faceauth.errors import ModelAltered, ModelError, ModelMissing
from faceauth.liveness.passive_models import PassiveNetwork, PassiveNetworks, widened
from faceauth.types import AlignedFace, DetectedFace, Detector, Frame, Image, Pose, Quality
from tests.embed.graphs import liveness as liveness_graph

Floats = NDArray[np.float32]
POINTS = np.array([[270, 210], [350, 210], [310, 250], [280, 290], [340, 290]], np.float32)
BOX = (240.0, 150.0, 140.0, 180.0)


@dataclass(frozen=True)
class Fed:
    """How a network is fed; the defaults are MiniFASNet's."""

    size: int = 80
    colour: Literal["rgb", "bgr"] = "bgr"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = 1.0
    batch: Literal["any", "one"] = "any"
    box: float | None = 2.7
    template: tuple[tuple[float, float], ...] | None = None
    outside: float = 0.0
    live: int | None = 1


class Answers:
    """A network that answers what it is told and keeps what it was shown."""

    def __init__(self, answer: object = None) -> None:
        self.answer, self.seen = answer, list[Floats]()

    def run(self, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        self.seen.append(inputs["image"])
        given = np.tile([0.1, 0.7, 0.2], (len(inputs["image"]), 1)) if self.answer is None else self.answer
        return {"scores": np.asarray(given, np.float32)}


@dataclass(frozen=True)
class Network:
    """A network with how it is fed."""

    session: Answers
    spec: Fed = Fed()
    input: str = "image"
    output: str = "scores"


def face(image: Image, box: tuple[float, float, float, float] = BOX, points: Floats = POINTS) -> AlignedFace:
    quality = Quality(80.0, Pose(0, 0, 0), 100.0, 120.0, 50.0, 1.0)
    return AlignedFace(Frame(image, 0, "s1", b""), DetectedFace(box, points, 1.0), image[:1, :1], quality)


@pytest.fixture(scope="module")
def image() -> Image:
    chance = np.random.default_rng(3)
    return np.asarray(cv2.resize(chance.integers(0, 256, (48, 64, 3), dtype=np.uint8), (640, 480)), np.uint8)


# --- what is cut out --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1.0, 2.7, 4.0])
@pytest.mark.parametrize(
    "box",
    [
        BOX,
        (5.0, 5.0, 100.0, 130.0),
        (560.0, 400.0, 75.0, 70.0),
        (0.0, 0.0, 640.0, 480.0),
        (-20.0, -9.0, 90.0, 99.0),
    ],
)
def test_the_cut_lies_in_the_picture(box: tuple[float, float, float, float], times: float) -> None:
    """Widened about its centre as far as the picture allows, and shifted inside rather than cut off."""
    left, top, right, bottom = widened(box, 640, 480, times)
    assert 0 <= left < right <= 639
    assert 0 <= top < bottom <= 479
    grown = min(times, 639 / box[2], 479 / box[3])
    assert abs(right - left - box[2] * grown) <= 2
    assert abs(bottom - top - box[3] * grown) <= 2
    if times == 1.0 and box == BOX:
        assert (left, top, right, bottom) == (240, 150, 380, 330)


def test_a_box_in_the_middle_keeps_its_centre() -> None:
    left, top, right, bottom = widened((300.0, 220.0, 40.0, 50.0), 640, 480, 4.0)
    assert ((left + right) / 2, (top + bottom) / 2) == (320.0, 245.0)
    assert (right - left, bottom - top) == (160, 200)


@pytest.mark.parametrize(
    "box",
    [(0.0, 0.0, 0.0, 10.0), (0.0, 0.0, 10.0, -1.0), (float("nan"), 0.0, 9.0, 9.0), (0.0, 0.0, float("inf"), 9.0)],
)
def test_a_box_without_area_is_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(ModelError, match="no area"):
        widened(box, 640, 480, 2.7)


def test_bgr_0_to_255_and_nothing_taken_off(image: Image) -> None:
    """The pixels the network sees are the picture's own, blue first."""
    session = Answers()
    PassiveNetwork(Network(session)).scores([face(image)])
    left, top, right, bottom = widened(BOX, 640, 480, 2.7)
    wanted = cv2.resize(image[top : bottom + 1, left : right + 1], (80, 80))[..., ::-1].transpose(2, 0, 1)
    (seen,) = session.seen
    assert seen.shape == (1, 3, 80, 80)
    assert seen.dtype == np.float32
    np.testing.assert_array_equal(seen[0], wanted)


def test_rgb_mean_and_scale_of_the_manifest(image: Image) -> None:
    fed = Fed(colour="rgb", mean=(10.0, 20.0, 30.0), scale=1 / 255)
    plain, scaled = (PassiveNetwork(Network(Answers(), spec)) for spec in (Fed(colour="rgb"), fed))
    cuts = plain.cut(image, face(image).face)[None]
    np.testing.assert_allclose(
        scaled.planes(cuts), (plain.planes(cuts) - np.array([10, 20, 30])[:, None, None]) / 255, rtol=1e-5
    )


def test_five_landmarks_come_to_lie_where_the_template_says(image: Image) -> None:
    """A bright dot on each landmark is found again at the template's point, turned and scaled."""
    (spec,) = passive_spec("pad-insightface").networks
    assert spec.template is not None
    target = np.asarray(spec.template)
    turned = (target - 40) @ np.array([[1.9, 0.6], [-0.6, 1.9]]) + [320, 240]
    picture = np.zeros_like(image)
    for x, y in turned:
        cv2.circle(picture, (round(x), round(y)), 5, (255, 255, 255), -1, cv2.LINE_AA)
    network = PassiveNetwork(Network(Answers(), Fed(box=None, template=spec.template, outside=0.3)))
    cut = network.cut(picture, face(picture, points=turned.astype(np.float32)).face)
    for x, y in target:
        assert cut[round(y), round(x), 0] > 200
    assert cut.mean() < 40


def test_a_face_at_the_picture_s_edge_is_refused(image: Image) -> None:
    """As insightface refuses it: more than .30 of the square would lie outside."""
    (spec,) = passive_spec("pad-insightface").networks
    network = PassiveNetwork(Network(Answers(), Fed(box=None, template=spec.template, outside=0.3, live=None)))
    with pytest.raises(ModelError, match="edge"):
        network.cut(image, face(image, points=POINTS - np.array([300, 200], np.float32)).face)
    with pytest.raises(ModelError, match="no shape"):
        network.cut(image, face(image, points=np.zeros((5, 2), np.float32)).face)


# --- what they answer -------------------------------------------------------------------------------------------


def test_the_mean_of_the_networks(image: Image) -> None:
    low = Answers([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]])
    models = PassiveNetworks([Network(Answers()), Network(low)])
    np.testing.assert_allclose(models.live_scores([face(image)] * 2), [0.4, 0.75], atol=1e-6)
    assert models.live_scores([]).shape == (0,)
    with pytest.raises(ModelError, match="no network"):
        PassiveNetworks([])


def test_one_at_a_time_and_a_probability_as_it_is(image: Image) -> None:
    session = Answers([0.6])
    network = PassiveNetwork(Network(session, Fed(batch="one", live=None)))
    np.testing.assert_allclose(network.scores([face(image)] * 3), [0.6] * 3)
    assert [len(seen) for seen in session.seen] == [1, 1, 1]


@pytest.mark.parametrize(
    ("answer", "spec"),
    [
        ([[0.1, float("nan"), 0.2]], Fed()),
        ([[0.1, 1.5, 0.2]], Fed()),
        ([[0.1, -0.5, 0.2]], Fed()),
        ([[0.1]], Fed()),
        ([0.5], Fed()),
        ([[0.5]], Fed(live=None)),
        ([0.5, 0.5], Fed(live=None)),
    ],
)
def test_what_is_no_probability_is_refused(image: Image, answer: object, spec: Fed) -> None:
    """R4: logits instead of probabilities, another shape, no number."""
    with pytest.raises(ModelError):
        PassiveNetwork(Network(Answers(answer), spec)).scores([face(image)])


def test_an_output_of_another_name_is_refused(image: Image) -> None:
    with pytest.raises(ModelError, match="manifest"):
        PassiveNetwork(Network(Answers(), output="other")).scores([face(image)])


# --- packs ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def minifasnet(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> PassivePack:
    folder = tmp_path_factory.mktemp("models")
    install("pad-minifasnet", folder, from_dir=shared / "models" / "minifasnet")
    return load_passive_pack("pad-minifasnet", folder)


def test_a_pack_that_is_not_there_is_none_and_an_altered_one_is_refused(shared: Path, tmp_path: Path) -> None:
    """R22: missing is missing; half there or changed is an error."""
    assert load_if_installed("pad-minifasnet", tmp_path) is None
    assert load_if_installed("", tmp_path) is None
    with pytest.raises(ModelMissing, match="models install pad-minifasnet"):
        load_passive_pack("pad-minifasnet", tmp_path)
    install("pad-minifasnet", tmp_path, from_dir=shared / "models" / "minifasnet")
    assert load_if_installed("pad-minifasnet", tmp_path) is not None
    (tmp_path / "pad-minifasnet" / "minifasnet-v2.onnx").unlink()
    with pytest.raises(ModelMissing):
        load_if_installed("pad-minifasnet", tmp_path)
    (tmp_path / "pad-minifasnet" / "minifasnet-v2.onnx").write_bytes(b"other")
    with pytest.raises(ModelAltered):
        load_if_installed("pad-minifasnet", tmp_path)


def test_insightfaces_addon_with_a_stand_in(image: Image, tmp_path: Path) -> None:
    """One picture in, one probability out, no names in the manifest; the stand-in answers the mean green."""
    data = liveness_graph()
    spec = passive_spec("pad-insightface")
    file = ModelFile(name="liveness.onnx", sha256=sha256_hex(data), licence="ours", source=LocalFile())
    (tmp_path / "liveness.onnx").write_bytes(data)
    pack = load_passive_spec(spec.model_copy(update={"files": (file,)}), tmp_path)
    assert (pack.networks[0].input, pack.networks[0].output) == ("anything", "probability")
    grey = np.full_like(image, (10, 128, 250))
    scores = PassiveNetworks(pack.networks).live_scores([face(grey), face(grey)])
    np.testing.assert_allclose(scores, [128 / 255] * 2, atol=1e-5)
    wrong = spec.networks[0].model_copy(update={"output": "other"})
    with pytest.raises(ModelError, match="other"):
        load_passive_spec(spec.model_copy(update={"files": (file,), "networks": (wrong,)}), tmp_path)


# --- the traps, on real pictures --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def detector(models_dir: Path) -> Detector:
    pack = load_pack("open", models_dir)
    return build_detector(pack.detector_kind, pack.detector_sessions, pack.detector_options)


@pytest.fixture(scope="module")
def clips(shared: Path, detector: Detector) -> dict[str, list[AlignedFace]]:
    """Seven frames, one a second and a half, of each clip that have a face."""
    found: dict[str, list[AlignedFace]] = {}
    for name in ("live_turning", "replay_monitor"):
        film = cv2.VideoCapture(str(shared / "data" / "clips" / f"{name}.mp4"))
        faces = []
        for number in range(0, 210, 30):
            film.set(cv2.CAP_PROP_POS_FRAMES, number)
            read, frame = film.read()
            assert read
            picture = np.ascontiguousarray(frame[..., ::-1], np.uint8)
            faces += [replace(face(picture), face=one) for one in detector.detect(picture)[:1]]
        found[name] = faces
    return found


def test_a_screen_is_caught_and_a_person_is_not(
    minifasnet: PassivePack, clips: dict[str, list[AlignedFace]]
) -> None:
    models = PassiveNetworks(minifasnet.networks)
    assert len(clips["live_turning"]) >= 5
    assert len(clips["replay_monitor"]) >= 5
    assert np.median(models.live_scores(clips["live_turning"])) >= 0.8
    assert np.median(models.live_scores(clips["replay_monitor"])) < 0.1


def test_swapped_channels_would_let_pictures_pass(
    minifasnet: PassivePack, shared: Path, detector: Detector
) -> None:
    """The trap: on prints that are caught for certain, red and blue exchanged give some of them a pass."""
    prints = [
        cv2.imread(str(path)) for path in sorted((shared / "data" / "pad-stills" / "print").glob("*/*"))[::12]
    ]
    faces = []
    for bgr in prints:
        assert bgr is not None
        picture = np.ascontiguousarray(bgr[..., ::-1], np.uint8)
        faces += [replace(face(picture), face=one) for one in detector.detect(picture)[:1]]
    right = PassiveNetworks(minifasnet.networks).live_scores(faces)
    swapped = [replace(one, spec=one.spec.model_copy(update={"colour": "rgb"})) for one in minifasnet.networks]
    wrong = PassiveNetworks(swapped).live_scores(faces)
    assert len(faces) >= 10
    assert right.max() < 0.5
    assert wrong.max() > 0.8


def test_minifasnet_is_fed_as_it_was_trained() -> None:
    """BGR from 0 to 255, no mean, each network its own cut; one of two that is fed otherwise hardly shows."""
    networks = passive_spec("pad-minifasnet").networks
    fed = [(one.colour, one.mean, one.scale, one.size, one.live) for one in networks]
    assert fed == [("bgr", (0.0, 0.0, 0.0), 1.0, 80, 1)] * 2
    boxes = {one.file: one.box for one in networks}
    assert boxes == {"minifasnet-v2.onnx": 2.7, "minifasnet-v1se.onnx": 4.0}


def test_noise_looks_living(minifasnet: PassivePack) -> None:
    """The other trap, and why nothing but a detected face is shown to the networks."""
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    assert PassiveNetworks(minifasnet.networks).live_scores([face(noise)])[0] > 0.9
