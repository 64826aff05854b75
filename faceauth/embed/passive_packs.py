"""A passive pack, loaded: its networks with what the manifest says of each."""

from dataclasses import dataclass, field
from pathlib import Path

from faceauth.embed.manifest import passive_spec
from faceauth.embed.passive_spec import PassiveNetworkSpec, PassiveSpec
from faceauth.embed.session import OnnxSession, load_session
from faceauth.errors import ModelError, ModelMissing


@dataclass(frozen=True, slots=True, eq=False)
class LoadedNetwork:
    """One network, ready: `input` and `output` are the names to call it with."""

    spec: PassiveNetworkSpec
    session: OnnxSession = field(repr=False)
    input: str
    output: str


@dataclass(frozen=True, slots=True, eq=False)
class PassivePack:
    """A loaded passive pack; the liveness stage is given its networks and does not know this stage."""

    name: str
    licence: str
    networks: tuple[LoadedNetwork, ...]


def load_passive_pack(name: str, models_dir: Path, manifest: Path | None = None) -> PassivePack:
    """Load an installed passive pack; every file's SHA-256 is checked before its graph is looked at (R22).

    Args:
        name: The pack's name in the manifest.
        models_dir: The models folder; the pack's files lie in its folder `name`.
        manifest: A manifest of one's own, with more packs.

    Raises:
        ConfigurationError: The manifest of one's own is wrong.
        ModelMissing: A file is not installed.
        ModelAltered: A file is not the one the manifest names, or a graph reaches outside itself.
        ModelError: There is no such pack, or a graph does not have the inputs and outputs the manifest names.
    """
    return load_passive_spec(passive_spec(name, manifest), models_dir / name)


def load_if_installed(name: str, models_dir: Path, manifest: Path | None = None) -> PassivePack | None:
    """Load a passive pack, or return nothing where there is none: the levels that name it then deny (R4).

    Args:
        name: The pack's name; nothing is loaded where it is empty.
        models_dir: The models folder.
        manifest: A manifest of one's own, with more packs.

    Raises:
        ConfigurationError, ModelAltered, ModelError: As `load_passive_pack`: what is there must be right.
    """
    if not name:
        return None
    spec = passive_spec(name, manifest)
    if not any((models_dir / name / one.name).is_file() for one in spec.files):
        return None
    return load_passive_spec(spec, models_dir / name)


def load_passive_spec(spec: PassiveSpec, folder: Path) -> PassivePack:
    """Load a passive pack from its entry and the folder of its files; see `load_passive_pack`."""
    missing = [one.name for one in spec.files if not (folder / one.name).is_file()]
    if missing:
        raise ModelMissing(
            f"The passive pack {spec.name} lacks {', '.join(missing)}. Run: faceauth models install {spec.name}"
        )
    networks = []
    for network in spec.networks:
        session = load_session(folder / network.file, expected_sha256=spec.file(network.file).sha256)
        put = _only(network.input, session.inputs, network.file)
        networks.append(LoadedNetwork(network, session, put, _only(network.output, session.outputs, network.file)))
    return PassivePack(spec.name, spec.licence, tuple(networks))


def _only(named: str | None, there: tuple[str, ...], file: str) -> str:
    """Return the name the manifest gives, or the graph's only one."""
    if named is None and len(there) == 1:
        return there[0]
    if named is None or named not in there:
        raise ModelError(f"{file} has {', '.join(there)}, and the manifest names {named or 'none of them'}.")
    return named
