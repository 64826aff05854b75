"""The manifest: complete, pinned, nothing guessed."""

import tomllib
from importlib.resources import files
from typing import Any

import pytest
from pydantic import ValidationError

from faceauth.embed.manifest import (
    Manifest,
    any_spec,
    load_manifest,
    pack_spec,
    parse_manifest,
    passive_spec,
)
from faceauth.errors import ConfigurationError, ModelError

TEXT = files("faceauth.models").joinpath("manifest.toml").read_text(encoding="utf-8")


def changed(path: str, value: object) -> Manifest:
    """Validate the manifest with one field of the pack `open` changed."""
    data = tomllib.loads(TEXT)
    place: Any = data["packs"]["open"]
    *way, last = path.split(".")
    for part in way:
        place = place[int(part)] if isinstance(place, list) else place[part]
    place[last] = value
    return Manifest.model_validate(data)


def test_packs_that_the_design_names() -> None:
    assert set(load_manifest().packs) == {
        *("open", "opencv", "retail", "retail-fine"),
        *("buffalo_l", "buffalo_m", "buffalo_s", "buffalo_sc", "antelopev2"),
    }
    assert set(load_manifest().passive) == {"pad-minifasnet", "pad-insightface"}


def test_every_file_is_pinned_and_licensed() -> None:
    """R22: a digest, a licence and a source for each file; research-only packs ask for acceptance."""
    for spec in load_manifest().all.values():
        assert spec.licence
        assert spec.files
        for file in spec.files:
            assert len(file.sha256) == 64
            assert file.licence
        assert spec.accept_licence == ("on-commercial" in spec.licence)


def test_template_lies_in_the_chip() -> None:
    """Eyes above nose above mouth, left of right, all inside."""
    for spec in load_manifest().packs.values():
        chip = spec.embedder.chip_template
        points = chip.points
        assert points.shape == (5, 2)
        assert (points > chip.margin).all()
        assert (points < chip.size - chip.margin).all()
        assert points[0, 0] < points[2, 0] < points[1, 0]
        assert points[3, 0] < points[4, 0]
        assert points[:2, 1].max() < points[2, 1] < points[3:, 1].min()


def test_operating_points_of_open() -> None:
    """R1, R2: each says how many comparisons stand behind it, and stricter points have higher thresholds."""
    points = sorted(pack_spec("open").points().values(), key=lambda point: -point.fmr)
    assert [point.name for point in points] == ["fmr-1e-3", "fmr-1e-4", "fmr-1e-5"]
    for point in points:
        assert point.fmr_lower < point.fmr < point.fmr_upper
        assert point.fmr_upper >= 3 / point.comparisons  # zero errors in n trials still allow 3/n (R3)
        assert "people" in point.source
    assert [p.threshold for p in points] == sorted(p.threshold for p in points)
    assert [p.fnmr for p in points] == sorted(p.fnmr for p in points)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("embedder.mirror", False),
        ("embedder.scale", 2.0),
        ("embedder.mean", [1.0, 0.0, 0.0]),
        ("embedder.colour", "bgr"),
        ("embedder.template", [[1.0, 2.0]] * 5),
        ("embedder.size", 151),
        ("files.0.sha256", "0" * 64),
    ],
)
def test_digest_changes_with_whatever_changes_the_embedding(path: str, value: object) -> None:
    """R23: references made otherwise never compare."""
    assert changed(path, value).packs["open"].model_digest() != pack_spec("open").model_digest()


@pytest.mark.parametrize(
    ("path", "value"),
    [("operating_points.fmr-1e-4.threshold", 0.5), ("title", "another"), ("files.1.sha256", "0" * 64)],
)
def test_digest_stays_when_the_embedding_stays(path: str, value: object) -> None:
    """A threshold or another detector does not ask people to enrol again."""
    assert changed(path, value).packs["open"].model_digest() == pack_spec("open").model_digest()


def test_pack_digest_covers_the_detector() -> None:
    assert changed("files.1.sha256", "0" * 64).packs["open"].pack_digest() != pack_spec("open").pack_digest()


def test_an_interval_has_its_ends_in_order() -> None:
    with pytest.raises(ValidationError, match="fmr_lower"):
        changed("operating_points.fmr-1e-4.fmr_lower", 0.5)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("schema = 1", "schema = 2"),
        ('name = "embedder.onnx"', 'name = "../embedder.onnx"'),
        ('name = "embedder.onnx"', 'name = "another.onnx"'),
        ("https://github.com/opencv/opencv_zoo/raw", "http://github.com/opencv/opencv_zoo/raw"),
        ('colour = "rgb"', 'colour = "any"'),
        ("dimension = 128", "dimension = 0"),
        ("dimension = 128", "dimensions = 128"),
        ('converter = "dlib_resnet"', 'converter = "pickle"'),
        ('version = "0.3.0"', 'version = "0.3.0 --hash=x"'),
        ("[packs.open]", "[packs.open"),
    ],
)
def test_wrong_manifest_is_refused(old: str, new: str) -> None:
    """Nothing unknown passes, nothing leads out of the folder or to plain http."""
    assert old in TEXT
    with pytest.raises(ConfigurationError, match="manifest"):
        parse_manifest(TEXT.replace(old, new))


def test_unknown_pack_names_the_known_ones() -> None:
    with pytest.raises(ModelError, match="opencv"):
        pack_spec("nonesuch")


def test_passive_networks_say_how_they_are_fed() -> None:
    """Channel order and scaling are in the manifest: swapped channels let a screen pass (docs/passive.md)."""
    for network, box in zip(passive_spec("pad-minifasnet").networks, (2.7, 4.0), strict=True):
        assert (network.colour, network.mean, network.scale, network.live) == ("bgr", (0.0, 0.0, 0.0), 1.0, 1)
        assert (network.box, network.template, network.size) == (box, None, 80)
    (addon,) = passive_spec("pad-insightface").networks
    assert (addon.colour, addon.scale * 255, addon.live, addon.box) == ("rgb", 1.0, None, None)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("box = 2.7", "", "networks.0"),
        ("box = 2.7", "box = 0.5", "box"),
        ('file = "minifasnet-v2.onnx"', 'file = "other.onnx"', "not listed"),
    ],
)
def test_wrong_passive_entries_are_refused(old: str, new: str, where: str) -> None:
    assert old in TEXT
    with pytest.raises(ConfigurationError, match=where):
        parse_manifest(TEXT.replace(old, new))


def test_one_name_is_one_pack() -> None:
    """Both kinds lie in one folder, so they share their names."""
    with pytest.raises(ConfigurationError, match="two packs"):
        parse_manifest(TEXT.replace("passive.pad-minifasnet", "passive.open"))
    with pytest.raises(ModelError, match="pad-minifasnet"):
        passive_spec("open")
    assert any_spec("pad-minifasnet").name == "pad-minifasnet"
    with pytest.raises(ModelError, match="nonesuch"):
        any_spec("nonesuch")
