"""`faceauth bench pad` on the command line."""

import json
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import Result

from faceauth.bench.accuracy import detector_of, service_detector
from faceauth.cli.bench_pad import Wanted
from faceauth.embed.install import install
from faceauth.settings import load_settings
from faceauth.types import Frame

Cli = Callable[..., Result]


def test_what_was_observed(cli: Cli, home: Path) -> None:
    assert cli("init").exit_code == 0
    nothing = cli("bench", "pad", "--observed")
    assert nothing.exit_code == 0
    assert "FACEAUTH_LIVENESS__OBSERVE" in nothing.stdout
    assert json.loads(cli("bench", "pad", "--observed", "--json").stdout) == {"levels": {}, "gates": []}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "--fixtures"),
        (["--labels", "x.csv", "--fixtures", "1"], "--data"),
        (["--data", ".", "--fixtures", "1"], "or a number"),
        (["--data", "nonesuch"], "nonesuch"),
        (["--data", ".", "--level", "nonesuch"], "Known ones"),
    ],
)
def test_what_it_cannot_do(cli: Cli, home: Path, arguments: list[str], told: str) -> None:
    refused = cli("bench", "pad", *arguments)
    assert refused.exit_code == 1
    assert told in refused.stderr


def test_it_sees_what_the_service_sees(home: Path, models_dir: Path) -> None:
    """A face too small for a login is none here either, though data sets are searched for smaller ones."""
    photo = distribution("insightface").locate_file("insightface/data/images/t1.jpg")
    read = cv2.imread(str(photo))
    assert read is not None
    pixels = np.asarray(cv2.resize(read, (480, 332), interpolation=cv2.INTER_AREA)[..., ::-1], np.uint8)
    judge, pack = Wanted(load_settings(), "open", ()).load()
    try:
        assert len(detector_of(pack).detect(pixels)) == 6
        seen = judge.reader.find(Frame(pixels, 0, "s1", bytes(32)), (), whole=True)
        assert [face.score for face in seen] == [face.score for face in service_detector(pack).detect(pixels)]
        assert len(seen) < 6
    finally:
        pack.close()


def test_stills_of_webcams(  # noqa: PLR0917  fixtures, by name
    cli: Cli, home: Path, shared: Path, models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real pictures through the whole command: prints are caught; without models nothing is said."""
    data = tmp_path / "stills"
    for label in ("live", "print"):
        (data / label).mkdir(parents=True)
        for number, still in enumerate(sorted((shared / "data" / "pad-stills" / label).glob("*/*"))[::48]):
            (data / label / f"{number}.jpg").write_bytes(still.read_bytes())
    out = tmp_path / "report"
    told = cli("bench", "pad", "--data", str(data), "--out", str(out), "--json")
    assert told.exit_code == 0
    assert "No passive pack" in told.stderr
    assert json.loads(told.stdout)["levels"] == []
    own = tmp_path / "models"
    own.mkdir()
    (own / "open").symlink_to((models_dir / "open").absolute())
    monkeypatch.setenv("FACEAUTH_MODELS_DIR", str(own))
    install("pad-minifasnet", own, from_dir=shared / "models" / "minifasnet")
    assert cli("bench", "pad", "--data", str(data), "--out", str(out)).exit_code == 0
    (level,) = json.loads((out / "pad.json").read_text())["levels"]
    assert level["worst_species"] == "print"
    assert level["attacks"][0]["rate"]["events"] == 0
    assert level["attacks"][0]["rate"]["trials"] >= 3
    assert "Worst species: **print**" in (out / "pad.md").read_text()
