"""The rates of ISO/IEC 30107-3 from judged trials: worst species, never an average (R5); injection apart (R6)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from faceauth.bench.machine import environment_json
from faceauth.bench.pad import THRESHOLDS, Trial
from faceauth.bench.pad_items import BONA_FIDE
from faceauth.bench.rates import Rate
from faceauth.liveness.profiles import PROFILES


@dataclass(frozen=True, slots=True)
class SpeciesResult:
    """How one species, or bona fide presentations, fared at one level.

    `wrong` is the APCER of an attack (accepted), the BPCER of bona fide (not accepted, or asked once more); it
    counts those that were judged, and is None if none was. `no_response` counts all: APNRR and BPNRR.
    """

    species: str
    channel: str
    wrong: Rate | None
    unclear: int
    no_response: Rate
    by: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return it as a report holds it."""
        return {
            "species": self.species,
            "channel": self.channel,
            "rate": None if self.wrong is None else self.wrong.as_json(),
            "unclear": self.unclear,
            "no_response": self.no_response.as_json(),
            "by": dict(self.by),
        }


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate's measured value alone, at the shipped threshold.

    `wrong` is the share of attacks at or above it, `missed` that of bona fide below it, of those measured.
    """

    gate: str
    name: str
    wrong: Mapping[str, Rate]
    missed: Rate | None


@dataclass(frozen=True, slots=True)
class LevelResult:
    """All that was found at one level; `attacks` with the worst first."""

    level: str
    bona_fide: SpeciesResult | None
    attacks: tuple[SpeciesResult, ...]
    injections: tuple[SpeciesResult, ...]
    gates: tuple[GateResult, ...]

    @property
    def worst(self) -> SpeciesResult | None:
        """The presentation species with the highest APCER; by the upper limit where several share it."""
        return next((one for one in self.attacks if one.wrong is not None), None)


def summarise(trials: Sequence[Trial]) -> list[LevelResult]:
    """Count trials, level by level in the order they came."""
    return [_level(name, [one for one in trials if one.level == name]) for name in _in_order(trials)]


def _in_order(trials: Sequence[Trial]) -> list[str]:
    return list(dict.fromkeys(one.level for one in trials))


def _level(name: str, trials: Sequence[Trial]) -> LevelResult:
    kinds = sorted({(one.channel, one.species) for one in trials})
    found = [_species([one for one in trials if (one.channel, one.species) == kind]) for kind in kinds]
    attacks = sorted((one for one in found if one.species != BONA_FIDE), key=_badness, reverse=True)
    return LevelResult(
        level=name,
        bona_fide=next((one for one in found if one.species == BONA_FIDE), None),
        attacks=tuple(one for one in attacks if one.channel == "presentation"),
        injections=tuple(one for one in attacks if one.channel == "injection"),
        gates=tuple(_gates(trials)),
    )


def _badness(one: SpeciesResult) -> tuple[float, float]:
    return (-1.0, 0.0) if one.wrong is None else (one.wrong.value, one.wrong.interval[1])


def _species(trials: Sequence[Trial]) -> SpeciesResult:
    judged = [one for one in trials if one.verdict != "no response"]
    accepted = sum(one.verdict == "accepted" for one in judged)
    wrong = len(judged) - accepted if trials[0].bona_fide else accepted
    return SpeciesResult(
        species=trials[0].species,
        channel=trials[0].channel,
        wrong=Rate(wrong, len(judged)) if judged else None,
        unclear=sum(one.verdict == "unclear" for one in judged),
        no_response=Rate(len(trials) - len(judged), len(trials)),
        by=dict(Counter(f"{one.by}?" if one.verdict == "unclear" else one.by for one in trials if one.by)),
    )


def _gates(trials: Sequence[Trial]) -> Iterator[GateResult]:
    for key, threshold in THRESHOLDS.items():
        measured = [(one, one.values[key]) for one in trials if key in one.values]
        if not measured:
            continue
        profile = PROFILES.get(trials[0].level, PROFILES["motion+passive"])
        least = getattr(profile, threshold) if isinstance(threshold, str) else threshold
        real = [value >= least for one, value in measured if one.bona_fide]
        species = sorted({one.species for one, _ in measured if not one.bona_fide})
        passed = {name: [value >= least for one, value in measured if one.species == name] for name in species}
        yield GateResult(
            gate=key[0],
            name=key[1],
            wrong={name: Rate(sum(found), len(found)) for name, found in passed.items()},
            missed=Rate(len(real) - sum(real), len(real)) if real else None,
        )


def as_json(results: Sequence[LevelResult], *, pack: str, passive: str) -> dict[str, Any]:
    """Return the whole report as JSON values; no measured value of any single presentation is in it."""
    return {
        "schema": "faceauth/bench/pad/v1",
        **environment_json(),
        "pack": pack,
        "passive": passive,
        "levels": [
            {
                "level": one.level,
                "worst_species": None if one.worst is None else one.worst.species,
                "bona_fide": None if one.bona_fide is None else one.bona_fide.as_json(),
                "attacks": [attack.as_json() for attack in one.attacks],
                "injections": [attack.as_json() for attack in one.injections],
                "gates": [
                    {
                        "gate": gate.gate,
                        "value": gate.name,
                        "bpcer": None if gate.missed is None else gate.missed.as_json(),
                        "apcer": {name: rate.as_json() for name, rate in gate.wrong.items()},
                    }
                    for gate in one.gates
                ],
            }
            for one in results
        ],
    }


def as_markdown(results: Sequence[LevelResult], plots: Sequence[str], *, pack: str, passive: str) -> str:
    """Return the report as a page."""
    lines = [
        "# Presentation attacks",
        "",
        f"Pack `{pack}`, passive pack `{passive or 'none'}`. Rates are told with their 95 % interval and their",
        "trials; each species stands for itself, and none is averaged with another (ISO/IEC 30107-3). This is no",
        "test to ISO/IEC 30107-3 or CEN/TS 18099.",
    ]
    for one in results:
        lines += ["", f"## {one.level}", ""]
        if one.worst is not None:
            lines += [f"Worst species: **{one.worst.species}**, APCER {one.worst.wrong}.", ""]
        lines += ["| presented | APCER or BPCER | no response | asked once more | by |", "|---|---|---|---|---|"]
        everything = [one.bona_fide] if one.bona_fide else []
        lines += [_row(found) for found in (*everything, *one.attacks)]
        if one.injections:
            lines += ["", "Injected, past the camera (told apart, R6):", ""]
            lines += ["| injected | accepted | no response | asked once more | by |", "|---|---|---|---|---|"]
            lines += [_row(found) for found in one.injections]
        if one.gates:
            lines += ["", "Each gate's value alone, at the shipped threshold:", ""]
            lines += ["| gate | BPCER | APCER of each species |", "|---|---|---|"]
            lines += [_gate_row(gate) for gate in one.gates]
    return "\n".join([*lines, "", *(f"![{name}]({name})" for name in plots), ""])


def _row(one: SpeciesResult) -> str:
    by = ", ".join(f"{name} {count}" for name, count in sorted(one.by.items(), key=lambda item: -item[1]))
    wrong = "nothing was judged" if one.wrong is None else str(one.wrong)
    return f"| {one.species} | {wrong} | {one.no_response} | {one.unclear} | {by} |"


def _gate_row(gate: GateResult) -> str:
    wrong = "; ".join(f"{name} {rate}" for name, rate in gate.wrong.items())
    return f"| {gate.gate}: {gate.name} | {'' if gate.missed is None else gate.missed} | {wrong} |"
