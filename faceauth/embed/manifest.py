"""The manifest of model packs: what each is made of, where it comes from, how it is fed. Nothing is guessed."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, PositiveInt, ValidationError, model_validator

from faceauth.embed.fileset import FileName, FileSet, PerChannel, Points5
from faceauth.embed.origins import Frozen, Sha256
from faceauth.embed.passive_spec import PassiveSpec
from faceauth.errors import ConfigurationError, ModelError
from faceauth.types import ChipTemplate, Normaliser, OperatingPoint

SCHEMA = 1


class DetectorSpec(Frozen):
    """The detector: which code runs it, which file is which network, and what that code is told (`options`)."""

    kind: Literal["mtcnn", "yunet", "scrfd"]
    sessions: Mapping[str, FileName]
    layout: Literal["nhwc", "nchw"]
    colour: Literal["rgb", "bgr"]
    mean: PerChannel
    scale: float
    min_score: float | None = None
    options: Mapping[str, int | float] = Field(default_factory=dict)


class RecutSpec(Frozen):
    """A second cut of each face, by landmarks found once more on the chip; see ``faceauth.embed.recut``.

    The chip is larger than what the embedder sees: `zoom` pixels for each of its pixels, and `margin` pixels
    around. `box` is where in the chip the network in `file` looks first (left, top, right, bottom), and `template`
    where its landmarks come to lie in what the embedder sees, shape (5, 2), pixels.
    """

    file: FileName
    zoom: float = Field(ge=1.0, le=4.0)
    margin: PositiveInt
    box: tuple[float, float, float, float]
    template: Points5


class EmbedderSpec(Frozen):
    """The embedder and how it is fed: (pixel − mean) · scale, in the given layout and colour order.

    `template` holds the five landmarks of a chip, shape (5, 2), pixels; `mirror` adds the embedding of the
    mirrored chip before the sum is brought to unit length, `recut` that of a second cut.
    """

    runtime: Literal["onnx", "insightface"]
    file: FileName
    input: str
    output: str
    layout: Literal["nchw"]
    colour: Literal["rgb", "bgr"]
    size: PositiveInt
    mean: PerChannel
    scale: float
    batch: Literal["any", "one"]
    mirror: bool = False
    dimension: PositiveInt
    metric: Literal["cosine"]
    template: Points5
    recut: RecutSpec | None = None

    @property
    def once(self) -> "EmbedderSpec":
        """The same network, fed with one cut of a face."""
        return self.model_copy(update={"recut": None})

    @property
    def chip_template(self) -> ChipTemplate:
        """The alignment as the capture stage takes it."""
        points = np.asarray(self.template, dtype=np.float32)
        if self.recut is None:
            return ChipTemplate(size=self.size, points=points)
        zoom, margin = self.recut.zoom, self.recut.margin
        # Of pixels' corners, not of their middles: a pixel's middle lies half of one from its corner at any zoom.
        larger = (points + 0.5) * np.float32(zoom) - 0.5 + margin
        return ChipTemplate(size=round(self.size * zoom) + 2 * margin, points=larger, margin=margin)


class PointSpec(Frozen):
    """One operating point; the fields are those of `faceauth.types.OperatingPoint`."""

    threshold: float = Field(ge=-1.0, le=1.0)
    fmr: float = Field(gt=0.0, lt=1.0)
    fmr_lower: float = Field(default=0.0, ge=0.0, lt=1.0)
    fmr_upper: float = Field(gt=0.0, lt=1.0)
    comparisons: PositiveInt
    fnmr: float = Field(ge=0.0, le=1.0)
    mated: PositiveInt
    source: str

    @model_validator(mode="after")
    def _interval_is_one(self) -> "PointSpec":
        if self.fmr_lower > self.fmr_upper:
            raise ValueError("fmr_lower is above fmr_upper; they are the ends of one interval")
        return self


class NormaliserSpec(Frozen):
    """The score normaliser that the operating points were measured with; see `faceauth.embed.normaliser`.

    `strength` says how much of what it says is taken off. Like the thresholds it is part of how scores are read:
    references stay valid when it changes.
    """

    file: FileName
    sha256: Sha256
    low: float
    high: float
    strength: float = Field(default=1.0, gt=0.0, le=2.0)


class PackSpec(FileSet):
    """One pack of the manifest: it finds faces and makes embeddings."""

    detector: DetectorSpec
    embedder: EmbedderSpec
    normaliser: NormaliserSpec | None = None
    operating_points: Mapping[str, PointSpec] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _files_are_there(self) -> "PackSpec":
        recut = self.embedder.recut
        self.check_names({self.embedder.file, *self.detector.sessions.values(), *([recut.file] if recut else [])})
        return self

    def points(self, normaliser: Normaliser | None = None) -> dict[str, OperatingPoint]:
        """Return the operating points by name.

        Args:
            normaliser: The pack's score normaliser, loaded; without it the points can be read, not decided at.
        """
        return {
            name: OperatingPoint(name=name, **point.model_dump(), normaliser=normaliser)
            for name, point in self.operating_points.items()
        }

    def model_digest(self) -> bytes:
        """Return what names embedder, preprocessing and alignment together (R23): 32 bytes.

        It is the SHA-256 over canonical JSON (sorted keys, no blanks, ASCII) of the embedder's weights' SHA-256
        and of everything that changes what an embedding means. Operating points and detector are not part of it.
        """
        spec = self.embedder.model_dump(
            mode="json", exclude={"file", "runtime", "input", "output", "batch", "recut"}
        )
        named = {"schema": SCHEMA, "weights": self.file(self.embedder.file).sha256, "embedder": spec}
        if (recut := self.embedder.recut) is not None:
            cut = recut.model_dump(mode="json", exclude={"file"})
            named["recut"] = {**cut, "weights": self.file(recut.file).sha256}
        return _digest(named)

    def decision_digest(self) -> bytes:
        """Return what names all that the pack adds to a decision beside the embedding: 32 bytes.

        It is over the model, the operating points as far as they decide, and the score normaliser.
        """
        points = {name: [one.threshold, one.fmr, one.fmr_upper] for name, one in self.operating_points.items()}
        normaliser = None if self.normaliser is None else self.normaliser.model_dump(mode="json", exclude={"file"})
        model = self.model_digest().hex()
        return _digest({"schema": SCHEMA, "model": model, "points": points, "normaliser": normaliser})

    def pack_digest(self) -> bytes:
        """Return what names the whole pack, detector included: 32 bytes."""
        return _digest(
            {
                "schema": SCHEMA,
                "model": self.model_digest().hex(),
                "detector": self.detector.model_dump(mode="json"),
                "files": {one.name: one.sha256 for one in self.files},
            }
        )


class Manifest(Frozen):
    """The whole manifest."""

    schema_: Literal[1] = Field(alias="schema")
    packs: Mapping[str, PackSpec] = Field(default_factory=dict)
    passive: Mapping[str, PassiveSpec] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _names_from_keys(cls, data: Any) -> Any:
        for kind in ("packs", "passive"):
            if isinstance(data, dict) and isinstance(data.get(kind), dict):
                data = {**data, kind: {name: {"name": name, **pack} for name, pack in data[kind].items()}}
        return data

    @model_validator(mode="after")
    def _names_differ(self) -> "Manifest":
        # Both kinds lie in one folder and are installed by one command.
        if both := set(self.packs) & set(self.passive):
            raise ValueError(f"{min(both)} is the name of two packs")
        return self

    @property
    def all(self) -> Mapping[str, FileSet]:
        """Every pack of either kind, by name."""
        return {**self.packs, **self.passive}


def _digest(value: Mapping[str, object]) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).digest()


def parse_manifest(text: str, *, lenders: Mapping[str, PackSpec] | None = None) -> Manifest:
    """Read a manifest.

    Args:
        text: TOML.
        lenders: Packs whose detector another may take with ``detector_from``.

    Returns:
        The manifest.

    Raises:
        ConfigurationError: It is not TOML, or a field is missing, unknown or wrong.
    """
    try:
        data = tomllib.loads(text)
        for name, pack in data.get("packs", {}).items():
            _lend_detector(name, pack, lenders or {})
        return Manifest.model_validate(data)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"The model manifest is not TOML: {error}.") from error
    except (AttributeError, TypeError) as error:
        raise ConfigurationError("The model manifest is wrong at packs: each is a table of its own.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"The model manifest is wrong at {where}: {first['msg']}.") from error


def _lend_detector(name: str, pack: dict[str, Any], lenders: Mapping[str, PackSpec]) -> None:
    """Put the detector named by ``detector_from``, and its files, into a pack's table."""
    lender = pack.pop("detector_from", None)
    if lender is None:
        return
    if lender not in lenders or "detector" in pack:
        raise ConfigurationError(
            f"The model manifest is wrong at packs.{name}.detector_from: it names a pack that comes with "
            "faceauth, and stands instead of a detector."
        )
    spec = lenders[lender]
    lent = [spec.file(file).model_dump() for file in dict.fromkeys(spec.detector.sessions.values())]
    pack["detector"] = spec.detector.model_dump()
    pack["files"] = [*pack.get("files", []), *lent]


