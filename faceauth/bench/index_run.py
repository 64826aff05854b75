"""The whole of `faceauth bench index`: every size, the start, how each grows, and which goals hold."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from faceauth.bench.index_contenders import contenders
from faceauth.bench.index_race import Measured, Progress, exponent, race
from faceauth.bench.index_shape import Population, Shape, non_mated_quantiles, shape_json
from faceauth.bench.index_startup import StartUp, measure_startup
from faceauth.bench.machine import environment_json

SCHEMA: Final = "faceauth/bench/index/v1"
EXACT: Final = "FAISS Flat float32"
OURS: Final = "faceauth auto"


@dataclass(frozen=True, slots=True)
class IndexBench:
    """All that was measured. `drawn_non_mated` are the largest gallery's scores at the shape's quantiles."""

    shape: Shape
    seed: int
    drawn_non_mated: tuple[float, ...]
    measured: tuple[Measured, ...]
    startups: tuple[StartUp, ...]
    notes: tuple[str, ...]

    def of(self, name: str) -> list[Measured]:
        """Return what one contender did, by size."""
        return sorted((one for one in self.measured if one.name == name), key=lambda one: one.rows)

    def names(self) -> list[str]:
        """Return who took part, in order."""
        return list(dict.fromkeys(one.name for one in self.measured))


def measure_index(
    shape: Shape,
    sizes: Sequence[int],
    *,
    probes: int,
    rounds: int,
    startup_up_to: int,
    graphs_up_to: int,
    wanted: Sequence[str] = (),
    seed: int = 1,
    progress: Progress,
) -> IndexBench:
    """Race at every size, and fill an index from sealed records up to a size.

    Args:
        shape: What the embeddings are like.
        sizes: How many people are searched.
        probes: How many searches are checked.
        rounds: How many searches are timed.
        startup_up_to: The largest gallery that is sealed and opened again.
        graphs_up_to: The largest that graphs are built of.
        wanted: Who takes part; see `contenders`.
        seed: Who the people are.
        progress: Is told what is done.
    """
    measured: list[Measured] = []
    startups: list[StartUp] = []
    notes: list[str] = []
    drawn: tuple[float, ...] = ()
    for size in sorted(set(sizes)):
        population = Population(shape, seed=seed)
        rows = population.gallery(size)
        drawn = non_mated_quantiles(rows)
        probing, _ = population.probes(rows[: min(probes, size)])
        taking_part, missing = contenders(size, graphs_up_to=graphs_up_to, wanted=wanted)
        notes += [line for line in missing if line not in notes]
        measured += race(taking_part, rows, probing, rounds=rounds, progress=progress)
        # The contenders hold as many copies of the rows as there are of them.
        del taking_part
        if size <= startup_up_to:
            startups.append(measure_startup(rows, progress=progress))
    return IndexBench(shape, seed, drawn, tuple(measured), tuple(startups), tuple(notes))


def as_json(found: IndexBench) -> dict[str, Any]:
    """Return the report."""
    return {
        "schema": SCHEMA,
        **environment_json(),
        "shape": shape_json(found.shape),
        "drawn_non_mated": found.drawn_non_mated,
        "seed": found.seed,
        "measured": [asdict(one) for one in found.measured],
        "startup": [{**asdict(one), "per_s": one.per_s} for one in found.startups],
        "growth": growth(found),
        "goals": goals(found),
        "notes": found.notes,
    }


def growth(found: IndexBench) -> dict[str, dict[str, float | None]]:
    """Return the exponents: how a query's median, its CPU and building grow with the number of rows."""
    told: dict[str, dict[str, float | None]] = {}
    for name in found.names():
        of_one = [one for one in found.of(name) if one.query is not None]
        sizes = [one.rows for one in of_one]
        told[name] = {
            "query_p50": exponent(sizes, [one.query.p50 for one in of_one if one.query]),
            "query_cpu": exponent(sizes, [one.query.cpu_p50 for one in of_one if one.query]),
            "build": exponent(sizes, [one.build_s for one in of_one]),
        }
    if found.startups:
        sizes = [one.references for one in found.startups]
        told["start-up"] = {"seconds": exponent(sizes, [one.seconds for one in found.startups])}
    return told


def goals(found: IndexBench) -> dict[str, dict[str, Any]]:
    """Return issue 4's goals at the largest size measured, with the figure and whether it holds there."""
    largest = max(one.rows for one in found.measured)
    ours = next((one for one in found.of(OURS) if one.rows == largest), None)
    if ours is None:
        return {}
    delete = ours.delete.p99 if ours.delete else None
    figures: dict[str, tuple[float | None, bool]] = {
        "rank 1 equal to exact, share of probes": (ours.agreement, ours.agreement == 1.0),
        "a query's CPU below exact float32's, times (at least 15)": (ours.of_exact, (ours.of_exact or 0) >= 15),
        "delete, p99 in ms (under 1)": (delete, delete is not None and delete < 1),
        "a query's CPU over the bound by memory, times (within 1.5)": (
            ours.over_bound,
            ours.over_bound is not None and ours.over_bound <= 1.5,
        ),
    }
    return {name: {"rows": largest, "figure": figure, "holds": holds} for name, (figure, holds) in figures.items()}
