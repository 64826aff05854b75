"""The index benchmark: galleries of the right shape, contenders that answer alike, and goals told honestly."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from faceauth.bench.index_contenders import Contender, Faiss, Floats, Ours, contenders
from faceauth.bench.index_plots import write_index_plots
from faceauth.bench.index_race import Measured, Times, exponent, race
from faceauth.bench.index_run import EXACT, OURS, IndexBench, as_json, goals, measure_index
from faceauth.bench.index_shape import (
    QUANTILES,
    Population,
    Shape,
    load_shape,
    measure_shape,
    non_mated_quantiles,
)
from faceauth.bench.index_startup import measure_startup
from faceauth.cli import app
from faceauth.errors import InvalidRequest

MEDIAN = QUANTILES.index(0.5)


def quiet(_label: str, _done: int, _total: int) -> None:
    """Progress that nobody looks at."""


@pytest.mark.parametrize("pack", ["open", "retail"])
def test_a_gallery_is_as_alike_as_the_people_measured(pack: str) -> None:
    """Scores of strangers lie where those of LFW do: the middle closely, the rare ones roughly."""
    shape = load_shape(pack)
    drawn = non_mated_quantiles(Population(shape).gallery(5_000))
    for quantile in (0.05, 0.5, 0.95):
        at = QUANTILES.index(quantile)
        assert drawn[at] == pytest.approx(shape.non_mated[at], abs=0.02)


def test_probes_have_the_mated_scores_measured() -> None:
    shape = load_shape("open")
    people = Population(shape)
    rows = people.gallery(4_000)
    probes, scores = people.probes(rows)
    assert np.einsum("nd,nd->n", probes, rows) == pytest.approx(scores, abs=1e-5)
    assert np.linalg.norm(probes, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.median(scores) == pytest.approx(shape.mated[MEDIAN], abs=0.005)


def test_the_same_seed_draws_the_same_people() -> None:
    first, second = (Population(load_shape("open"), seed=3).gallery(10) for _ in range(2))
    assert (first == second).all()
    assert (first != Population(load_shape("open"), seed=4).gallery(10)).any()


def test_a_shape_is_measured_and_drawn_again() -> None:
    people = Population(load_shape("open"))
    rows = people.gallery(600)
    again, _ = people.probes(rows)
    shape = measure_shape(np.concatenate([rows, again]), [str(n) for n in range(600)] * 2, source="drawn")
    assert shape.dimension == 128
    assert shape.mated[MEDIAN] == pytest.approx(load_shape("open").mated[MEDIAN], abs=0.01)
    # Probes lie a little farther out than references, so strangers are a little less alike.
    assert shape.non_mated[MEDIAN] == pytest.approx(load_shape("open").non_mated[MEDIAN], abs=0.05)


def test_a_shape_needs_pictures_and_pairs() -> None:
    rows = Population(load_shape("open")).gallery(200)
    with pytest.raises(InvalidRequest, match="two pictures"):
        measure_shape(rows, [str(n) for n in range(200)], source="x")
    with pytest.raises(InvalidRequest, match="more pictures"):
        measure_shape(rows[:100], ["a"] * 100, source="x")
    with pytest.raises(InvalidRequest, match="only of open, retail"):
        load_shape("nonesuch")


def test_another_dimension_keeps_the_mated_scores() -> None:
    shape = load_shape("open").in_dimension(64)
    people = Population(shape)
    rows = people.gallery(2_000)
    assert rows.shape == (2_000, 64)
    assert np.median(people.probes(rows)[1]) == pytest.approx(shape.mated[MEDIAN], abs=0.01)


class Wrong(Faiss):
    """Finds nobody."""

    def search(self, queries: Floats, k: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        return np.full((len(queries), k), -1, np.int64)


def test_every_contender_is_timed_and_checked() -> None:
    people = Population(load_shape("open"))
    rows = people.gallery(1_500)
    probes, _ = people.probes(rows[:40])
    taking_part, _ = contenders(len(rows), graphs_up_to=2_000)
    exact = taking_part[0]
    assert isinstance(exact, Faiss)
    wrong: Contender = Wrong("wrong", exact.make)
    found = {one.name: one for one in race([*taking_part, wrong], rows, probes, rounds=10, progress=quiet)}
    assert found[EXACT].agreement == found["numpy float32"].agreement == found[OURS].agreement == 1.0
    assert found["wrong"].agreement == found["wrong"].mate_first == 0.0
    for one in found.values():
        assert one.query is not None
        assert 0 < one.query.p50 <= one.query.p99
        assert (one.over_bound is None) == (one.scanned_bytes is None)
    assert found[EXACT].of_exact == 1.0
    assert found["numpy float32"].delete is None
    assert found[OURS].replace is not None


def test_graphs_stay_out_of_large_galleries() -> None:
    taking_part, missing = contenders(1_000_000, graphs_up_to=100_000)
    assert not any("HNSW" in one.name for one in taking_part)
    assert "Graphs" in missing[0]


def test_contenders_are_chosen_by_their_names_and_the_exact_search_always_takes_part() -> None:
    taking_part, _ = contenders(1_000, graphs_up_to=0, wanted=["auto", "IVF"])
    assert [one.name for one in taking_part] == [EXACT, OURS, "FAISS IVF, 32 lists"]


def test_our_index_answers_with_row_numbers_and_forgets_deleted_ones() -> None:
    rows = Population(load_shape("open")).gallery(50)
    ours = Ours("auto")
    ours.build(rows)
    assert ours.search(rows[:5], 1)[:, 0].tolist() == [0, 1, 2, 3, 4]
    ours.delete(3)
    assert ours.search(rows[3:4], 10)[0, 0] != 3
    ours.add(60, rows[3])
    assert ours.search(rows[3:4], 1)[0, 0] == 60


def test_a_start_is_timed_part_by_part(tmp_path: Path) -> None:
    rows = Population(load_shape("open")).gallery(90)
    told: list[str] = []
    started = measure_startup(rows, folder=tmp_path, progress=lambda label, *_: told.append(label))
    assert (started.references, started.dimension) == (90, 128)
    assert min(started.read_s, started.unwrap_s, started.open_s, started.add_s, started.per_s) > 0
    assert {label.split(": ")[1] for label in told} == {"sealing", "opening"}


def test_the_exponent_is_the_slope() -> None:
    assert exponent([10, 100, 1_000], [3, 30, 300]) == pytest.approx(1)
    assert exponent([10, 100], [5, 5]) == pytest.approx(0)
    assert exponent([10], [5]) is None
    assert exponent([10, 100], [0, 5]) is None


def measured(**changes: Any) -> Measured:
    times = Times(1.0, 2.0, 1.0)
    good = Measured(OURS, 1_000_000, 128, 1.0, 1, query=times, delete=Times(0.1, 0.2, 0.1))
    good.agreement, good.of_exact, good.over_bound = 1.0, 16.0, 1.4
    return replace(good, **changes)


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({}, None),
        ({"agreement": 0.999}, "rank 1"),
        ({"of_exact": 14.9}, "15"),
        ({"delete": Times(0.5, 1.1, 0.5)}, "delete"),
        ({"over_bound": 1.51}, "bound"),
        ({"over_bound": None}, "bound"),
    ],
)
def test_a_missed_goal_is_said(changes: dict[str, object], missed: str | None) -> None:
    smaller = replace(measured(), rows=10_000, agreement=0.0)
    found = IndexBench(load_shape("open"), 1, (), (smaller, measured(**changes)), (), ())
    told = [name for name, goal in goals(found).items() if not goal["holds"]]
    assert [missed in name for name in told] == ([True] if missed else []) if missed else not told
    assert all(goal["rows"] == 1_000_000 for goal in goals(found).values())


def test_the_report_and_the_plots(tmp_path: Path) -> None:
    shape: Shape = load_shape("open").in_dimension(32)
    found = measure_index(
        shape, [300, 100], probes=20, rounds=10, startup_up_to=100, graphs_up_to=0, progress=quiet
    )
    report = json.loads(json.dumps(as_json(found)))
    assert report["schema"] == "faceauth/bench/index/v1"
    assert {one["rows"] for one in report["measured"]} == {100, 300}
    assert [one["references"] for one in report["startup"]] == [100]
    assert report["growth"][EXACT]["query_p50"] is not None
    assert len(report["shape"]["mated"]) == len(report["drawn_non_mated"]) == len(QUANTILES)
    for file in write_index_plots(found, tmp_path):
        assert file.read_bytes().startswith(b"\x89PNG")


def test_the_command_writes_and_tells(tmp_path: Path) -> None:
    options = ["--rows", "1000", "--dimension", "32", "--rounds", "10", "--probes", "10", "--startup-up-to", "0"]
    ran = CliRunner().invoke(app, ["bench", "index", *options, "--out", str(tmp_path), "--json"])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout) == json.loads((tmp_path / "index.json").read_text())
    assert CliRunner().invoke(app, ["bench", "index", "--data", str(tmp_path / "none")]).exit_code == 1
