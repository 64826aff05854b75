"""The one report: every kept result is read, what is odd is told, and a page holds all of it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from faceauth.bench.sections import ORDER
from faceauth.bench.whole import read_sections, write_whole
from faceauth.errors import InvalidRequest

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_every_kept_result_is_read() -> None:
    """R3: and each tells commit, machine and date beside its rows, which are all as long as the head."""
    known = [
        file
        for file in RESULTS.rglob("*.json")
        if json.loads(file.read_text(encoding="utf-8")).get("schema") in ORDER
    ]
    sections = read_sections(RESULTS)
    assert len(sections) == len(known) >= 10
    for one in sections:
        assert one.made.startswith("2026-")
        assert "commit " in one.made
        assert one.rows
        assert {len(row) for row in one.rows} == {len(one.head)}


def test_the_page_stands_alone(tmp_path: Path) -> None:
    """Pictures are inside it, and nothing comes from elsewhere."""
    html, markdown = write_whole(tmp_path / "out", read=RESULTS, failed=["pad: <no camera>"], made_at=NOW)
    page = html.read_text(encoding="utf-8")
    assert "pad: &lt;no camera&gt;" in page
    assert 'src="data:image/png;base64,iVBOR' in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    text = markdown.read_text(encoding="utf-8")
    assert "**Not measured:** pad" in text
    linked = [line.split("](")[1].rstrip(")") for line in text.splitlines() if line.startswith("![")]
    assert linked
    assert all((markdown.parent / one).resolve().is_file() for one in linked)


def test_a_broken_result_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text('{"schema": "faceauth/bench/speed/v1"}', encoding="utf-8")
    with pytest.raises(InvalidRequest, match=r"odd\.json is no report"):
        read_sections(tmp_path)


def test_other_json_is_left_alone_and_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('[{"schema": "x"}]', encoding="utf-8")
    with pytest.raises(InvalidRequest, match="no benchmark's JSON"):
        write_whole(tmp_path, made_at=NOW)


def test_streamed_logins_stand_beside_the_posted_ones(tmp_path: Path) -> None:
    """A report of before they, and the start, were measured is read as well."""
    kept = json.loads((RESULTS / "service" / "service.json").read_text(encoding="utf-8"))
    kept["databases"] = {"SQLite": kept["databases"]["SQLite"]}
    starts = kept.pop("starts")
    del kept["databases"]["SQLite"]["streamed"]
    (tmp_path / "service.json").write_text(json.dumps(kept), encoding="utf-8")
    (before,) = read_sections(tmp_path)
    assert {row[1] for row in before.rows} == {"HTTP"}
    assert not any("enrolled" in note for note in before.notes)
    level = {
        "at_once": 4,
        "per_s": 1.25,
        "lag_ms": {"n": 900, "p50": 11, "p95": 12, "p99": 13, "max": 14},
        "decision_ms": {"n": 20, "p50": 101, "p95": 102, "p99": 103, "max": 104},
        "outcomes": {"accepted": 20},
        "cpu_ms_a_login": 950,
        "resident_mb": 480,
    }
    kept["databases"]["SQLite"]["streamed"] = [level]
    kept["starts"] = starts
    (tmp_path / "service.json").write_text(json.dumps(kept), encoding="utf-8")
    (section,) = read_sections(tmp_path)
    assert [row[1] for row in section.rows] == ["HTTP"] * (len(section.rows) - 1) + ["WebSocket"]
    assert section.rows[-1][:6] == ("SQLite", "WebSocket", "4", "1.25", "101", "102")
    assert any("guidance on a frame after 11, 12, 13 ms" in note for note in section.notes)
    assert sum("people enrolled the service is ready" in note for note in section.notes) == len(starts)