@lru_cache(maxsize=1)
def _built_in() -> Manifest:
    return parse_manifest(files("faceauth.models").joinpath("manifest.toml").read_text(encoding="utf-8"))


def load_manifest(own: Path | None = None) -> Manifest:
    """Return the manifest that comes with the project, with the packs of a file of one's own added.

    Args:
        own: A TOML file laid out as the project's manifest. A pack in it may say ``detector_from = "retail"``
            instead of a detector: it then has that pack's detector and its files.

    Raises:
        ConfigurationError: The file cannot be read, is wrong, or names a pack that there is already.
    """
    manifest = _built_in()
    if own is None:
        return manifest
    try:
        added = parse_manifest(own.read_text(encoding="utf-8"), lenders=manifest.packs)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The model manifest {own} cannot be read. See FACEAUTH_MODELS_MANIFEST."
        ) from error
    if taken := sorted(set(added.all) & set(manifest.all)):
        raise ConfigurationError(f"{own} names the pack {taken[0]}, which there is already. Choose another name.")
    return manifest.model_copy(
        update={
            "packs": {**manifest.packs, **added.packs},
            "passive": {**manifest.passive, **added.passive},
        }
    )


def pack_spec(name: str, own: Path | None = None) -> PackSpec:
    """Return one pack's entry.

    Args:
        name: The pack's name.
        own: A manifest of one's own; see `load_manifest`.

    Raises:
        ConfigurationError: The manifest of one's own is wrong.
        ModelError: There is no pack of that name.
    """
    packs = load_manifest(own).packs
    if name not in packs:
        raise ModelError(f"There is no model pack {name!r}. Known packs: {', '.join(sorted(packs))}.")
    return packs[name]


def passive_spec(name: str, own: Path | None = None) -> PassiveSpec:
    """Return one passive pack's entry; see `pack_spec`."""
    packs = load_manifest(own).passive
    if name not in packs:
        raise ModelError(f"There is no passive pack {name!r}. Known ones: {', '.join(sorted(packs))}.")
    return packs[name]


def any_spec(name: str, own: Path | None = None) -> FileSet:
    """Return the entry of a pack of either kind; see `pack_spec`."""
    packs = load_manifest(own).all
    if name not in packs:
        raise ModelError(f"There is no model pack {name!r}. Known packs: {', '.join(sorted(packs))}.")
    return packs[name]
