"""Model packs as administrators see them: which serve, what was measured, and who is enrolled with each model.

No threshold is told, which would help whoever tries faces (R24), and no number of few people.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from faceauth.bench.rates import Rate
from faceauth.embed.fileset import FileSet
from faceauth.embed.install import is_installed
from faceauth.embed.manifest import PackSpec, PointSpec, load_manifest
from faceauth.errors import ApprovalRequired
from faceauth.installation import Installation
from faceauth.vault.enrolled import count_enrolled, models_enrolled

State = Literal["installed", "missing", "not_installable"]


@dataclass(frozen=True, slots=True)
class Point:
    """One operating point: FMR and FNMR as measured, with their numbers and 95 % intervals (R3)."""

    name: str
    fmr: float
    fmr_lower: float
    fmr_upper: float
    comparisons: int
    fnmr: Rate
    source: str


@dataclass(frozen=True, slots=True)
class Enrolled:
    """People and references of a scenario; None where it is somebody, but fewer than may be told of."""

    scenario: str
    people: int | None
    references: int | None


@dataclass(frozen=True, slots=True)
class PackInUse:
    """One pack. `serves` says whether it decides now, or only for people of before; digests are in hexadecimal."""

    name: str
    title: str
    kind: Literal["embedder", "passive"]
    state: State
    serves: Literal["now", "before"] | None
    licence: str
    licence_url: str
    digest: str | None
    model: str | None
    points: tuple[Point, ...]
    enrolled: tuple[Enrolled, ...]


@dataclass(frozen=True, slots=True)
class Moving:
    """How far a change of model is in one scenario; None where it is fewer people than may be told of."""

    scenario: str
    moved: int | None
    left: int | None


@dataclass(frozen=True, slots=True)
class InUse:
    """All of it. `elsewhere` are people enrolled with models that no pack of the manifest is."""

    packs: tuple[PackInUse, ...]
    moving: tuple[Moving, ...]
    elsewhere: Mapping[str, tuple[Enrolled, ...]]
    decides: bool


@dataclass(frozen=True, slots=True)
class Packs:
    """Tells of the packs of one installation."""

    here: Installation

    @classmethod
    def of(cls, installation: Installation) -> "Packs":
        """Return it for an opened installation."""
        return cls(installation)

    def in_use(self, *, tenant: str) -> InUse:
        """Return every pack of the manifest and every model that somebody of the tenant is enrolled with.

        Raises:
            ConfigurationError: the manifest of one's own is wrong.
        """
        here = self.here
        counts = self._counts(tenant)
        told = {model: tuple(self._told(one, *both) for one, both in of.items()) for model, of in counts.items()}
        found = load_manifest(here.settings.models_manifest).all.values()
        packs = tuple(self._pack(spec, told) for spec in found)
        known = {one.model for one in packs}
        return InUse(
            packs=packs,
            moving=self._moving(counts),
            elsewhere={model: people for model, people in told.items() if people and model not in known},
            decides=self._decides(),
        )

    def _counts(self, tenant: str) -> dict[str, dict[str, tuple[int, int]]]:
        """Return people and references by model and scenario."""
        found = {}
        with self.here.data.read() as conn:
            for digest in models_enrolled(conn):
                every = count_enrolled(conn, model_digest=digest)
                mine = {one.scenario: (one.accounts, one.references) for one in every if one.tenant == tenant}
                found[digest.hex()] = mine
        return found

    def _moving(self, counts: Mapping[str, Mapping[str, tuple[int, int]]]) -> tuple[Moving, ...]:
        if self.here.before is None:
            return ()
        new, old = (
            counts.get(pack.embedder.model_digest.hex(), {}) for pack in (self.here.pack, self.here.before)
        )
        return tuple(
            Moving(name, self._enough(new.get(name, (0, 0))[0]), self._enough(old.get(name, (0, 0))[0]))
            for name in sorted({*new, *old})
        )

    def _decides(self) -> bool:
        try:
            self.here.thresholds.require()
        except ApprovalRequired:
            return False
        return True

    def _pack(self, spec: FileSet, told: Mapping[str, tuple[Enrolled, ...]]) -> PackInUse:
        here = self.here
        embedder = spec if isinstance(spec, PackSpec) else None
        model = None if embedder is None else embedder.model_digest().hex()
        before = None if here.before is None else here.before.name
        now = {here.pack.name} | ({here.passive.name} if here.passive is not None else set())
        return PackInUse(
            name=spec.name,
            title=spec.title,
            kind="passive" if embedder is None else "embedder",
            state=self._state(spec),
            serves="now" if spec.name in now else "before" if spec.name == before else None,
            licence=spec.licence,
            licence_url=str(spec.licence_url),
            digest=None if embedder is None else embedder.pack_digest().hex(),
            model=model,
            points=() if embedder is None else tuple(_point(*one) for one in embedder.operating_points.items()),
            enrolled=told.get(model, ()) if model else (),
        )

    def _state(self, spec: FileSet) -> State:
        if spec.not_installable:
            return "not_installable"
        there = is_installed(spec.name, self.here.settings.models_dir, self.here.settings.models_manifest)
        return "installed" if there else "missing"

    def _told(self, scenario: str, people: int, references: int) -> Enrolled:
        enough = self._enough(people)
        return Enrolled(scenario, enough, None if enough is None else references)

    def _enough(self, people: int) -> int | None:
        """Return how many, or None where it is somebody but fewer than a group that may be told of."""
        return people if people == 0 or people >= self.here.settings.administration.minimum_group else None


def _point(name: str, one: PointSpec) -> Point:
    missed = Rate(round(one.fnmr * one.mated), one.mated)
    return Point(name, one.fmr, one.fmr_lower, one.fmr_upper, one.comparisons, missed, one.source)
