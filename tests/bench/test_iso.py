"""`faceauth bench report`: the whole of it on made-up pictures, as a folder, as a .bin set and as CSV pairs."""

import json
import pickle
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import pytest

from faceauth.bench.iso import IsoResult, Run, measure_pairs, measure_people
from faceauth.bench.iso_plots import write_plots
from faceauth.bench.iso_report import as_json, as_markdown
from faceauth.errors import InvalidRequest
from tests.bench.test_accuracy import PEOPLE, PICTURES, colours, faces

__all__ = ["faces"]
RUN = Run(datetime(2026, 3, 1, tzinfo=UTC), None, None, 2, lambda *_: None)


def _people(faces: Path, labels: dict[str, dict[str, str]] | None = None) -> IsoResult:
    pack: Any = colours()
    return measure_people(faces, pack, labels or {}, RUN)


def test_the_whole_report(faces: Path, tmp_path: Path) -> None:
    """Every rate tells its trials (R3); no person and no path is named; failures to acquire come first."""
    labels = {"site": {f"P{number}": "here" if number % 2 else "there" for number in range(PEOPLE)}}
    result = _people(faces, labels)
    plots = write_plots(result, tmp_path / "out")
    assert [file.name for file in plots] == ["det.png", "scores.png", "searches.png"]
    assert all(cv2.imread(str(file)) is not None for file in plots)
    text = as_markdown(result, [file.name for file in plots])
    report = as_json(result)
    told = json.dumps(report, allow_nan=False)
    for written in (text, told):
        assert str(tmp_path) not in written
        assert "P1" not in written
    assert (report["failure_to_acquire"]["events"], report["failure_to_acquire"]["trials"]) == (
        2,
        PEOPLE * PICTURES,
    )
    assert report["failure_to_enrol"]["trials"] == PEOPLE
    assert {(one["frames"], one["attempts"]) for one in report["transactions"]} == {(1, 1), (3, 1)}
    assert {one["gallery"] for one in report["searches"]} == {10, PEOPLE - 1}
    groups = {one["label"]: one for one in report["subgroups"]}
    assert groups["here"]["people"] + groups["there"]["people"] == PEOPLE
    within = groups["here"]["at"][0]["fmr"]["trials"] + groups["there"]["at"][0]["fmr"]["trials"]
    assert 0 < within < report["singles"][0]["fmr"]["trials"]
    # Rule of 3: every part of the report with too few trials says so, not the whole set alone.
    warned = "\n".join(report["warnings"])
    for part in (
        "fmr-1e-5 needs 300,000",
        "transactions, 1 × 1:",
        "searches of 10 people:",
        "subgroup site: here:",
    ):
        assert part in warned
    assert all(line in text for line in report["warnings"])
    assert "| failure to acquire (FTA) |" in text
    assert "site: here" in text


def test_a_label_that_nobody_has(faces: Path) -> None:
    with pytest.raises(InvalidRequest, match="labels nobody"):
        _people(faces, {"site": {"somebody else": "here"}})


def test_a_bin_set_and_csv_pairs(faces: Path, tmp_path: Path) -> None:
    """The same pairs in both forms give the same rates, and neither knows people."""
    named = [(f"P{a}/P{a}_0001.png", f"P{b}/P{b}_0002.png") for a in range(10) for b in (a, a + 1)]
    mated = [number % 2 == 0 for number in range(20)]
    encoded = [(faces / name).read_bytes() for pair in named for name in pair]
    set_file = tmp_path / "set.bin"
    set_file.write_bytes(pickle.dumps((encoded, mated), protocol=4))
    listed = tmp_path / "pairs.csv"
    rows = [f"{one},{other},{int(same)}" for (one, other), same in zip(named, mated, strict=True)]
    listed.write_text("\n".join(["first,second,mated", *rows]) + "\n")
    pack: Any = colours()
    results = [measure_pairs(set_file, None, pack, RUN), measure_pairs(faces, listed, pack, RUN)]
    reports = [as_json(result) for result in results]
    assert reports[0]["singles"] == reports[1]["singles"]
    assert reports[0]["pairs"] == reports[1]["pairs"]
    assert reports[0]["pairs"]["pairs"] == 20
    assert reports[0]["dataset"]["people"] is None
    assert reports[0]["searches"] == reports[0]["transactions"] == []
    assert "Pairs told right" in as_markdown(results[0], [])


def test_one_person_makes_no_report(faces: Path, tmp_path: Path) -> None:
    """Without non-mated comparisons there is nothing to tell."""
    alone = tmp_path / "alone"
    alone.mkdir()
    (faces / "P2").rename(alone / "P2")
    with pytest.raises(InvalidRequest, match="two people"):
        _people(alone)
