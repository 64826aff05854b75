"""A pack, loaded: the embedder ready to use, the detector's networks ready for the capture stage."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from faceauth.embed.batcher import BatchingEmbedder
from faceauth.embed.embedder import OnnxEmbedder
from faceauth.embed.insightface import load_detector, load_recognition
from faceauth.embed.manifest import PackSpec, pack_spec
from faceauth.embed.normaliser import load_normaliser
from faceauth.embed.recut import Recut
from faceauth.embed.session import Provider, load_session
from faceauth.errors import ModelError, ModelMissing
from faceauth.sections import InferenceSettings
from faceauth.types import Detector, Embedder, ModelSession


@dataclass(frozen=True, slots=True, eq=False)
class Pack:
    """A loaded pack.

    `detector_sessions` are the networks of `detector_kind`, by the names that
    ``faceauth.capture.detect.build_detector`` knows, and `detector_options` goes with them; the pipeline puts them
    together, so that this stage and capture do not know each other. A pack whose detector is the insightface
    package's own class brings it ready made in `detector` and has no sessions.
    """

    name: str
    licence: str
    digest: bytes
    embedder: Embedder = field(repr=False)
    detector_kind: str
    detector_sessions: Mapping[str, ModelSession] = field(repr=False)
    detector_options: Mapping[str, int | float]
    detector: Detector | None = field(default=None, repr=False)
    decision_digest: bytes = b""

    def close(self) -> None:
        """End the thread that embeds for an accelerator, if there is one."""
        if isinstance(self.embedder, BatchingEmbedder):
            self.embedder.close()


def load_pack(
    name: str,
    models_dir: Path,
    manifest: Path | None = None,
    inference: InferenceSettings | None = None,
) -> Pack:
    """Load an installed pack; every file's SHA-256 is checked before its graph is looked at (R22).

    Args:
        name: The pack's name in the manifest.
        models_dir: The models folder; the pack's files lie in its folder `name`.
        manifest: A manifest of one's own, with more packs.
        inference: What runs the embedder; the CPU if left out.

    Returns:
        The pack. Close it when done.

    Raises:
        ConfigurationError: The manifest of one's own is wrong.
        ModelMissing: A file is not installed, or the insightface package is not.
        ModelAltered: A file is not the one the manifest names, or a graph reaches outside itself.
        ModelError: There is no such pack, it cannot be loaded, or ONNX Runtime does not have the provider.
    """
    return load_spec(pack_spec(name, manifest), models_dir / name, inference)


def load_spec(spec: PackSpec, folder: Path, inference: InferenceSettings | None = None) -> Pack:
    """Load a pack from its entry and the folder of its files; see `load_pack`."""
    if spec.not_installable:
        raise ModelError(f"The pack {spec.name} cannot be used yet: {spec.not_installable}")
    missing = [one.name for one in spec.files if not (folder / one.name).is_file()]
    if missing:
        raise ModelMissing(
            f"The pack {spec.name} lacks {', '.join(missing)}. Run: faceauth models install {spec.name}"
        )
    detector: Detector | None = None
    sessions: dict[str, ModelSession] = {}
    if spec.detector.kind == "scrfd":
        detector = load_detector(spec, folder)
    else:
        for key, file in spec.detector.sessions.items():
            sessions[key] = load_session(folder / file, expected_sha256=spec.file(file).sha256)
    return Pack(
        name=spec.name,
        licence=spec.licence,
        digest=spec.pack_digest(),
        embedder=_embedder(spec, folder, inference or InferenceSettings()),
        detector_kind=spec.detector.kind,
        detector_sessions=sessions,
        detector_options=dict(spec.detector.options),
        detector=detector,
        decision_digest=spec.decision_digest(),
    )


def _embedder(spec: PackSpec, folder: Path, inference: InferenceSettings) -> Embedder:
    normaliser = None if spec.normaliser is None else load_normaliser(spec.normaliser, folder)
    session = _embedder_session(spec, folder, inference.provider)
    embedder = OnnxEmbedder(session, spec, normaliser, _recut(spec, folder))
    if inference.provider == "cpu" or spec.embedder.batch == "one":
        # On a CPU a batch takes as long as its chips one by one, so waiting for company would only cost time.
        return embedder
    return BatchingEmbedder(embedder, batch=inference.batch, wait_ms=inference.wait_ms)


def _recut(spec: PackSpec, folder: Path) -> Recut | None:
    """Load what cuts faces a second time; it is small, so it stays on the CPU as the detector does."""
    if spec.embedder.recut is None:
        return None
    file = spec.embedder.recut.file
    return Recut(load_session(folder / file, expected_sha256=spec.file(file).sha256), spec.embedder)


def _embedder_session(spec: PackSpec, folder: Path, provider: Provider) -> ModelSession:
    if spec.embedder.runtime == "insightface":
        return load_recognition(spec, folder, provider)
    file = spec.embedder.file
    return load_session(folder / file, expected_sha256=spec.file(file).sha256, provider=provider)
