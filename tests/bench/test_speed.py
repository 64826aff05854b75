"""`faceauth bench speed`: contenders run in turn, and times are told an item; int8 keeps the graph's form."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from faceauth.bench.contenders import Entrant, camera_sized, embedding
from faceauth.bench.quantised import embedder_bytes, embedder_on, quantise
from faceauth.bench.speed import WARM_UP, Contender, race
from faceauth.cli import app
from faceauth.embed.manifest import pack_spec
from faceauth.embed.packs import load_pack
from faceauth.errors import InvalidRequest


def _quiet(label: str, done: int, total: int) -> None:
    """Tell nobody."""


def _note(seen: list[str], name: str, _item: object) -> None:
    seen.append(name)


def test_contenders_run_in_turn() -> None:
    """Each runs once a round, and another one begins every round."""
    seen: list[str] = []
    racing = [Contender("s", name, partial(_note, seen, name)) for name in "abc"]
    timings = race(racing, rounds=2, progress=_quiet)
    assert len(seen) == 3 * (2 + WARM_UP)
    assert ["".join(seen[at : at + 3]) for at in range(0, 9, 3)] == ["abc", "bca", "cab"]
    assert [one.name for one in timings] == ["a", "b", "c"]
    assert (timings[0].ratio, timings[0].cpu_ratio) == (1.0, 1.0)


def test_times_are_told_an_item() -> None:
    """Twice the work for four times the items is half the time an item."""

    def work(times: int) -> None:
        sum(number for number in range(100_000 * times))

    once = Contender("s", "one", lambda _: work(1))
    four = Contender("s", "four", lambda _: work(2), items=4)
    timings = race([once, four], rounds=15, progress=_quiet)
    assert timings[1].batch == 4
    assert 0.25 < timings[1].cpu_ratio < 0.9


@pytest.mark.parametrize("rounds", [0, 1])
def test_nobody_to_run(rounds: int) -> None:
    with pytest.raises(InvalidRequest):
        race([Contender("s", "a", lambda _: None)] if rounds == 0 else [], rounds=rounds, progress=_quiet)


def test_a_picture_is_brought_to_the_cameras_size() -> None:
    """It keeps its shape, in the middle."""
    canvas = camera_sized(np.full((250, 250, 3), 9, np.uint8))
    assert canvas.shape == (480, 640, 3)
    assert canvas[:, 80:560].min() == 9
    assert canvas[:, :80].max() == canvas[:, 560:].max() == 0


def test_an_accelerator_races_beside_the_cpu(models_dir: Path) -> None:
    """The loaded pack runs on what the settings say; its graph on the CPU takes part all the same."""
    spec, folder = pack_spec("open"), models_dir / "open"
    pack = load_pack("open", models_dir)
    try:
        # None is at hand: the CPU stands in for it.
        entrant = Entrant(pack, spec, folder, embedder_bytes(spec, folder), None, "cuda")
        racing = embedding([entrant], batch=2, from_dir=None, models_dir=models_dir)
        mine = [one for one in racing if one.name.startswith("open")]
        assert [(one.name, one.threads) for one in mine] == [("open", 1), ("open", 2), ("open, cuda", 1)]
        mine[-1].work(0)
    finally:
        pack.close()


@pytest.mark.parametrize("command", ["accuracy", "report", "speed", "recognition"])
def test_no_benchmark_falls_back_to_the_cpu(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """A figure told of an accelerator would be the processor's."""
    (tmp_path / "somebody").mkdir()
    (tmp_path / "somebody" / "1.jpg").write_bytes(b"")
    monkeypatch.setenv("FACEAUTH_MODELS_DIR", str(models_dir.absolute()))
    monkeypatch.setenv("FACEAUTH_INFERENCE__PROVIDER", "coreml")
    refused = CliRunner().invoke(app, ["bench", command, "--data", str(tmp_path), "--pack", "open"])
    assert refused.exit_code == 1
    assert "has no provider coreml" in refused.stderr


def test_int8_is_smaller_and_near(models_dir: Path) -> None:
    """The quantised network of `open` is a third of the size and points where the other points."""
    spec, folder = pack_spec("open"), models_dir / "open"
    graph = embedder_bytes(spec, folder)
    chips = list(np.random.default_rng(1).integers(0, 256, (4, 150, 150, 3), np.uint8))
    int8 = quantise(spec, graph, chips)
    assert len(int8) < len(graph) / 3
    plain = embedder_on(spec, graph, threads=1).embed(chips)
    assert np.einsum("nd,nd->n", plain, embedder_on(spec, int8, threads=2).embed(chips)).min() > 0.98
